"""Which onset suits what people said of a sound, and taking it."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from monitor.config.overrides import apply, read_steps, without
from monitor.errors import ConfigError
from monitor.web.api.sounds import Share, SoundDetail, detail, known_label, take_effect
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.trying.suggesting import Suggesting


class RateView(Model):
    """So many a day, and the interval in which the mean of the next week lies with 80 %."""

    a_day: float
    low: float
    high: float


class StatedAim(Model):
    """What somebody wants of a sound."""

    aim: Literal["likely", "right", "keep", "false_a_week"] = "likely"
    """`likely`: only what may well be right; `right`: so large a share of what is reported; `keep`: as few
    false events as keeping so large a share of the right ones allows; `false_a_week`: at most so many."""
    value: Annotated[float, Field(ge=0.01, le=1000)] | None = None
    """A share for all but the last, 0.5 to 1. By default 0.6, 0.9, 0.95 and 1."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.value is not None and self.aim != "false_a_week" and not 0.5 <= self.value <= 1:
            raise ValueError("value: a share from 0.5 to 1")
        return self


class ChangedSound(Model):
    """A sound of the last days that another onset would have decided otherwise."""

    source: str
    at: str
    gone: bool
    """It was an event and would have been none; else the other way round."""
    right: bool | None
    """What somebody said of it."""


class SuggestionView(Model):
    """An onset, what it rests on, and what it would change."""

    source: str | None
    """None: at every source that has no onset of its own."""
    now: float
    onset: float
    days: float
    right: int
    wrong: int
    missed: int
    more_verdicts: int
    """With so many more it would be as sure as it gets."""
    false_now: RateView
    false_then: RateView
    lost: RateView
    """Right ones that would no longer be reported."""
    gone: int
    new: int
    changes: list[ChangedSound]
    """The latest of both."""


class SuggestionList(Model):
    """What is suggested, or why nothing is."""

    suggestions: list[SuggestionView]
    refused: list[str]


class Taking(Model):
    """A suggestion that is taken."""

    onset: Share
    source: Annotated[str, Field(max_length=60)] | None = None


async def suggested(ask: Ask) -> Answer:
    """Ask what follows from the verdicts; worked out in a process of its own."""
    page = ask.page
    wanted: StatedAim = ask.query
    job = Suggesting(page.whole, known_label(ask), page.clock.now(), wanted.aim, wanted.value)
    if not page.keeps_history():
        return SuggestionList(suggestions=[], refused=["nothing is kept to learn from (`history_days`)"])
    found = [line async for line in page.trying.run(job)][-1]
    if "problems" in found:
        raise Refusal(409, "; ".join(found["problems"]))
    for one in found["suggestions"]:
        for change in one["changes"]:
            change["at"] = page.time.iso(datetime.fromisoformat(change["at"]))
    return SuggestionList.model_validate(found)


def taken(ask: Ask) -> Answer:
    """Change the onset as suggested; an undo takes it back."""
    wanted: Taking = ask.body
    label, page = known_label(ask), ask.page
    if wanted.source is not None and wanted.source not in (room.source for room in page.house.sources):
        raise Refusal(404, f"there is no source {wanted.source[:60]!r}")
    place = (
        f"labels.{label}.onset" if wanted.source is None else f"sources.{wanted.source}.labels.{label}.onset"
    )
    with page.changing:
        written = without(page.whole, read_steps(page.folder))
        by, why = f"page {ask.by}".strip(), "suggested by verdicts"
        try:
            apply(written, {place: wanted.onset}, by=by, at=page.clock.now(), why=why)
        except ConfigError as error:
            raise Refusal(422, "; ".join(error.problems)) from None
        take_effect(ask, written)
    return detail(ask)


ROUTES = (
    Route("GET", "api/sounds/{label}/suggestion", "Which onset suits the verdicts", suggested,
          query=StatedAim, answer=SuggestionList, waits=False, fails=(404, 409)),
    Route("PUT", "api/sounds/{label}/suggestion", "Take a suggestion", taken, "change", body=Taking,
          answer=SoundDetail, fails=(404,)),
)  # fmt: skip
