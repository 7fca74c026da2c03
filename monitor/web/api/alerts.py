"""Alerts that wait for somebody."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated

from pydantic import Field

from monitor.delivery.kept.active import of_one_incident
from monitor.errors import StoreError
from monitor.history import events as index
from monitor.history.alerts import OPEN, waiting_alerts
from monitor.history.events import EventFilter
from monitor.history.judging import judged
from monitor.types import Alert, Command
from monitor.web.api.events import MOST, views
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.views import AlertView, EventView, fresh_view


class Acknowledge(Model):
    """Somebody has seen an alert."""

    alert: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")] | None = None
    """Its id; by default all that are open."""


class AcknowledgedAlerts(Model):
    """No more calls for these."""

    alerts: int
    """How many: with one, those that tell of nothing else are answered, too."""


class OpenAlert(AlertView):
    """An alert that nobody has acknowledged."""

    test: bool
    """Somebody tried the rule, or holds a drill: no danger."""
    events: list[EventView]
    """None of a rule that was tried: nothing was heard."""


class OpenAlerts(Model):
    """The gravest first."""

    alerts: list[OpenAlert]


def open_alerts(ask: Ask) -> OpenAlerts:
    """Alerts of the last day that nobody has acknowledged and none of whose events was called wrong. They are
    known without a disk, too: where it keeps nothing, an alarm must not look as if all were well."""
    page = ask.page
    now = page.clock.now()
    waiting = {one.id: one for one in page.waiting() if one.raised_at > now - OPEN}
    known: dict[str, EventView] = {}
    if page.keeps_history():
        try:
            waiting, known = _with_kept(ask, waiting, now)
        except StoreError as error:
            page.lapse.begin(why=str(error))
    seen = page.board.acknowledged()
    shown = [
        OpenAlert(
            id=one.id,
            rule=one.rule,
            severity=one.severity,
            raised_at=page.time.iso(one.raised_at),
            test=one.test,
            events=[
                known.get(event.id) or fresh_view(event, page.time)
                for event in one.events
                if not event.is_made_up
            ],
        )
        for one in waiting.values()
        if one.id not in seen and not any(_is_called_wrong(known.get(event.id)) for event in one.events)
    ]
    return OpenAlerts(alerts=sorted(shown, key=_gravity)[:50])


def _with_kept(
    ask: Ask, waiting: dict[str, Alert], now: datetime
) -> tuple[dict[str, Alert], dict[str, EventView]]:
    """With those that the history knows, without those that were acknowledged; and views of their events."""
    verdicts = ask.page.verdicts
    with ask.page.history() as history, history.rows() as rows:
        merged = {one.id: one for one in waiting_alerts(history, verdicts, now)} | waiting
        seen = verdicts.acknowledged(list(merged))
        merged = {id: one for id, one in merged.items() if id not in seen}
        ids = list({event.id for one in merged.values() for event in one.events})
        rows_of = index.events(rows, EventFilter(ids=ids), limit=MOST) if ids else []
        return merged, {view.id: view for view in views(ask, rows, rows_of)}


def _is_called_wrong(view: EventView | None) -> bool:
    return view is not None and view.verdict is not None and view.verdict.verdict == "wrong"


def _gravity(alert: OpenAlert) -> tuple[bool, float]:
    return alert.severity != "critical", -datetime.fromisoformat(alert.raised_at).timestamp()


def dismiss(ask: Ask) -> Answer:
    """It was nothing: the alert is acknowledged, and its events are called wrong."""
    id = ask.path["id"]
    waits = any(one.id == id for one in ask.page.waiting())
    if waits:
        _acknowledge(ask, [id])  # the calls end, whatever the disk keeps
    try:
        alert = _call_wrong(ask, id)
    except StoreError as error:
        if not waits:
            raise
        ask.page.lapse.begin(why=str(error))
        alert = None
    if alert is None and waits:
        raise Refusal(503, "it is acknowledged; that it was nothing cannot be kept now, the log says why")
    if alert is None:
        raise Refusal(404, "there is no such alert")
    if not waits:
        _acknowledge(ask, [id])
    return None


def _call_wrong(ask: Ask, id: str) -> Alert | None:
    """Every event of the alert; None where the history has no such alert. Raises StoreError."""
    with ask.page.history() as history, history.rows() as rows:
        alert = history.alert(id)
        if alert is None or alert.id != id:
            return None
        ids = [event.id for event in alert.events]
        for row in index.events(rows, EventFilter(ids=ids), limit=MOST) if ids else ():
            ask.page.verdicts.judge(judged(rows, row), "wrong", None, ask.page.clock.now(), ask.by)
            ask.page.note_verdict(row.id)
        return alert


def acknowledge(ask: Ask) -> AcknowledgedAlerts:
    """No more calls for this alert, or for any."""
    wanted: Acknowledge = ask.body
    if wanted.alert is not None:
        return AcknowledgedAlerts(alerts=_acknowledge(ask, [wanted.alert]))
    waiting = open_alerts(ask).alerts
    ask.page.command(Command("ack", by=ask.by))  # all together: the log has one line
    return AcknowledgedAlerts(alerts=_acknowledge(ask, [one.id for one in waiting]))


def _acknowledge(ask: Ask, ids: list[str]) -> int:
    """The calls end first. What the disk does not take now is kept as soon as it can: the command is. Returns
    how many are acknowledged."""
    waiting = ask.page.waiting()
    ids = sorted(frozenset().union(*(of_one_incident(waiting, id) for id in ids)))
    ask.page.board.acknowledge(ids)
    for id in ids:
        ask.page.command(Command("ack", value=id, by=ask.by))
    with suppress(StoreError):
        ask.page.verdicts.acknowledge(ids, ask.page.clock.now(), ask.by)
    return len(ids)


ROUTES = (
    Route("POST", "api/ack", "Acknowledge an alert", acknowledge, "change", body=Acknowledge,
          answer=AcknowledgedAlerts),
    Route("GET", "api/alerts/open", "Alerts that wait for somebody", open_alerts, answer=OpenAlerts),
    Route("POST", "api/alerts/{id}/nothing", "It was nothing", dismiss, "change", status=204, fails=(404,)),
)  # fmt: skip
