"""Why: of one event, or of any moment."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from monitor.delivery.deliveries import OUTBOX, DeliveryRecord, deliveries
from monitor.errors import StoreError
from monitor.history.explain import Explanation, explain_id, explain_time
from monitor.history.wording import explanation_lines
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.why import why_sentences


class Sentence(Model):
    """One step of the explanation."""

    key: str
    weight: str
    """`fact`, `good` (it went on), `stop` (what decided against it)."""
    text: str


class ScoreView(Model):
    """One score against what its label needs."""

    source: str
    classifier: str
    at: str
    label: str
    score: float
    onset: float
    hits: int
    reached: bool
    by_rhythm: bool


class StepView(Model):
    """One clause of a rule held against one value."""

    clause: str
    passed: bool
    wanted: Any
    found: Any


class RuleView(Model):
    """How far an event came in a rule."""

    rule: str
    outcome: str
    steps: list[StepView]


class DeliveryView(Model):
    """An alert on its way to one receiver."""

    alert: str
    rule: str
    channel: str
    raised_at: str
    delivered_at: str | None


class WhyView(Model):
    """Everything that is known of why."""

    sentences: list[Sentence]
    scores: list[ScoreView]
    rules: list[RuleView]
    deliveries: list[DeliveryView] = []
    text: list[str]
    """As `earwitness explain` prints it."""


class MomentQuery(Model):
    """Which moment."""

    at: datetime
    source: Annotated[str, Field(max_length=60)] = ""
    around_s: Annotated[float, Field(ge=0.5, le=60)] = 3.0


def of_event(ask: Ask) -> WhyView:
    """Why this event was raised, or was not."""
    page = ask.page
    with page.history() as history:
        if not history.event(ask.path["id"]):
            raise Refusal(404, "there is no such event; it may be older than `history_days`")
        found = explain_id(history, page.whole, ask.path["id"])
        trace = next((one for one in found.events if one.event.id == ask.path["id"]), None)
        alerts = history.alerts_about(ask.path["id"])
    sent = [
        DeliveryView(
            alert=alert.id,
            rule=alert.rule,
            channel=one.channel,
            raised_at=page.time.iso(alert.raised_at),
            delivered_at=page.time.iso(one.delivered_at) if one.delivered_at else None,
        )
        for alert in alerts
        for one in _of_alert(ask, alert.id)
    ]
    rules = [
        RuleView(rule=one.rule, outcome=one.outcome, steps=[_step(step) for step in one.steps])
        for one in (trace.traces if trace else ())
    ]
    return _view(ask, found, ask.path["id"], rules, sent)


def _of_alert(ask: Ask, id: str) -> list[DeliveryRecord]:
    found = deliveries(ask.page.folder / OUTBOX, "alert", id)
    return [one for one in found if one.channel != "escalation"]


def of_moment(ask: Ask) -> Answer:
    """What was heard around a time, and why nothing came of it."""
    wanted: MomentQuery = ask.query
    if not 1971 <= wanted.at.year <= 9000:
        raise Refusal(422, "at: is too far from today")
    if wanted.at.tzinfo is None:
        raise Refusal(422, "at: write a time with its offset, as in 2026-01-31T08:00:00+01:00")
    with ask.page.history() as history:
        found = explain_time(history, ask.page.whole, wanted.at, wanted.source or None, wanted.around_s)
    return _view(ask, found, None, [], [])


def _view(
    ask: Ask, found: Explanation, event_id: str | None, rules: list[RuleView], sent: list[DeliveryView]
) -> WhyView:
    iso = ask.page.time.iso
    scores = [
        ScoreView(
            source=trace.look.source,
            classifier=trace.look.classifier,
            at=iso(trace.look.started_at),
            label=one.label,
            score=round(one.score, 4),
            onset=round(one.row.onset, 4),
            hits=one.row.hits,
            reached=one.reached,
            by_rhythm=one.by_rhythm,
        )
        for trace in found.looks[:100]
        for one in trace.best[:3]
    ]
    try:
        text = list(explanation_lines(found))[:400]
    except StoreError:
        text = []
    sentences = [Sentence(**one) for one in why_sentences(found, ask.language, event_id)]
    return WhyView(sentences=sentences, scores=scores, rules=rules, deliveries=sent, text=text)


def _step(step: Any) -> StepView:
    return StepView(
        clause=step.clause, passed=step.passed, wanted=_plain(step.wanted), found=_plain(step.found)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


ROUTES = (
    Route("GET", "api/events/{id}/explain", "Why it was reported, or was not", of_event, answer=WhyView,
          fails=(404,)),
    Route("GET", "api/explain", "Why nothing was reported at some time", of_moment, query=MomentQuery,
          answer=WhyView),
)  # fmt: skip
