"""Datagrams in their order: each once, late ones within a small window, the rest is lost."""

from collections.abc import Iterator

from monitor.sources.udp.wire import SoundDatagram

WINDOW = 8
"""Datagrams that are waited for behind one that is missing. Chosen: 160 ms of 20 ms each; networks that
reorder do it by one or two, and an alarm must not wait longer for what is lost anyway."""
WINDOW_S = 0.25
"""The same in time, for a sender that pauses."""


class Order:
    """One session. Pure; seconds of any clock."""

    def __init__(self) -> None:
        self.lost = 0
        """Datagrams that never came, or came too late."""
        self.repeated = 0
        """Datagrams that came again, or too late: they are never heard."""
        self._next = 0
        self._held: dict[int, tuple[SoundDatagram, float]] = {}
        """By sequence number, with its arrival."""

    @property
    def highest(self) -> int:
        """The highest sequence number so far."""
        return max(self._held, default=self._next - 1)

    def push(self, sound: SoundDatagram, now_s: float) -> Iterator[SoundDatagram]:
        """What can be heard with this."""
        if sound.sequence < self._next or sound.sequence in self._held:
            self.repeated += 1
            return
        self._held[sound.sequence] = sound, now_s
        yield from self._follow()
        if len(self._held) > WINDOW:
            yield from self._skip()

    def due(self, now_s: float) -> Iterator[SoundDatagram]:
        """What has waited long enough for what is missing before it."""
        while self._held and now_s - self._held[min(self._held)][1] >= WINDOW_S:
            yield from self._skip()

    def _skip(self) -> Iterator[SoundDatagram]:
        first = min(self._held)
        self.lost += first - self._next
        self._next = first
        yield from self._follow()

    def _follow(self) -> Iterator[SoundDatagram]:
        while self._next in self._held:
            yield self._held.pop(self._next)[0]
            self._next += 1
