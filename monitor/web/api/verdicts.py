"""What people say of events."""

from typing import Annotated, Literal

from pydantic import Field

from monitor.history import events as index
from monitor.history.events import EventFilter
from monitor.history.judging import judged
from monitor.labels import sounds
from monitor.web.api.events import EventId, LabelName, row_of, views
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.views import EventView

MOST_AT_ONCE = 500


class GivenVerdict(Model):
    """What it was."""

    verdict: Literal["right", "wrong", "unsure"]
    label: LabelName | None = None
    """With `wrong`: what it really was."""


class GivenVerdicts(GivenVerdict):
    """The same of many events."""

    ids: Annotated[list[EventId], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Count(Model):
    """How many."""

    count: int


def judge(ask: Ask) -> Answer:
    """Say what it was."""
    wanted: GivenVerdict = ask.body
    _check_label(wanted)
    with ask.page.history() as history, history.rows() as rows:
        row = row_of(ask, rows)
        what = judged(rows, row)
        ask.page.verdicts.judge(what, wanted.verdict, wanted.label, ask.page.clock.now(), ask.by)
        ask.page.note_verdict(row.id)
        return views(ask, rows, [row])[0]


def judge_many(ask: Ask) -> Answer:
    """Say the same of many."""
    wanted: GivenVerdicts = ask.body
    _check_label(wanted)
    now = ask.page.clock.now()
    with ask.page.history() as history, history.rows() as rows:
        found = index.events(rows, EventFilter(ids=wanted.ids), limit=MOST_AT_ONCE)
        for row in found:
            ask.page.verdicts.judge(judged(rows, row), wanted.verdict, wanted.label, now, ask.by)
            ask.page.note_verdict(row.id)
    return Count(count=len(found))


def _check_label(wanted: GivenVerdict) -> None:
    if wanted.label is not None and wanted.label not in sounds():
        raise Refusal(422, f"label: there is no sound {wanted.label[:40]!r}; `api/house` lists them")


def undo(ask: Ask) -> Answer:
    """Take the verdict back."""
    if not ask.page.verdicts.undo(ask.path["id"]):
        raise Refusal(404, "nobody has judged this event")
    ask.page.note_verdict(ask.path["id"])
    return None


ROUTES = (
    Route("PUT", "api/events/{id}/verdict", "Say what it was", judge, "change", body=GivenVerdict,
          answer=EventView, fails=(404,)),
    Route("DELETE", "api/events/{id}/verdict", "Take a verdict back", undo, "change", status=204,
          fails=(404,)),
    Route("POST", "api/verdicts", "Say the same of many", judge_many, "change", body=GivenVerdicts,
          answer=Count),
)  # fmt: skip
