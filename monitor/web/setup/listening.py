"""A source is opened for ten seconds, its level shown as it moves, and judged."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from monitor.audio import Piece
from monitor.clock import Clock
from monitor.errors import SourceError, SourceUnavailable
from monitor.logs import get_logger
from monitor.sources import SourceConfig
from monitor.sources.base import Source
from monitor.types import Frame
from monitor.web.setup.judging import LISTEN_S, SetupJudge

log = get_logger()

MOST = 8
"""Sources that are tried at once: each is a process or a connection."""
EVERY_FRAMES = 5
"""Of 30 ms: the meter moves seven times a second."""
GIVE_UP_S = 60.0
"""What opening a slow camera and hearing it may take in all."""
Say = Callable[[dict[str, Any] | None], None]
"""Takes what there is to show; None: that was the last."""


class Trials:
    """Sources that are tried out. `hear` is called in each running source's own thread; while nobody tries
    that source it costs one look-up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running = 0
        self._taps: dict[str, tuple[_Meter, ...]] = {}

    @property
    def is_full(self) -> bool:
        """Whether so many are tried that another has to wait."""
        return self._running >= MOST

    def hear(self, piece: Piece) -> None:
        """The next frames of a source that runs."""
        for meter in self._taps.get(piece.source, ()):
            for frame in piece.frames():
                meter.push(frame)

    async def running(self, source: str) -> AsyncIterator[dict[str, Any]]:
        """Try a source that the daemon listens to already: nothing is opened a second time."""
        said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        meter = _Meter(_sayer(said))
        self._taps[source] = (*self._taps.get(source, ()), meter)
        try:
            async for document in self._said(said):
                yield document
        finally:
            self._taps[source] = tuple(one for one in self._taps[source] if one is not meter)

    async def opened(self, block: SourceConfig) -> AsyncIterator[dict[str, Any]]:
        """Open a source and try it; it is closed when nobody takes the next line any more."""
        said: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        source: Source = block.build(self._clock)
        thread = threading.Thread(target=_hear, args=(source, _sayer(said)), name="trial", daemon=True)
        thread.start()
        try:
            async for document in self._said(said):
                yield document
        finally:
            source.close()

    async def _said(self, said: asyncio.Queue[dict[str, Any] | None]) -> AsyncIterator[dict[str, Any]]:
        self._running += 1
        try:
            async with asyncio.timeout(GIVE_UP_S):
                while (document := await said.get()) is not None:
                    yield document
        except TimeoutError:
            yield {"problem": "no sound came in a minute"}
        finally:
            self._running -= 1


def _sayer(said: asyncio.Queue[dict[str, Any] | None]) -> Say:
    loop = asyncio.get_running_loop()

    def say(document: dict[str, Any] | None) -> None:
        with suppress(RuntimeError):  # the loop has just ended
            loop.call_soon_threadsafe(said.put_nowait, document)

    return say


def _hear(source: Source, say: Say) -> None:
    """In a thread of its own."""
    meter = _Meter(say)
    try:
        with source:
            for frame in source.frames():
                if meter.push(frame):
                    break
    except SourceError as error:
        why = error.why if isinstance(error, SourceUnavailable) else ""
        say({"problem": str(error).removeprefix(f"{source.name}: "), "why": why})
    except Exception:
        log.exception("a source could not be tried")
        say({"problem": "this is a bug of earwitness; its log has the traceback"})
    say(None)


class _Meter:
    """Levels as they come, and at last the judgement."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._judge = SetupJudge()
        self._loudest_dbfs = -120.0
        self._frames = 0

    def push(self, frame: Frame) -> bool:
        """Whether that was enough."""
        wanted = round(LISTEN_S / frame.audio.duration_s)
        if self._frames >= wanted:
            return True
        self._loudest_dbfs = max(self._loudest_dbfs, self._judge.push(frame))
        self._frames += 1
        if self._frames % EVERY_FRAMES == 0:
            self._say({"level_dbfs": round(self._loudest_dbfs, 1), "part": round(self._frames / wanted, 3)})
            self._loudest_dbfs = -120.0
        if self._frames < wanted:
            return False
        self._say(
            {
                "judged": self._judge.verdict(),
                "floor_dbfs": round(self._judge.floor_dbfs, 1),
                "loudest_dbfs": round(self._judge.loudest_dbfs, 1),
            }
        )
        self._say(None)
        return True
