"""Which onset suits what people said of a sound, and taking it."""

from typing import Annotated

from pydantic import Field

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
    job = Suggesting(page.whole, known_label(ask), page.clock.now())
    if not page.keeps_history():
        return SuggestionList(suggestions=[], refused=["nothing is kept to learn from (`history_days`)"])
    found = [line async for line in page.trying.run(job)][-1]
    if "problems" in found:
        raise Refusal(409, "; ".join(found["problems"]))
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
          answer=SuggestionList, waits=False, fails=(404, 409)),
    Route("PUT", "api/sounds/{label}/suggestion", "Take a suggestion", taken, "change", body=Taking,
          answer=SoundDetail, fails=(404,)),
)  # fmt: skip
