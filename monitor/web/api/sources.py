"""Sources: how each is, and what it sounds like at this moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from statistics import median
from typing import Any

from starlette.responses import StreamingResponse

from monitor.clock import to_us
from monitor.history.loudness.minutes import minutes_of, muted_minutes
from monitor.logs import get_logger
from monitor.web.api.commands import known_source
from monitor.web.board import plain_times
from monitor.web.feed import FeedItem
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.scope import Viewer

log = get_logger()

DAY_MINUTES = 24 * 60
MOST_SCOPES = 16
DRIFT = timedelta(days=14)
DRIFT_POINTS = 56
"""Six hours each."""
DAYS_COMPARED = 8
"""Points: two days."""
RIGHTS_EVERY_S = 60.0
LOOK_AROUND_S = 1.0
"""So often a stream without sound looks whether the page closes."""


class SourceView(Model):
    """A source and how it is."""

    name: str
    type: str
    area: str | None
    title: str | None
    """How its name is written, where set-up named it after its area: `Küche` for `kueche`."""
    labels: list[str]
    """What can be heard there."""
    online: bool | None
    """None until it was tried."""
    heard: bool
    """Whether sound of it has come since the daemon started."""
    since: str | None = None
    reason: str
    problems: list[str]
    muted: bool
    muted_until: str | None = None
    """When it is heard again; None: when somebody says so."""
    sensitivity: float
    level_dbfs: float | None = None
    floor_dbfs: float | None = None
    laeq_dbfs: float | None = None
    """How loud the last minute was: its LAeq, A-weighted."""
    laeq_dba: float | None = None
    """The same in dB(A), where the source is calibrated."""
    sounding: dict[str, dict[str, Any]]
    """What is being heard now, by label."""
    last: dict[str, Any] | None = None
    """The last sound that was heard."""
    lag_s: float | None = None
    """From the end of a sound until it was heard here."""
    gaps: int | None = None
    """Places where sound was missing while it was open, since the daemon started."""
    overflows: int | None = None
    """Sound that was dropped because nobody took it in time."""
    reconnects: int | None = None
    bandwidth_hz: float | None = None
    """Where its sound ends; known after ten seconds in which somebody looked at the page."""
    listened: int = 0
    """How many listen to it live now."""
    watched: int = 0
    """How many look at its live spectrogram now."""


def source_views(ask: Ask) -> list[SourceView]:
    """Every source."""
    page = ask.page
    known = page.board.sources()
    until = page.mutes.until()
    figures = page.board.health.values["sources"] if page.board.health else {}
    kinds = {source.name: source.type for source in page.whole.sources}
    found = []
    for room in page.house.sources:
        state = plain_times(known[room.source], page.time.iso)
        numbers = figures.get(room.source, {})
        found.append(
            SourceView(
                name=room.source,
                type=kinds[room.source],
                area=room.area,
                title=room.title,
                labels=list(room.event_labels),
                online=state["online"],
                heard=state["heard"],
                since=state["since"],
                reason=state["reason"],
                problems=state["problems"],
                muted=bool(state.get("mute", False)),
                muted_until=page.time.iso(until[room.source]) if room.source in until else None,
                sensitivity=float(state.get("sensitivity", 0.0)),
                level_dbfs=state.get("level_dbfs"),
                floor_dbfs=state.get("floor_dbfs"),
                laeq_dbfs=state.get("laeq_dbfs"),
                laeq_dba=state.get("laeq_dba"),
                sounding=state["sounding"],
                last=state.get("last"),
                lag_s=numbers.get("lag_s"),
                gaps=numbers.get("gaps"),
                overflows=numbers.get("overflows"),
                reconnects=numbers.get("reconnects"),
                bandwidth_hz=page.meters.bandwidth_hz(room.source),
                listened=page.audio.listening(room.source),
                watched=page.scopes.watching(room.source),
            )
        )
    return found


class DriftView(Model):
    """Level and floor of a source, every six hours."""

    since: str
    until: str
    levels: list[float | None]
    """The mean of what was reported, in dBFS; None where nobody listened."""
    floors: list[float | None]
    """The same of the noise floor."""
    floor_change_db: float | None
    """The floor of the latest two days, over that of the first two of which anything is kept."""


def drift(ask: Ask) -> Answer:
    """How a source's level and floor have changed, as far back as the history goes."""
    source, page = known_source(ask), ask.page
    until = page.clock.now()
    since = until - DRIFT
    levels: list[float | None] = [None] * DRIFT_POINTS
    floors: list[float | None] = [None] * DRIFT_POINTS
    if page.keeps_history():
        width = to_us(until) - to_us(since)
        with page.rows() as rows:
            found = rows.execute(
                "SELECT (told_at - ?2) * ?4 / ?3 AS part, avg(level_dbfs), avg(floor_dbfs) FROM level"
                " WHERE source = ?1 AND told_at >= ?2 AND told_at < ?5 GROUP BY part",
                (source, to_us(since), width, DRIFT_POINTS, to_us(until)),
            ).fetchall()
        for part, level, floor in found:
            levels[part], floors[part] = round(max(level, -120.0), 1), round(max(floor, -120.0), 1)
    return DriftView(
        since=page.time.iso(since),
        until=page.time.iso(until),
        levels=levels,
        floors=floors,
        floor_change_db=_change([one for one in floors if one is not None]),
    )


def _change(floors: list[float]) -> float | None:
    if len(floors) < 2 * DAYS_COMPARED:
        return None
    return round(median(floors[-DAYS_COMPARED:]) - median(floors[:DAYS_COMPARED]), 1)


class LoudnessView(Model):
    """How loud a source was, minute by minute, over 24 hours."""

    since: str
    """When the first minute began."""
    laeq_dbfs: list[float | None]
    """LAeq of each minute, A-weighted; None where it was not measured."""
    laeq_dba: list[float | None]
    """The same in dB(A), where the source was calibrated then."""
    muted: list[bool]
    """Whether the source was muted in some of that minute: then it is not measured."""


def loudness(ask: Ask) -> Answer:
    """How loud the minutes of the last 24 hours were."""
    source, page = known_source(ask), ask.page
    until = page.clock.now().replace(second=0, microsecond=0)
    since = until - timedelta(days=1)
    dbfs: list[float | None] = [None] * DAY_MINUTES
    dba = dbfs.copy()
    muted: list[bool] = [False] * DAY_MINUTES
    if page.keeps_history():
        with page.history() as history:
            found = minutes_of(history, since, until - timedelta(minutes=1), source)
            muted = muted_minutes(history, since, DAY_MINUTES, source)
        for level in found:
            place = (level.started_at - since) // timedelta(minutes=1)
            dbfs[place] = level.laeq_dbfs
            dba[place] = None if level.laeq_dba is None else round(level.laeq_dba, 1)
    return LoudnessView(since=page.time.iso(since), laeq_dbfs=dbfs, laeq_dba=dba, muted=muted)


def scope(ask: Ask) -> Answer:
    """A live spectrogram. Everybody who looks at the page sees that somebody looks, and so does the log."""
    source = known_source(ask)
    if ask.page.scopes.watching(source) >= MOST_SCOPES:
        raise Refusal(503, "too many people look at this source; try again later", {"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_columns(ask, source), headers=headers, media_type="application/octet-stream")


async def _columns(ask: Ask, source: str) -> AsyncIterator[bytes]:
    page = ask.page
    viewer: Viewer = page.scopes.join(source, asyncio.get_running_loop())
    _show_watching(ask, source)
    log.info("somebody looks live at a source", source=source, by=ask.by)
    try:
        async for columns in _while_allowed(ask, viewer):
            yield columns
    finally:
        page.scopes.leave(viewer)
        _show_watching(ask, source)


def audio(ask: Ask) -> Answer:
    """The sound of a source as it comes, 16-bit at 16 kHz, where the configuration allows it. Everybody who
    looks at the page sees that somebody listens; the log and MQTT have it, too."""
    source = known_source(ask)
    if not ask.page.config.live_audio:
        raise Refusal(409, "nobody may listen live; `web: {live_audio: true}` would allow it")
    if ask.page.audio.listening(source) >= MOST_SCOPES:
        raise Refusal(503, "too many people listen to this source; try again later", {"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_sound(ask, source), headers=headers, media_type="application/octet-stream")


async def _sound(ask: Ask, source: str) -> AsyncIterator[bytes]:
    page = ask.page
    listener = page.audio.join(source, asyncio.get_running_loop())
    _show_watching(ask, source)
    log.warning("somebody listens live to a source", source=source, by=ask.by)
    try:
        async for samples in _while_allowed(ask, listener):
            yield samples
    finally:
        page.audio.leave(listener)
        _show_watching(ask, source)


async def _while_allowed(ask: Ask, viewer: Viewer) -> AsyncIterator[bytes]:
    """What comes, until the page closes or the session has ended."""
    page = ask.page
    checked_s = page.clock.monotonic_s()
    while not page.closing:
        if part := await viewer.take(LOOK_AROUND_S):
            yield part
        if page.clock.monotonic_s() - checked_s > RIGHTS_EVERY_S:
            checked_s = page.clock.monotonic_s()
            if await ask.has_left():
                return


def _show_watching(ask: Ask, source: str) -> None:
    data: dict[str, Any] = {
        "source": source,
        "watched": ask.page.scopes.watching(source),
        "listened": ask.page.audio.listening(source),
    }
    ask.page.feed.post(FeedItem(0, "watched", data))


ROUTES = (
    Route("GET", "api/sources/{name}/scope", "What a source sounds like at this moment", scope, "hear",
          answer="application/octet-stream", waits=False, fails=(404, 503)),
    Route("GET", "api/sources/{name}/audio", "The sound of a source as it comes", audio, "change",
          answer="application/octet-stream", waits=False, fails=(404, 409, 503)),
    Route("GET", "api/sources/{name}/drift", "Level and floor over fourteen days", drift, answer=DriftView,
          fails=(404,)),
    Route("GET", "api/sources/{name}/loudness", "How loud each minute of a day was", loudness,
          answer=LoudnessView, fails=(404,)),
)  # fmt: skip
