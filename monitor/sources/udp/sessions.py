"""Who may speak: strangers are turned away, and a session of before cannot be played again."""

import os
from collections import Counter
from dataclasses import dataclass

from monitor.sources.udp.wire import (
    HELLO,
    NUMBER_BYTES,
    SOUND,
    SessionKeys,
    SoundDatagram,
    SourceKey,
    kind,
    tag_of,
)

MOST_BEGUN = 64
"""Sessions that were begun and in which nothing was heard. Whoever recorded hellos can send them again; each
is answered, and costs a hundred bytes here."""
RATES_HZ = (8_000, 48_000)


@dataclass(frozen=True, slots=True)
class ReplyDatagram:
    """To be sent back to where the datagram came from."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class SessionSound:
    """Sound of the session; `begins` where it is the first of a new one."""

    sound: SoundDatagram
    sample_rate_hz: int
    begins: bool


class Sessions:
    """One source's senders. No socket, no clock; one thread.

    A session begins with its first sound, not with a hello: nobody without the source's key can speak in the
    session that a recorded hello leads to, and the session that goes on is not disturbed.
    """

    def __init__(self, key: bytes) -> None:
        self._key = SourceKey(key)
        self._begun: dict[bytes, tuple[bytes, SessionKeys]] = {}
        self._current: SessionKeys | None = None
        self.ignored: Counter[str] = Counter()
        """Datagrams that were not taken: `strangers` are made without the key, or of a former session."""
        self.count = 0
        """Sessions in which something was heard."""

    def take(self, datagram: bytes) -> ReplyDatagram | SessionSound | None:
        """What follows from a datagram; None after counting it."""
        found = kind(datagram)
        taken = self._greet(datagram) if found == HELLO else self._hear(datagram) if found == SOUND else None
        if taken is None:
            self.ignored["strangers"] += 1
        return taken

    def received(self, sequence: int) -> bytes | None:
        """The confirmation for the sender, of the sound heard so far."""
        return None if self._current is None else self._current.received(sequence)

    def _greet(self, datagram: bytes) -> ReplyDatagram | None:
        hello = self._key.hello(datagram)
        if hello is None:
            return None
        low, high = RATES_HZ
        if not low <= hello.sample_rate_hz <= high:
            self.ignored["rates"] += 1
            return None
        if hello.number not in self._begun:
            ours = os.urandom(NUMBER_BYTES)
            session = self._key.session(hello.number, ours, hello.sample_rate_hz)
            self._begun[hello.number] = ours, session
            if len(self._begun) > MOST_BEGUN:
                del self._begun[next(iter(self._begun))]
        return ReplyDatagram(self._key.challenge(hello.number, self._begun[hello.number][0]))

    def _hear(self, datagram: bytes) -> SessionSound | None:
        tag, current = tag_of(datagram), self._current
        if current is not None and tag == current.tag:
            sound = current.sound(datagram)
            return None if sound is None else SessionSound(sound, current.sample_rate_hz, begins=False)
        for number, (_, session) in self._begun.items():
            if tag == session.tag and (sound := session.sound(datagram)) is not None:
                del self._begun[number]
                self._current = session
                self.count += 1
                return SessionSound(sound, session.sample_rate_hz, begins=True)
        return None
