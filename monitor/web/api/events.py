"""Events: a page of them, one of them, and what people say of them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field

from monitor.delivery.kept.memory import video_of
from monitor.evidence.clips import ClipFile
from monitor.history import events as index
from monitor.history.events import EventFilter, EventRow
from monitor.logs import get_logger
from monitor.web.files import masked_s, onset_s
from monitor.web.http.file_answer import FileAnswer
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.trying.asking import Asking, model_to_ask
from monitor.web.views import EventPage, EventView, event_views

log = get_logger()

MOST = 200
MOST_AT_ONCE = 500
OPEN = timedelta(hours=24)
"""An alert that nobody has acknowledged stays on the page for so long."""
_MEDIA = {"flac": "audio/flac", "opus": "audio/ogg"}

EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
LabelName = Annotated[str, Field(max_length=40)]


class Which(Model):
    """Which events; what is left out does not matter. Several values are written with commas."""

    label: Annotated[str, Field(max_length=2000)] = ""
    source: Annotated[str, Field(max_length=2000)] = ""
    severity: Annotated[str, Field(max_length=40)] = ""
    """`info`, `warning`, `critical`: those with an alert of it."""
    certainty: Literal["", "suspected", "confirmed"] = ""
    verdict: Literal["", "right", "wrong", "unsure", "none", "any"] = ""
    kept: bool = False
    day: date | None = None
    """A day of the house, as in `2026-01-31`."""
    since: datetime | None = None
    until: datetime | None = None


class ListQuery(Which):
    """One page."""

    before: Annotated[str, Field(pattern=r"^(\d{1,17}\.[0-9a-f]{1,32})?$")] = ""
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50


class Keep(Model):
    """Whether an event's clip is kept for good."""

    kept: bool


def filter_of(ask: Ask, wanted: Which) -> EventFilter:
    """The filter that a query means. Refusal 422 where it means none."""
    since, until = wanted.since, wanted.until
    if wanted.day is not None:
        try:
            since, until = ask.page.time.day(wanted.day)
        except OverflowError:
            raise Refusal(422, "day: is too far from today") from None
    for at in (since, until):
        if at is not None and at.tzinfo is None:
            raise Refusal(422, "since, until: write a time with its offset, as in 2026-01-31T08:00:00+01:00")
    severities = _words(wanted.severity)
    if unknown := set(severities) - {"info", "warning", "critical"}:
        raise Refusal(422, f"severity: {sorted(unknown)[0]!r} is none of info, warning, critical")
    return EventFilter(
        since=since,
        until=until,
        labels=_words(wanted.label),
        sources=_words(wanted.source),
        severities=severities,
        certainty=wanted.certainty or None,
        judged=wanted.verdict or None,
        kept=wanted.kept,
    )


def _words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def listed(ask: Ask) -> Answer:
    """Newest first."""
    wanted: ListQuery = ask.query
    if not ask.page.keeps_history():
        return EventPage(events=[], next=None)
    before = None
    if wanted.before:
        us, _, id = wanted.before.partition(".")
        before = (int(us), id)
    with ask.page.rows() as rows:
        found = index.events(rows, filter_of(ask, wanted), before=before, limit=wanted.limit + 1)
        shown = found[: wanted.limit]
        events = views(ask, rows, shown)
    more = len(found) > wanted.limit
    return EventPage(events=events, next=f"{shown[-1].cursor[0]}.{shown[-1].cursor[1]}" if more else None)


def views(ask: Ask, rows: Any, shown: Sequence[EventRow]) -> list[EventView]:
    """The events with all that belongs to them."""
    return event_views(ask.page, rows, shown)


def one(ask: Ask) -> EventView:
    """One event."""
    with ask.page.rows() as rows:
        found = views(ask, rows, [row_of(ask, rows)])[0]
    video = video_of(ask.page.whole, ask.page.folder, found.id)
    return found.model_copy(update={"video": video})


def row_of(ask: Ask, rows: Any) -> EventRow:
    """The event that the path names. Refusal 404 where there is none."""
    found = index.events(rows, EventFilter(ids=(ask.path["id"],)), limit=1)
    if not found:
        raise Refusal(404, "there is no such event; it may be older than `history_days`")
    return found[0]


def clip(ask: Ask) -> Answer:
    """Its sound."""
    file = _file(ask, ("flac", "opus"))
    name = f"{file.started_at:%Y%m%dT%H%M%SZ}-{file.source}-{file.label}-{file.event_id}{file.path.suffix}"
    return FileAnswer(
        file.path, media_type=_MEDIA[file.path.suffix[1:]], filename=name, content_disposition_type="inline",
        headers={"Cache-Control": "private, max-age=3600", "X-Onset-S": f"{onset_s(file.path):.3f}",
                 "X-Masked-S": masked_s(file.path)},
    )  # fmt: skip


def picture(ask: Ask) -> Answer:
    """Its spectrogram as a picture."""
    file = _file(ask, ("png",))
    return FileAnswer(file.path, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


def _file(ask: Ask, kinds: tuple[str, ...]) -> ClipFile:
    with ask.page.rows() as rows:
        row = row_of(ask, rows)
    for file in ask.page.files.by_event().get(row.id, []):
        if file.path.suffix[1:] in kinds and file.path.is_file():
            return file
    raise Refusal(404, "nothing of its sound was kept; `evidence: {clips: true, pictures: true}` would")


def keep(ask: Ask) -> Answer:
    """Keep its clip and picture for good, or no longer mark it."""
    wanted: Keep = ask.body
    with ask.page.rows() as rows:
        row = row_of(ask, rows)
        if wanted.kept:
            ask.page.files.lock(row.id)
        ask.page.verdicts.keep(row.id, ask.page.clock.now(), ask.by, kept=wanted.kept)
        return views(ask, rows, [row])[0]


class Chosen(Model):
    """Events."""

    ids: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]], Field(min_length=1, max_length=500)
    ]


class DeletedView(Model):
    """How many clips and pictures were deleted."""

    count: int


def delete_sound(ask: Ask) -> Answer:
    """Delete clips and pictures of events; that they were heard stays known."""
    wanted: Chosen = ask.body
    count = ask.page.files.drop(wanted.ids)
    with ask.page.rows() as rows:
        for row in index.events(rows, EventFilter(ids=tuple(wanted.ids)), limit=len(wanted.ids)):
            ask.page.verdicts.keep(row.id, ask.page.clock.now(), ask.by, kept=False)
    log.info("clips and pictures were deleted on the page", events=len(wanted.ids), files=count, by=ask.by)
    return DeletedView(count=count)


class ClipQuestion(Model):
    """What the large model is asked about a clip."""

    question: Annotated[str, Field(max_length=300)] = ""
    """Empty: what is heard in it."""


class AnswerView(Model):
    """Its own words; shown, never acted on."""

    answer: str
    model: str


async def ask_model(ask: Ask) -> Answer:
    """Ask a large model behind a server about its sound. The clip goes there."""
    wanted: ClipQuestion = ask.body
    page = ask.page
    model = model_to_ask(page.whole) if page.config.ask_model else None
    if model is None:
        raise Refusal(
            409, "no model may be asked: `web: {ask_model: true}` with a classifier of type `remote`"
        )
    file = await anyio.to_thread.run_sync(_file, ask, ("flac", "opus"))
    job = Asking(page.whole, model, file.path, wanted.question.strip())
    log.info("a large model is asked about a clip", event_id=file.event_id, model=model, by=ask.by)
    found = [line async for line in page.trying.run(job)][-1]
    if "problems" in found:
        raise Refusal(409, "; ".join(found["problems"]))
    return AnswerView.model_validate(found)


ROUTES = (
    Route("POST", "api/events/{id}/ask", "Ask a large model about its sound", ask_model, "change",
          body=ClipQuestion, answer=AnswerView, waits=False, fails=(404, 409)),
    Route("GET", "api/events", "Events, newest first", listed, query=ListQuery, answer=EventPage),
    Route("GET", "api/events/{id}", "One event", one, answer=EventView, fails=(404,)),
    Route("GET", "api/events/{id}/clip", "Its sound", clip, "hear", answer="audio/flac", fails=(404,)),
    Route("GET", "api/events/{id}/picture", "Its spectrogram", picture, "hear", answer="image/png",
          fails=(404,)),
    Route("POST", "api/clips/delete", "Delete clips and pictures of events", delete_sound, "change",
          body=Chosen, answer=DeletedView),
    Route("PUT", "api/events/{id}/kept", "Keep its clip for good", keep, "change", body=Keep,
          answer=EventView, fails=(404,)),
)  # fmt: skip
