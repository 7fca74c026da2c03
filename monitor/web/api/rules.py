"""Rules: what each waits for, what it did lately and why not more, and what another one would have done."""

import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field
from starlette.responses import StreamingResponse

from monitor.config.changed_rules import is_guarded, named
from monitor.config.overrides import read_steps, without
from monitor.errors import StoreError
from monitor.history import events as index
from monitor.history.events import EventFilter
from monitor.history.explain import explain_id
from monitor.rules.model import Rule
from monitor.types import Alert
from monitor.web.api.events import views
from monitor.web.api.sounds import ChangeView, last_change
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.rules.words import rule_words
from monitor.web.trying.deciding import Deciding
from monitor.web.views import EventView
from monitor.web.why import rule_sentence

WEEK = timedelta(days=7)
LATEST = 5
MOST_LOOKED_AT = 60
"""Events among which those that a rule let pass are looked for."""


class RangView(Model):
    """An alert that a rule raised."""

    id: str
    severity: Literal["info", "warning", "critical"]
    raised_at: str
    event_ids: list[str]
    labels: list[str]
    sources: list[str]


class RuleCard(Model):
    """A rule and its last days."""

    number: int
    """Its place in the configuration, from 0."""
    name: str
    severity: Literal["info", "warning", "critical"]
    text: str
    """As a sentence."""
    yaml: str
    labels: list[str]
    sources: list[str]
    may_change: bool
    """Whether it is changed here; one that hears a smoke, fire or CO alarm is not, unless made here."""
    is_changed: bool
    """Whether it was changed or made without the configuration."""
    count: int
    """Alerts of the last seven days."""
    rang: list[RangView]
    """The latest of them."""


class SleepingRule(Model):
    """A rule that is switched off in the configuration (`enabled: false`)."""

    name: str
    text: str
    """As a sentence."""


class RuleList(Model):
    """Every rule, in the order of the configuration."""

    rules: list[RuleCard]
    off: list[SleepingRule]
    """Those that raise no alert."""
    last_change: ChangeView | None
    """What an undo takes back."""


class PassedView(Model):
    """An event that the rule hears and let pass."""

    event: EventView
    why: str


class RuleDetail(RuleCard):
    """A rule with what it let pass."""

    passed: list[PassedView]


class WhatIf(Model):
    """What is to be tried on the last days."""

    days: Annotated[int, Field(ge=1, le=7)] = 1
    changes: Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=10)] = []
    """As for `earwitness replay --set`: `dog_bark.onset=0.7`, `rules.Break-in.min_score=0.6`."""


def listed(ask: Ask) -> Answer:
    """All of them."""
    rang = _rang(ask)
    rules = [_view(ask, n, rule, rang) for n, rule in enumerate(ask.page.whole.rules)]
    off = [
        SleepingRule(name=one.name, text=rule_words(one, ask.language)) for one in ask.page.whole.off_rules()
    ]
    return RuleList(rules=rules, off=off, last_change=last_change(ask))


def detail(ask: Ask) -> Answer:
    """One, and why it did not ring where it might have."""
    number, rules = ask.path["number"], ask.page.whole.rules
    if not number.isdecimal() or len(number) > 4 or int(number) >= len(rules):
        raise Refusal(404, "there is no such rule; `api/rules` lists them")
    rule = rules[int(number)]
    view = _view(ask, int(number), rule, _rang(ask))
    return RuleDetail(**view.model_dump(), passed=_passed(ask, rule))


def _rang(ask: Ask) -> dict[str, list[Alert]]:
    """The alerts of a week by rule, the latest first."""
    page = ask.page
    if not page.keeps_history():
        return {}
    now = page.clock.now()
    with page.history() as history:
        last = {one.id: one for _, one in history.messages(now - WEEK, now, Alert) if isinstance(one, Alert)}
    found: dict[str, list[Alert]] = {}
    for alert in sorted(last.values(), key=lambda one: one.raised_at, reverse=True):
        if not alert.test:
            found.setdefault(alert.rule, []).append(alert)
    return found


def _view(ask: Ask, number: int, rule: Rule, rang: dict[str, list[Alert]]) -> RuleCard:
    own = rang.get(rule.name, [])
    before = named(without(ask.page.whole, read_steps(ask.page.folder)), rule.name)
    written = rule.model_dump(mode="json", exclude_unset=True)
    return RuleCard(
        number=number,
        name=rule.name,
        severity=rule.gravest_severity,
        text=rule_words(rule, ask.language),
        yaml=yaml.safe_dump([written], sort_keys=False, allow_unicode=True, width=100),
        labels=list(rule.labels),
        sources=list(rule.sources),
        may_change=not is_guarded(before),
        is_changed=before != rule,
        count=len(own),
        rang=[_rang_view(ask, alert) for alert in own[:LATEST]],
    )


def _rang_view(ask: Ask, alert: Alert) -> RangView:
    return RangView(
        id=alert.id,
        severity=alert.severity,
        raised_at=ask.page.time.iso(alert.raised_at),
        event_ids=[event.id for event in alert.events],
        labels=list(dict.fromkeys(event.label for event in alert.events)),
        sources=list(dict.fromkeys(event.source for event in alert.events)),
    )


def _passed(ask: Ask, rule: Rule) -> list[PassedView]:
    """The latest events of its sounds of which it made no alert, each with the clause that stopped it."""
    page = ask.page
    if not page.keeps_history():
        return []
    wanted = EventFilter(since=page.clock.now() - WEEK, labels=rule.labels, sources=rule.sources or ())
    found: list[PassedView] = []
    with page.history() as history, history.rows() as rows:
        shown = index.events(rows, wanted, limit=MOST_LOOKED_AT)
        for event in views(ask, rows, shown):
            if len(found) == LATEST:
                break
            if any(alert.rule == rule.name for alert in event.alerts):
                continue
            try:
                traces = explain_id(history, page.whole, event.id).events
            except StoreError:
                continue  # it has just been let go
            verdicts = [
                one for trace in traces if trace.event.id == event.id for one in trace.traces
                if one.rule == rule.name and one.stopped_by is not None
            ]  # fmt: skip
            if verdicts:
                found.append(PassedView(event=event, why=rule_sentence(verdicts[0], ask.language)))
    return found


async def decided_again(ask: Ask, job: Deciding) -> AsyncIterator[bytes]:
    """Lines of JSON, with the times of the house."""
    async for document in ask.page.trying.run(job):
        for outcome in document.get("outcomes", ()):
            _in_house_time(ask, outcome)
        yield json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _in_house_time(ask: Ask, outcome: dict[str, Any]) -> None:
    if "at" in outcome:
        outcome["at"] = ask.page.time.iso(datetime.fromisoformat(outcome["at"]))


def what_if(ask: Ask) -> Answer:
    """Decide the last days again with something changed. Lines of JSON: `progress`, at last `outcomes` or
    `problems`. Whoever hangs up ends it."""
    wanted: WhatIf = ask.body
    page = ask.page
    if not page.keeps_history():
        raise Refusal(409, "there is nothing to decide again, because nothing is kept (`history_days`)")
    now = page.clock.now()
    job = Deciding(page.whole, page.folder, now - timedelta(days=wanted.days), now, tuple(wanted.changes))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(decided_again(ask, job), headers=headers, media_type="application/x-ndjson")


async def get_ready(ask: Ask) -> Answer:
    """Somebody is about to try something."""
    await ask.page.trying.get_ready()
    return None


ROUTES = (
    Route("GET", "api/rules", "Every rule and its last days", listed, answer=RuleList),
    Route("GET", "api/rules/{number}", "A rule, and what it let pass", detail, answer=RuleDetail,
          fails=(404,)),
    Route("POST", "api/whatif", "Decide the last days again", what_if, "change", body=WhatIf,
          answer="application/x-ndjson", waits=False, fails=(409,)),
    Route("POST", "api/whatif/ready", "Have a process ready for it, for a minute", get_ready, "change",
          status=204, waits=False),
)  # fmt: skip
