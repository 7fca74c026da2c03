"""A network stream: a camera's RTSP, or anything else that FFmpeg reads from the network."""

import math
from collections.abc import Iterator
from concurrent.futures import CancelledError
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field

from monitor.audio import Piece
from monitor.clock import Clock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.logs import Lapse, get_logger
from monitor.schema import Secret
from monitor.sources.base import AnySourceConfig, Source
from monitor.sources.inbox import Arrival, Inbox
from monitor.sources.stream.connection import NO_ANSWER, PROTOCOLS, StreamConnection
from monitor.sources.stream.reader import Packet, StreamReader
from monitor.sources.timing.live import LiveFramer
from monitor.sources.timing.rate import Surplus
from monitor.sources.timing.timekeeper import Instant

log = get_logger()

DRIFT_WINDOW_S = 20.0
"""Longer than the pieces in which HLS arrives."""
INBOX_PACKETS = 1000
LEAVE_S = 0.5
"""How long leaving waits for the reader's thread; a stalled one ends by itself, after its timeout."""


def _check_url(url: Secret) -> Secret:
    """The error does not carry the address, which may hold a password."""
    try:
        parts = urlsplit(url.get_secret_value())
        # An @ after a # or a / is the end of a password: the host would be taken from what stands before.
        is_cut = "@" in parts.fragment or ("@" in parts.netloc and "@" in parts.path)
        whole = not is_cut and parts.port != 0
        usable = whole and parts.scheme in PROTOCOLS and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            f"expected an address like rtsp://user:password@10.0.0.7:554/stream ({', '.join(PROTOCOLS)}); "
            "in the password write %40 for @, %3A for :, %2F for / and %23 for #"
        )
    return url


class StreamConfig(AnySourceConfig):
    """A stream of a camera or another network device: RTSP, RTSPS, HTTP, HTTPS, HLS, or MPEG-TS over UDP."""

    model_config = ConfigDict(hide_input_in_errors=True)

    type: Literal["stream"]
    url: Annotated[Secret, AfterValidator(_check_url)]
    """Address, with user name and password if needed. Write `${NAME}` for the secret part."""
    transport: Literal["tcp", "udp"] = "tcp"
    """Transport of RTSP. UDP loses packets on a busy network."""
    verify_tls: bool = True
    """true: an rtsps or https server must show a valid certificate. Many cameras cannot."""
    ca_file: Path | None = None
    """File (PEM) of the authority that signed the server's certificate. By default the system's
    authorities."""
    connect_timeout_s: Annotated[float, Field(ge=1, le=60)] = 10.0
    silent_after_s: Annotated[float, Field(ge=1, le=120)] = 10.0
    """Without sound for this time the stream counts as lost, even if the connection is good."""
    track: Annotated[int, Field(ge=1, le=64)] | None = None
    """Number of the only sound track to listen to, from 1. By default the track that is not silent."""
    sample_rate_hz: Literal["auto"] | Annotated[int, Field(ge=4_000, le=192_000)] = "auto"
    """`auto` uses the announced rate, or the measured rate if it differs: some cameras announce 8 kHz and
    send 16. A number is used whatever the stream announces."""

    @property
    def origin(self) -> str:
        """As a digest: a path or query may hold a key."""
        parts = urlsplit(self.url.get_secret_value())
        place = (parts.scheme, parts.hostname, parts.port, parts.path, parts.query, self.track)
        return f"stream {sha256(repr(place).encode()).hexdigest()[:16]}"

    def build(self, clock: Clock) -> "StreamSource":
        connection = StreamConnection(
            self.name,
            self.url,
            transport=self.transport,
            verify_tls=self.verify_tls,
            ca_file=self.ca_file,
            connect_timeout_s=self.connect_timeout_s,
            read_timeout_s=self.silent_after_s,
            track=self.track,
        )
        return StreamSource(self, connection, clock)


class StreamSource(Source):
    """Listens to a network stream until it is closed or lost. See Source; `close` is for good."""

    def __init__(self, config: StreamConfig, connection: StreamConnection, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._connection = connection
        self._clock = clock
        self._closed = Event()
        self._inbox: Inbox[Packet] = Inbox(INBOX_PACKETS)
        self._reader: StreamReader | None = None
        self._true_rates_hz: dict[int, int] = {}
        self._framer = self._new_framer()
        self._surplus = Surplus()
        self._lapse = Lapse(
            "the source sends more sound than time passes; is it a recording, or its sample rate wrong?",
            "the source sends as much sound as time passes again",
        )
        self._heard_any = False
        self._overflows_before = 0

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

    @property
    def surplus(self) -> float:
        return self._surplus.times

    def __enter__(self) -> Self:
        self._overflows_before = self.overflows
        self._inbox = Inbox(INBOX_PACKETS)
        self._framer = self._new_framer()
        self._surplus = Surplus()
        self._heard_any = False
        reader = StreamReader(
            self.name,
            self._connection.open,
            self._clock,
            self._inbox,
            self._config.track,
            lambda: self.calm_below,
        )
        self._reader = reader
        if self._closed.is_set():
            self.close()
        reader.start()
        try:
            # FFmpeg has a timeout for each of its several steps; this is for when it does not keep to them.
            reader.opened.result(4 * self._config.connect_timeout_s)
        except CancelledError:
            log.debug("closed while opening", source=self.name)
        except TimeoutError:
            reader.stop()
            raise SourceUnavailable(
                f"{self.name}: {NO_ANSWER} (the stream cannot be opened: no answer)",
                why="nobody",
            ) from None
        return self

    def __exit__(self, *exc: object) -> None:
        reader, self._reader = self._reader, None
        self._framer.close()
        self._inbox.close()
        if reader is not None:
            reader.stop()
            reader.join(LEAVE_S)

    def close(self) -> None:
        self._closed.set()
        self._inbox.close()
        if (reader := self._reader) is not None:
            reader.stop()

    def pieces(self) -> Iterator[Piece]:
        """See Source.pieces."""
        try:
            framed_s: float | None = None
            while (arrival := self._next()) is not None:
                at_s = arrival.at.monotonic_s
                pieces = self._framed(arrival)
                yield from pieces
                framed_s = self._checked(pieces, at_s if framed_s is None else framed_s, at_s)
        except SourceLost:
            yield from self._framer.finish()
            raise

    def _checked(self, pieces: list[Piece], framed_s: float, now_s: float) -> float:
        """When a frame was complete last. Raises SourceLost for sound that never makes one."""
        if not pieces and now_s - framed_s > self._config.silent_after_s:
            raise SourceLost(f"{self.name}: its sound comes in crumbs too short to be heard")
        return now_s if pieces else framed_s

    def _new_framer(self) -> LiveFramer:
        is_given = self._config.sample_rate_hz != "auto"
        return LiveFramer(self.name, DRIFT_WINDOW_S, None if is_given else self._true_rates_hz)

    def _framed(self, arrival: Arrival[Packet]) -> list[Piece]:
        packet, given_hz = arrival.block, self._config.sample_rate_hz
        rate_hz = packet.sample_rate_hz if given_hz == "auto" else given_hz
        if arrival.follows_gap or math.isinf(packet.missing_s):
            self._framer.gap()
        elif packet.missing_s:
            self._framer.gap(packet.missing_s)
        pieces = self._framer.push(packet.samples, rate_hz, arrival.at)
        self._count(len(packet.samples) / self._true_rates_hz.get(rate_hz, rate_hz), arrival.at)
        return pieces

    def _count(self, duration_s: float, arrived: Instant) -> None:
        self._surplus.push(duration_s, arrived.monotonic_s)
        if self._surplus.times > 1:
            self._lapse.begin(source=self.name, times_real_time=round(self._surplus.times, 1))
        else:
            self._lapse.end(source=self.name)

    def _next(self) -> Arrival[Packet] | None:
        silent_s = self._config.silent_after_s
        try:
            arrival = self._inbox.get(silent_s)
        except TimeoutError:
            self._doubt()
            raise SourceLost(f"{self.name}: no sound for {silent_s:.0f} s, although connected") from None
        except SourceLost:
            self._doubt()
            raise
        self._heard_any = True
        return arrival

    def _doubt(self) -> None:
        if not self._heard_any:
            self._connection.ask_for_everything("no sound came")
