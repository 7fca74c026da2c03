"""A microphone elsewhere on the network that sends its sound in encrypted datagrams."""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from threading import Event
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from monitor.audio import Piece
from monitor.clock import Clock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.logs import get_logger
from monitor.schema import Port, Secret
from monitor.sources.base import PIECE_S, AnySourceConfig, Source
from monitor.sources.timing.timekeeper import Instant
from monitor.sources.udp.receiver import Datagram, UdpReceiver
from monitor.sources.udp.wire import LARGEST_BYTES

log = get_logger()

BUFFER_BYTES = 1 << 20
"""Of the socket: half a minute of sound while this thread waits for the processor."""
MOST_AT_ONCE = 1000
"""Datagrams taken before what was heard is handed on: a flood of strangers' must not hold it up."""
MISSING_EXTRA = "`type: udp` needs the package cryptography: pip install 'earwitness[udp]'"
_KEY = re.compile(r"[0-9a-fA-F]{64}")


def _check_key(key: Secret) -> Secret:
    """The error does not carry the key."""
    if not _KEY.fullmatch(key.get_secret_value()):
        raise ValueError(
            "a key is 64 hexadecimal digits; make one with `openssl rand -hex 32`, put it into a file in "
            "`credentials/`, and write its name as ${NAME}"
        )
    return key


class UdpConfig(AnySourceConfig):
    """A microphone elsewhere on the network. It sends its sound in encrypted datagrams, with
    `scripts/send-microphone` or a program of your own."""

    type: Literal["udp"]
    key: Annotated[Secret, AfterValidator(_check_key)]
    """The secret key of this source and its sender: 64 hexadecimal digits. Each source needs its own."""
    host: str = "0.0.0.0"  # noqa: S104 - who has not the key is ignored
    """Address of this machine on which the source waits for the sender. `0.0.0.0`: all addresses. `::`:
    also those of IPv6."""
    port: Port = 47800
    """Port on which the source waits. Each source needs its own."""
    silent_after_s: Annotated[float, Field(ge=1, le=120)] = 10.0
    """Without sound for this time the source counts as lost."""

    def build(self, clock: Clock) -> "UdpSource":
        return UdpSource(self, clock)


class UdpSource(Source):
    """Waits for one sender at a time until it is closed. See Source; `close` is for good.

    Its thread sleeps for the length of a piece, then takes what the socket holds. Sessions outlast a loss: a
    sender that was only away for a while goes on.
    """

    def __init__(self, config: UdpConfig, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._clock = clock
        self._closed = Event()
        self._socket: socket.socket | None = None
        self._receiver: UdpReceiver | None = None

    @property
    def patience_s(self) -> float:
        return self._config.silent_after_s

    @property
    def drift_ppm(self) -> float:
        return self._receiver.framer.drift_ppm if self._receiver else 0.0

    @property
    def clock_offset_s(self) -> float:
        return self._receiver.framer.clock_offset_s if self._receiver else 0.0

    @property
    def network(self) -> Mapping[str, float]:
        return self._receiver.figures if self._receiver else {}

    @property
    def port(self) -> int:
        """Where it waits, while it is open."""
        assert self._socket is not None
        found: int = self._socket.getsockname()[1]
        return found

    def __enter__(self) -> Self:
        if find_spec("cryptography") is None:
            raise SourceUnavailable(f"{self.name}: {MISSING_EXTRA}", refused=True)
        if self._receiver is None:
            self._receiver = UdpReceiver(self.name, bytes.fromhex(self._config.key.get_secret_value()))
        self._receiver.open_anew()
        self._socket = self._opened()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._receiver is not None:
            self._receiver.framer.close()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        self._closed.set()

    def pieces(self) -> Iterator[Piece]:
        """See Source.pieces."""
        receiver = self._receiver
        assert receiver is not None
        heard_s = self._clock.monotonic_s()
        while not self._closed.wait(PIECE_S):
            before = receiver.datagrams
            yield from receiver.take(self._waiting(), Instant.of(self._clock))
            self._answer(receiver)
            now_s = self._clock.monotonic_s()
            if receiver.datagrams > before:
                heard_s = now_s
            elif now_s - heard_s > self._config.silent_after_s:
                yield from receiver.framer.finish()
                raise SourceLost(f"{self.name}: {self._why_silent(receiver)}")

    def _opened(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._config.host else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            opened.setblocking(False)
            opened.bind((self._config.host, self._config.port))
        except OSError as error:
            opened.close()
            where = f"{self._config.host}, port {self._config.port}"
            raise SourceUnavailable(
                f"{self.name}: cannot wait on {where} ({error.strerror}); "
                "is the port used by another program?"
            ) from None
        return opened

    def _waiting(self) -> Iterator[Datagram]:
        """What the socket holds."""
        assert self._socket is not None
        for _ in range(MOST_AT_ONCE):
            try:
                yield self._socket.recvfrom(LARGEST_BYTES + 1)
            except BlockingIOError:
                return
            except OSError as error:  # an answer of ours found nobody
                log.debug("a datagram could not be received", source=self.name, error=error.strerror)

    def _answer(self, receiver: UdpReceiver) -> None:
        assert self._socket is not None
        for datagram, to in receiver.answers:
            with suppress(OSError):  # it asks again, or is gone
                self._socket.sendto(datagram, to)
        receiver.answers.clear()

    def _why_silent(self, receiver: UdpReceiver) -> str:
        text = f"no sound from its sender for {self._config.silent_after_s:.0f} s"
        where = f"port {self._config.port} of this machine"
        if not receiver.datagrams and receiver.ignored.get("rates"):
            return f"{text}; it announces a sample rate that is not from 8 to 48 kHz"
        if not receiver.datagrams and receiver.ignored.get("strangers"):
            return f"{text}; what came to {where} was made with another key"
        return f"{text}; is it on, and does it send to {where}?"
