"""Datagrams in, pieces of sound out: order, holes, sessions and figures. No socket, no clock of its own."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from monitor.audio import Audio, Piece, Samples
from monitor.logs import get_logger
from monitor.sources.timing.live import LiveFramer
from monitor.sources.timing.timekeeper import Instant
from monitor.sources.udp.order import Order
from monitor.sources.udp.sessions import ReplyDatagram, Sessions, SessionSound
from monitor.sources.udp.wire import SoundDatagram

log = get_logger()

DRIFT_WINDOW_S = 20.0
FILLED_S = 0.25
"""Lost sound of up to this length becomes silence within the stretch: a gap would begin the alarm rhythms
anew. Longer, the frames after it follow a gap, dated by the sender's sample clock."""
CONFIRM_EVERY_S = 1.0
"""A sender that gets no confirmation for some seconds says hello again."""
FIGURES_EVERY_S = 10.0
LOG_AGAIN_AFTER_S = 600.0

Datagram = tuple[bytes, Any]
"""What came, and where from."""


class UdpReceiver:
    """Everything that was sent to one source. One thread."""

    def __init__(self, name: str, key: bytes) -> None:
        self.answers: list[Datagram] = []
        """To be sent; whoever sends empties it."""
        self.datagrams = 0
        """Of sound, by a sender with the key."""
        self._name = name
        self._sessions = Sessions(key)
        self._order = Order()
        self._before: Counter[str] = Counter()
        self._sender: Any = None
        self._rate_hz = 0
        self._expected: int | None = None
        self._began = 0
        self._confirmed_s = self._counted_s = self._logged_s = float("-inf")
        self._logged = 0
        self._bytes = 0
        self._kbit_s = 0.0
        self.open_anew()

    def open_anew(self) -> None:
        """The source was opened: what comes now is dated by its arrival."""
        self.framer = LiveFramer(self._name, DRIFT_WINDOW_S)
        self._expected = None

    @property
    def ignored(self) -> Mapping[str, int]:
        """Datagrams that were not taken, by reason."""
        return self._sessions.ignored

    @property
    def figures(self) -> dict[str, float]:
        """For the health report."""
        lost = self._before["lost"] + self._order.lost
        return {
            "kbit_s": round(self._kbit_s, 1),
            "datagrams": self.datagrams,
            "lost": lost,
            "lost_share": round(lost / max(1, self.datagrams + lost), 4),
            "repeated": self._before["repeated"] + self._order.repeated,
            "strangers": self._sessions.ignored["strangers"],
            "sessions": self._sessions.count,
        }

    def take(self, datagrams: Iterable[Datagram], at: Instant) -> list[Piece]:
        """What can be heard with these, which came until `at`."""
        pieces: list[Piece] = []
        parts: list[Samples] = []
        before = self.datagrams
        for heard in self._heard(datagrams, at.monotonic_s):
            if isinstance(heard, SessionSound):
                pieces += self._flush(parts, at)
                self._follow(heard)
                continue
            missing = 0 if self._expected is None else heard.clock - self._expected
            if 0 < missing <= FILLED_S * self._rate_hz:
                parts.append(np.zeros(missing, np.float32))
            elif missing:
                pieces += self._flush(parts, at)
                self.framer.gap(missing / self._rate_hz if missing > 0 else None)
            parts.append(Audio.from_pcm16(heard.pcm, self._rate_hz).samples)
            self._expected = heard.clock + len(heard.pcm) // 2
        if self.datagrams > before:
            self._confirm(at.monotonic_s)
        self._look(at.monotonic_s)
        return pieces + self._flush(parts, at)

    def _heard(self, datagrams: Iterable[Datagram], now_s: float) -> Iterator[SessionSound | SoundDatagram]:
        """Sound in its order; before the first of a session, the word that it begins."""
        for datagram, sender in datagrams:
            taken = self._sessions.take(datagram)
            if isinstance(taken, ReplyDatagram):
                self.answers.append((taken.datagram, sender))
            elif taken is not None:
                self._bytes += len(datagram)
                self.datagrams += 1
                self._sender = sender
                if taken.begins:
                    yield taken
                yield from self._order.push(taken.sound, now_s)
        yield from self._order.due(now_s)

    def _follow(self, first: SessionSound) -> None:
        """A new session: its sound is dated by its arrival."""
        if self._began:
            self.framer.gap()
        self._began += 1
        self._before.update(lost=self._order.lost, repeated=self._order.repeated)
        self._order = Order()
        self._rate_hz = first.sample_rate_hz
        self._expected = None
        sender = self._sender[0] if self._sender else None
        log.info("a sender begins", source=self._name, sender=sender, sample_rate_hz=self._rate_hz)

    def _flush(self, parts: list[Samples], at: Instant) -> list[Piece]:
        if not parts:
            return []
        samples = parts[0] if len(parts) == 1 else np.concatenate(parts)
        parts.clear()
        return self.framer.push(samples, self._rate_hz, at)

    def _confirm(self, now_s: float) -> None:
        if now_s - self._confirmed_s < CONFIRM_EVERY_S:
            return
        self._confirmed_s = now_s
        if (word := self._sessions.received(max(self._order.highest, 0))) is not None:
            self.answers.append((word, self._sender))

    def _look(self, now_s: float) -> None:
        """Figures, and a word in the log about strangers, seldom: anyone can send a million datagrams."""
        if now_s - self._counted_s >= FIGURES_EVERY_S:
            self._kbit_s = self._bytes * 8 / 1000 / (now_s - self._counted_s)
            self._counted_s, self._bytes = now_s, 0
        strangers = self._sessions.ignored["strangers"]
        if strangers > self._logged and now_s - self._logged_s >= LOG_AGAIN_AFTER_S:
            self._logged_s, self._logged = now_s, strangers
            log.warning(
                "datagrams with another key, or from an earlier session, are ignored",
                source=self._name,
                ignored_so_far=strangers,
            )
