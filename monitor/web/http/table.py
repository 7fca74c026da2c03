"""The whole API: one table of routes."""

import json
from functools import cache

from monitor.web.api import (
    access,
    alerts,
    commands,
    events,
    explain,
    export,
    house,
    nodes,
    rules,
    sounds,
    sources,
    support,
    timeline,
    verdicts,
)
from monitor.web.api.upkeep import diary, drills, missed, questions, suggestions, taught, unnamed
from monitor.web.api.upkeep import house as upkeep
from monitor.web.http.openapi import openapi
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.http.shell import File, made, sent
from monitor.web.rules import editing
from monitor.web.setup import routes as setup


def description(ask: Ask) -> Answer:
    """The API itself."""
    return sent(described(), ask.request)


@cache
def described() -> File:
    """Made when somebody first asks, since few ever do, and then kept: it is the same as long as we run."""
    return made(json.dumps(openapi(ROUTES), ensure_ascii=False, separators=(",", ":")).encode(), "json")


ROUTES: tuple[Route, ...] = (
    *access.ROUTES,
    *house.ROUTES,
    *nodes.ROUTES,
    *events.ROUTES,
    *verdicts.ROUTES,
    *alerts.ROUTES,
    *explain.ROUTES,
    *timeline.ROUTES,
    *export.ROUTES,
    *sources.ROUTES,
    *sounds.ROUTES,
    *editing.ROUTES,
    *rules.ROUTES,
    *upkeep.ROUTES,
    *diary.ROUTES,
    *drills.ROUTES,
    *missed.ROUTES,
    *questions.ROUTES,
    *suggestions.ROUTES,
    *taught.ROUTES,
    *unnamed.ROUTES,
    *support.ROUTES,
    *commands.ROUTES,
    *setup.ROUTES,
    Route("GET", "api/openapi.json", "This description", description, answer="application/json"),
)
