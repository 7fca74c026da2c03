"""A Wyoming satellite or microphone program that connects to us and streams its sound.

Protocol: https://github.com/OHF-Voice/wyoming (package `wyoming`, MIT). It knows no encryption, no password.
"""

from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextlib import suppress
from importlib.util import find_spec
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from monitor.audio import Piece
from monitor.clock import Clock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.logs import get_logger
from monitor.schema import Port
from monitor.sources.base import AnySourceConfig, Source
from monitor.sources.inbox import Inbox
from monitor.sources.mixing import Mixer
from monitor.sources.timing.live import LiveFramer
from monitor.sources.timing.timekeeper import Instant

if TYPE_CHECKING:
    import asyncio

    from wyoming.event import Event as Message

log = get_logger()

DRIFT_WINDOW_S = 20.0
OPEN_S = 30.0
LEAVE_S = 0.5
INBOX_CHUNKS = 1000
LARGEST_BYTES = 1 << 20
"""Of one part of a message: anyone on the network can announce gigabytes, and the package would take them."""
RATES_HZ = (4_000, 192_000)
MOST_CHANNELS = 16
MISSING_EXTRA = "`type: wyoming` needs the package wyoming: pip install 'earwitness[wyoming]'"
_FORMATS = {2: "<i2", 4: "<i4"}
_MALFORMED = (KeyError, AttributeError, TypeError, ValueError, EOFError, OSError, RecursionError)


class WyomingConfig(AnySourceConfig):
    """A Wyoming satellite or microphone program. It connects to earwitness and streams its sound all the
    time."""

    type: Literal["wyoming"]
    host: str = "0.0.0.0"  # noqa: S104 - satellites are other machines
    """Address of this machine on which the source waits. Anyone who reaches it can send a sound, because
    the protocol has no password."""
    port: Port = 10750
    """Port on which the source waits. Each source needs its own."""
    silent_after_s: Annotated[float, Field(ge=1, le=120)] = 10.0
    """Without sound for this time the source counts as lost."""

    def build(self, clock: Clock) -> "WyomingSource":
        return WyomingSource(self, clock)


Chunk = tuple[npt.NDArray[Any], int]
"""Samples by channel, and their rate."""


class WyomingSource(Source):
    """Waits for a satellite until it is closed or lost; a newer connection takes the place of an older one.
    See Source; `close` is for good."""

    def __init__(self, config: WyomingConfig, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._clock = clock
        self._closed = Event()
        self._inbox: Inbox[Chunk] = Inbox(INBOX_CHUNKS)
        self._server: _Server | None = None
        self._overflows_before = 0
        self._begin()

    def _begin(self) -> None:
        self._framer = LiveFramer(self.name, DRIFT_WINDOW_S)
        self._mixer = Mixer(self.name)

    @property
    def patience_s(self) -> float:
        return self._config.silent_after_s

    @property
    def drift_ppm(self) -> float:
        return self._framer.drift_ppm

    @property
    def clock_offset_s(self) -> float:
        return self._framer.clock_offset_s

    @property
    def overflows(self) -> int:
        return self._overflows_before + self._inbox.overflows

    def __enter__(self) -> Self:
        if find_spec("wyoming") is None:
            raise SourceUnavailable(f"{self.name}: {MISSING_EXTRA}", refused=True)
        self._overflows_before = self.overflows
        self._inbox = Inbox(INBOX_CHUNKS)
        self._begin()
        server = self._server = _Server(self.name, self._config, self._inbox, self._clock)
        if self._closed.is_set():
            self.close()
        server.start()
        try:
            server.opened.result(OPEN_S)
        except CancelledError:
            log.debug("closed while opening", source=self.name)
        except TimeoutError:
            server.stop()  # or it would hold the port against the next attempt
            raise SourceUnavailable(f"{self.name}: it cannot be waited for (no answer)") from None
        return self

    def __exit__(self, *exc: object) -> None:
        server, self._server = self._server, None
        self._framer.close()
        self._inbox.close()
        if server is not None:
            server.stop()
            server.join(LEAVE_S)

    def close(self) -> None:
        self._closed.set()
        self._inbox.close()
        if (server := self._server) is not None:
            server.stop()

    def pieces(self) -> Iterator[Piece]:
        """See Source.pieces."""
        while True:
            try:
                arrival = self._inbox.get(self._config.silent_after_s)
            except TimeoutError:
                yield from self._framer.finish()
                where = f"port {self._config.port} of this machine"
                silent = f"no sound from a satellite for {self._config.silent_after_s:.0f} s"
                raise SourceLost(
                    f"{self.name}: {silent}; does it connect to {where}, and stream all the time?"
                ) from None
            if arrival is None:
                return
            if arrival.follows_gap:
                self._framer.gap()
            samples, rate_hz = arrival.block
            yield from self._framer.push(self._mixer.push(samples, rate_hz), rate_hz, arrival.at)


class _Server(Thread):
    """Takes connections, in a loop of its own, and puts what they stream into the inbox."""

    def __init__(self, name: str, config: WyomingConfig, inbox: Inbox[Chunk], clock: Clock) -> None:
        super().__init__(name=f"wyoming-{name}", daemon=True)
        self.opened: Future[None] = Future()
        self._source = name
        self._config = config
        self._inbox = inbox
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._stopped = False
        self._current: asyncio.StreamWriter | None = None

    def stop(self) -> None:
        """From any thread."""
        self._stopped = True
        self.opened.cancel()
        if self._loop is not None and self._over is not None:
            with suppress(RuntimeError):  # its loop has ended
                self._loop.call_soon_threadsafe(self._over.set)

    def run(self) -> None:
        import asyncio

        try:
            asyncio.run(self._serve())
        except OSError as error:
            where = f"{self._config.host}, port {self._config.port}"
            reason = f"cannot wait on {where} ({error.strerror}); is the port used by another program?"
            self._answer(SourceUnavailable(f"{self._source}: {reason}"))
        except Exception as error:  # noqa: BLE001 - a bug: raised by whoever takes from the inbox
            self._answer(error)
            self._inbox.end(error)

    def _answer(self, error: Exception | None = None) -> None:
        with suppress(InvalidStateError):
            if error is None:
                self.opened.set_result(None)
            else:
                self.opened.set_exception(error)

    async def _serve(self) -> None:
        import asyncio

        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._client, self._config.host, self._config.port)
        async with server:
            self._answer()
            if not self._stopped:
                await self._over.wait()
            if self._current is not None:
                self._current.close()

    async def _client(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> None:
        from wyoming.event import async_read_event

        if self._current is not None:
            self._current.close()
        self._current = writer
        peer = (writer.get_extra_info("peername") or ("",))[0]
        log.info("a satellite connects", source=self._source, satellite=peer)
        try:
            while (message := await async_read_event(_Bounded(reader))) is not None:  # type: ignore[arg-type]
                await self._take(message, writer)
        except _MALFORMED as error:
            log.debug("a satellite's connection broke", source=self._source, error=repr(error))
        finally:
            writer.close()

    async def _take(self, message: "Message", writer: "asyncio.StreamWriter") -> None:
        from wyoming.audio import AudioChunk
        from wyoming.event import async_write_event
        from wyoming.info import Describe, Info
        from wyoming.ping import Ping, Pong

        if AudioChunk.is_type(message.type):
            chunk = AudioChunk.from_event(message)
            self._inbox.put(_samples(chunk), Instant.of(self._clock), 0.0)
        elif Describe.is_type(message.type):
            await async_write_event(Info().event(), writer)
        elif Ping.is_type(message.type):
            await async_write_event(Pong(text=Ping.from_event(message).text).event(), writer)


def _samples(chunk: Any) -> Chunk:
    """Raises ValueError for what is no sound of ours."""
    low, high = RATES_HZ
    is_known = chunk.width in _FORMATS and low <= chunk.rate <= high
    if not is_known or not 1 <= chunk.channels <= MOST_CHANNELS:
        raise ValueError(f"{chunk.rate} Hz, {chunk.width} bytes, {chunk.channels} channels")
    whole = len(chunk.audio) // (chunk.width * chunk.channels) * chunk.width * chunk.channels
    interleaved = np.frombuffer(chunk.audio[:whole], _FORMATS[chunk.width])
    return interleaved.reshape(-1, chunk.channels).T, chunk.rate


class _Bounded:
    """A reader that takes no part of a message that is larger than any sound."""

    def __init__(self, reader: "asyncio.StreamReader") -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        return await self._reader.readline()

    async def readexactly(self, count: int) -> bytes:
        if count > LARGEST_BYTES:
            raise ValueError(f"{count} bytes")
        return await self._reader.readexactly(count)
