"""Sources: how each is, and what it sounds like at this moment."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import StreamingResponse

from monitor.logs import get_logger
from monitor.web.api.commands import known_source
from monitor.web.board import plain_times
from monitor.web.feed import Item
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.scope import Viewer

log = get_logger()

MOST_SCOPES = 16
RIGHTS_EVERY_S = 60.0
LOOK_AROUND_S = 1.0
"""So often a stream without sound looks whether the page closes."""


class SourceView(Model):
    """A source and how it is."""

    name: str
    type: str
    area: str | None
    labels: list[str]
    """What can be heard there."""
    online: bool | None
    """None until it was tried."""
    since: str | None = None
    reason: str
    problems: list[str]
    muted: bool
    muted_until: str | None = None
    """When it is heard again; None: when somebody says so."""
    sensitivity: float
    level_dbfs: float | None = None
    floor_dbfs: float | None = None
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
                labels=list(room.event_labels),
                online=state["online"],
                since=state["since"],
                reason=state["reason"],
                problems=state["problems"],
                muted=bool(state.get("mute", False)),
                muted_until=page.time.iso(until[room.source]) if room.source in until else None,
                sensitivity=float(state.get("sensitivity", 0.0)),
                level_dbfs=state.get("level_dbfs"),
                floor_dbfs=state.get("floor_dbfs"),
                sounding=state["sounding"],
                last=state.get("last"),
                lag_s=numbers.get("lag_s"),
                gaps=numbers.get("gaps"),
                overflows=numbers.get("overflows"),
                reconnects=numbers.get("reconnects"),
                watched=page.scopes.watching(room.source),
            )
        )
    return found


def scope(ask: Ask) -> Answer:
    """A live spectrogram. Everybody who looks at the page sees that somebody looks, and so does the log."""
    source = known_source(ask)
    if ask.page.scopes.watching(source) >= MOST_SCOPES:
        raise Refusal(503, "too many look at this source; try again later", {"Retry-After": "30"})
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_columns(ask, source), headers=headers, media_type="application/octet-stream")


async def _columns(ask: Ask, source: str) -> AsyncIterator[bytes]:
    page = ask.page
    viewer: Viewer = page.scopes.join(source, asyncio.get_running_loop())
    _show_watching(ask, source)
    log.info("somebody looks at a source live", source=source, by=ask.by)
    try:
        checked_s = page.clock.monotonic_s()
        while not page.closing:
            if columns := await viewer.take(LOOK_AROUND_S):
                yield columns
            if page.clock.monotonic_s() - checked_s > RIGHTS_EVERY_S:
                checked_s = page.clock.monotonic_s()
                if await ask.has_left():
                    return
    finally:
        page.scopes.leave(viewer)
        _show_watching(ask, source)


def _show_watching(ask: Ask, source: str) -> None:
    data: dict[str, Any] = {"source": source, "watched": ask.page.scopes.watching(source)}
    ask.page.feed.post(Item(0, "watched", data))


ROUTES = (
    Route("GET", "api/sources/{name}/scope", "What a source sounds like at this moment", scope, "hear",
          answer="application/octet-stream", waits=False, fails=(404, 503)),
)  # fmt: skip
