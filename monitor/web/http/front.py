"""The page as a browser first gets it: with the answers in it that it would ask for at once, each of which
costs a phone a round trip before anything is to be seen."""

import gzip
from collections.abc import Sequence
from typing import Any

import anyio
import anyio.to_thread
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from monitor.errors import StoreError
from monitor.web.access.visitors import Visitor
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Ask, Route
from monitor.web.http.shell import front, unpacks, words_of
from monitor.web.page import Page

PATIENCE_S = 0.3
"""So long the page waits for its first answers; a disk that hangs must not keep it from saying so."""
LATEST = 12
"""Events that *Now* shows (`RECENT` in static/pages/now.js)."""
_LEVEL = 5
"""Of gzip: a tenth larger than the best, in a third of the time."""


async def front_page(page: Page, routes: Sequence[Route], request: Request) -> Response:
    """The page; without answers where they do not come at once."""
    came: dict[str, Any] = {}
    with anyio.move_on_after(PATIENCE_S):
        came = await anyio.to_thread.run_sync(_first, page, routes, request, abandon_on_cancel=True)
    body, headers = front(came), {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if unpacks(request):
        body, headers["Content-Encoding"] = gzip.compress(body, _LEVEL, mtime=0), "gzip"
    return Response(body, headers=headers, media_type="text/html; charset=utf-8")


def _first(page: Page, routes: Sequence[Route], request: Request) -> dict[str, Any]:
    """What this visitor may see, by address; nothing where the disk does not answer."""
    by_path = {route.path: route for route in routes if route.method == "GET"}
    try:
        visitor = page.doors.visitor(request)
        language = Ask(page, visitor, request, {}).language
        came = {f"words/{language}.json": words_of(language)}
        for address in _asked(visitor):
            path, _, limit = address.partition("?limit=")
            route = by_path[path]
            query = route.query(limit=int(limit)) if route.query and limit else None
            answer = route.handle(Ask(page, visitor, request, {}, query))
            if isinstance(answer, BaseModel):
                came[address] = answer.model_dump(mode="json")
    except (StoreError, Refusal):
        return {}
    return came


def _asked(visitor: Visitor | None) -> tuple[str, ...]:
    session = "api/session"
    return (session, "api/house", "api/alerts/open", f"api/events?limit={LATEST}") if visitor else (session,)
