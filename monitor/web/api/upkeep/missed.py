"""Sounds that were there and of which nothing was reported; and how well this house is heard, by all that
people said."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from monitor.config.capabilities import in_force
from monitor.history.judging import best_score, missed_at
from monitor.history.verdicts import Missed
from monitor.teaching.mine import records
from monitor.teaching.suggestion import never
from monitor.teaching.versions import read_versions
from monitor.types import Setting
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model

MOST = 200


class WhatWasMissed(Model):
    """A sound, and when and where it was."""

    label: Annotated[str, Field(max_length=40)]
    source: Annotated[str, Field(max_length=60)]
    at: datetime
    """Without an offset it is the house's time."""


class MissedView(Model):
    """A sound of which nobody was notified, though it was there."""

    label: str
    source: str
    at: str
    score: float | None
    """Of the look that came nearest; None where nothing was classified: the gate had not opened."""
    onset: float | None
    """What it takes there now; None where nothing can hear it any more."""


class MissedList(Model):
    """The latest first."""

    missed: list[MissedView]


class RecordView(Model):
    """How one version of one classifier has heard one sound."""

    label: str
    classifier: str
    """Empty where nobody has judged one."""
    version: str
    """Of its model; empty where that is not known."""
    right: int
    wrong: int
    missed: int
    """Of the sound, whoever should have heard it."""
    precision: float | None
    """Share of its judged events that were right; None where none was judged."""
    recall: float | None
    """Share of what was there that was reported; None where nobody has missed any."""


class RecordList(Model):
    """Those with the most verdicts first."""

    records: list[RecordView]


def mine(ask: Ask) -> Answer:
    """Precision and recall of this house."""
    page = ask.page
    return RecordList(
        records=[
            RecordView(
                label=one.label,
                classifier=one.classifier,
                version=one.version,
                right=one.right,
                wrong=one.wrong,
                missed=one.missed,
                precision=one.precision,
                recall=one.recall,
            )
            for one in records(page.verdicts, read_versions(page.folder))
        ]
    )


def listed(ask: Ask) -> Answer:
    """What people missed."""
    onsets = _onsets(ask)
    latest = reversed(ask.page.verdicts.missed()[-MOST:])
    return MissedList(missed=[_view(ask, one, onsets) for one in latest])


def miss(ask: Ask) -> Answer:
    """Keep that it was there, with the looks that came nearest: they count as right ones."""
    wanted: WhatWasMissed = ask.body
    page, now = ask.page, ask.page.clock.now()
    at = _instant(ask, wanted)
    if at > now:
        raise Refusal(422, "at: this time is in the future; only a past sound can have been missed")
    onsets = _onsets(ask)
    if wanted.source not in onsets:
        raise Refusal(404, f"there is no source {wanted.source!r}")
    if reason := never(wanted.label):
        raise Refusal(422, f"label: {reason}")
    if wanted.label not in onsets[wanted.source]:
        raise Refusal(422, f"label: nothing that listens at {wanted.source} can hear {wanted.label!r}")
    if not page.keeps_history():
        raise Refusal(409, "no history is kept (`history_days`)")
    with page.rows() as rows:
        found = missed_at(rows, wanted.label, wanted.source, at)
    page.verdicts.miss(found, now, ask.by)
    return _view(ask, found, onsets)


def found(ask: Ask) -> Answer:
    """Take it back: it was not missed."""
    wanted: WhatWasMissed = ask.query
    if not ask.page.verdicts.found(wanted.source, wanted.label, _instant(ask, wanted)):
        raise Refusal(404, "nobody has reported this sound as missed")
    return None


def _instant(ask: Ask, wanted: WhatWasMissed) -> datetime:
    """In UTC. Times that no clock can show are no time at all."""
    at = wanted.at if wanted.at.tzinfo is not None else wanted.at.replace(tzinfo=ask.page.time.zone)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise Refusal(422, "at: there is no such time") from None


def _onsets(ask: Ask) -> dict[str, dict[str, float]]:
    """What each sound takes at each source now."""
    page = ask.page
    settings: list[Setting] = []
    if page.keeps_history():
        with page.history() as history:
            settings = history.settings(page.clock.now())
    every = in_force(page.whole, settings)
    return {source: {label: row.onset for label, row in rows.items()} for source, rows in every.items()}


def _view(ask: Ask, one: Missed, onsets: dict[str, dict[str, float]]) -> MissedView:
    return MissedView(
        label=one.label,
        source=one.source,
        at=ask.page.time.iso(one.at),
        score=best_score(one),
        onset=onsets.get(one.source, {}).get(one.label),
    )


ROUTES = (
    Route("GET", "api/mine", "How well this house is heard, by verdicts", mine, answer=RecordList),
    Route("GET", "api/missed", "What was there and not reported", listed, answer=MissedList),
    Route("POST", "api/missed", "Say that a sound was there", miss, "change", body=WhatWasMissed,
          answer=MissedView, fails=(404, 409)),
    Route("DELETE", "api/missed", "Take it back", found, "change", query=WhatWasMissed, status=204,
          fails=(404,)),
)  # fmt: skip
