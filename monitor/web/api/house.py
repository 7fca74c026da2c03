"""The house as a whole: what it has, how it is, what happens."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any, Literal

import anyio.to_thread
from pydantic import Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from monitor.config.capabilities import in_force
from monitor.config.loading import BUILT_IN
from monitor.events.settings import shifted
from monitor.labels import LIFE_SAFETY, sounds, vocabulary
from monitor.types import Alert, SoundEvent
from monitor.web.api.sources import SourceView, source_views
from monitor.web.feed import RESET, FeedItem
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.trying.asking import model_to_ask
from monitor.web.views import feed_data

HEARTBEAT_S = 15.0
RIGHTS_EVERY = 4
"""After so many quiet heartbeats it is looked whether the session still holds."""
MOST_VIEWERS = 256
RETRY_MS = 2000
CATCH_UP = 2000


class LabelView(Model):
    """A sound that has a name here."""

    id: str
    severity: Literal["info", "warning", "critical"]
    life_safety: bool


class FeedQuery(Model):
    """Where to go on."""

    after: Annotated[str, Field(pattern=r"^\d{0,17}$")] = ""
    """The id of the last message that came; the header `Last-Event-ID`, which browsers send, goes before."""


class HouseView(Model):
    """What there is to hear and who may do what."""

    node: str
    version: str
    zone: str
    """Of the tz database; every time is shown in it."""
    now: str
    sources: list[SourceView]
    labels: list[LabelView]
    may_change: bool
    may_hear: bool
    may_listen: bool
    """Whether a source can be listened to live."""
    may_ask: bool
    """Whether a large model can be asked about a clip."""
    name: str
    keeps: dict[str, Any]
    """What is kept of a sound, and for how long."""
    is_set_up: bool
    """Whether somebody wrote a configuration; otherwise the page opens at its set-up."""
    is_demo: bool
    """Whether all that is heard is the built-in scene, in which nothing is real."""
    has_nodes: bool
    """Whether the other nodes on the broker are shown, too (`api/nodes`)."""
    not_well: list[str]
    """What has stopped moving, or is missing; in the daemon's words."""


def house(ask: Ask) -> Answer:
    """Everything that the page needs to begin."""
    page = ask.page
    wrong = page.board.health.values if page.board.health else {}
    may_change = ask.visitor is not None and ask.visitor.may_change
    notes = [f"{name}: {why}" for name, why in wrong.get("notes", {}).items()]
    return HouseView(
        node=page.house.node,
        version=page.house.version,
        zone=page.time.name,
        now=page.time.iso(page.clock.now()),
        sources=source_views(ask),
        labels=[
            LabelView(id=id, severity=vocabulary()[id].severity_default, life_safety=id in LIFE_SAFETY)
            for id in sounds()
        ],
        may_change=may_change,
        may_hear=ask.visitor is not None and page.may_hear(ask.visitor),
        may_listen=may_change and page.config.live_audio,
        may_ask=may_change and page.config.ask_model and model_to_ask(page.whole) is not None,
        name=ask.visitor.name if ask.visitor else "",
        keeps=_keeps(ask),
        is_set_up=page.whole.file is not None,
        is_demo=page.whole.file in (None, BUILT_IN) and all(one.type == "demo" for one in page.whole.sources),
        has_nodes=page.nodes is not None,
        not_well=[*(line for kind in ("stalled", "stuck") for line in wrong.get(kind, ())), *notes],
    )


def _keeps(ask: Ask) -> dict[str, Any]:
    config = ask.page.whole
    evidence = config.evidence
    return {
        "history_days": config.history_days,
        "clips": evidence.clips,
        "pictures": evidence.pictures,
        "clip_days": evidence.keep_days,
        "no_speech": evidence.no_speech,
        "mask_speech": evidence.mask_speech,
    }


def feed(ask: Ask) -> Answer:
    """Everything that happens, as it happens. With `Last-Event-ID` what was missed comes first."""
    page = ask.page
    if page.feed.readers >= MOST_VIEWERS:
        raise Refusal(503, "too many people look at the page; try again later", {"Retry-After": "30"})
    last = ask.request.headers.get("last-event-id") or ask.query.after
    since = int(last) if last.isdigit() and len(last) < 18 else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(ask, since), headers=headers, media_type="text/event-stream")


async def _stream(ask: Ask, since: int | None) -> AsyncIterator[bytes]:
    page = ask.page
    reader = page.feed.join()
    try:
        yield f"retry: {RETRY_MS}\n: {page.house.node}\n\n".encode()
        last_number = since or 0
        for item in await _missed(ask, since):
            last_number = max(last_number, item.number)
            yield item.encoded
        quiet = 0
        while not page.closing:
            items = await reader.take(HEARTBEAT_S)
            if reader.overrun:
                reader.overrun = False
                yield FeedItem(0, RESET, {}).encoded
            fresh = [item for item in items if not item.number or item.number > last_number]
            if fresh:
                yield b"".join(item.encoded for item in fresh)
            elif not items:
                quiet += 1
                yield b": still here\n\n"
                if quiet % RIGHTS_EVERY == 0 and await ask.has_left():
                    return
    finally:
        page.feed.leave(reader)


async def _missed(ask: Ask, since: int | None) -> list[FeedItem]:
    if since is None:
        return []
    page = ask.page
    later, whole = page.feed.since(since)
    if whole or not page.keeps_history():
        return later
    first = later[0].number if later else None
    return [*await anyio.to_thread.run_sync(partial(_kept, ask, since, first)), *later]


def _kept(ask: Ask, since: int, until: int | None) -> list[FeedItem]:
    """What the history has of what was missed."""
    with ask.page.history() as history:
        found = history.decided_after(since, CATCH_UP)
    return [
        FeedItem(
            number, "alert" if isinstance(message, Alert) else "event", feed_data(message, ask.page.time)
        )
        for number, message in found
        if (until is None or number < until) and isinstance(message, SoundEvent | Alert)
    ]


def health(ask: Ask) -> Answer:
    """For watchdogs: a bare 200 while everything moves, 503 otherwise. Whoever may look sees more."""
    well = ask.page.board.is_well
    status = 200 if well else 503
    if ask.visitor is None:
        return Response(status_code=status)
    known = ask.page.board.health
    values = {"at": ask.page.time.iso(known.at), **known.values} if known else {}
    return JSONResponse({"well": well, **values}, status)


def metrics(ask: Ask) -> Answer:
    """For Prometheus."""
    from monitor.web.metrics import CONTENT_TYPE, exposition

    return Response(exposition(ask.page), media_type=CONTENT_TYPE)


def thresholds_of(ask: Ask) -> dict[str, dict[str, float]]:
    """Onset of each label by source, with the sensitivity in force."""
    rows = in_force(ask.page.whole)
    known = ask.page.board.sources()
    return {
        source: {
            label: round(shifted(row, float(known.get(source, {}).get("sensitivity", 0.0))).onset, 4)
            for label, row in each.items()
        }
        for source, each in rows.items()
    }


ROUTES = (
    Route("GET", "api/house", "What there is to hear", house, answer=HouseView, waits=False),
    Route("GET", "api/feed", "What happens, as it happens", feed, query=FeedQuery,
          answer="text/event-stream", waits=False, fails=(503,)),
    Route("GET", "api/health", "Whether everything moves", health, "nobody", answer="application/json",
          waits=False, fails=(503,)),
    Route("GET", "metrics", "Figures for Prometheus", metrics, answer="text/plain", waits=False),
)  # fmt: skip
