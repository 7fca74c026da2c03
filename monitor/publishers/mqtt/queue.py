"""What is still to be said over a connection that comes and goes."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from enum import IntEnum

from monitor.types import Alert, SoundEvent

WINDOW = 100
"""Events and alerts that a publisher holds before it says that it is not ready."""


class Rank(IntEnum):
    """The order in which states are said to somebody who has heard nothing yet: what exists, how it is, and
    last that it is alive, so that no stale state shows as valid in between."""

    DOCUMENT = 0
    STATE = 1
    SOURCE_STATUS = 2
    NODE_STATUS = 3


@dataclass(slots=True, eq=False)
class Publication:
    """One event or alert on its way; `delivered` is called once, when it is acknowledged."""

    message: SoundEvent | Alert
    delivered: Callable[[], None]
    handed_at_s: float
    """By the monotonic clock: setting the other one makes nothing late or stale."""
    late: bool
    topic: str = ""
    refused: Callable[[], None] | None = None
    """Takes it back when its topic is refused; without it, it waits here."""
    place: int = field(default=0)
    sends: int = field(default=0)


class PublishQueue:
    """States, of which only the latest counts, and letters, which keep their order and are kept until they
    are acknowledged. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, tuple[Rank, bytes]] = {}
        self._unsaid: dict[str, bytes] = {}
        self._once: deque[tuple[str, bytes]] = deque()
        self._letters: deque[Publication] = deque()
        self._sent: dict[int, Publication] = {}
        self._places = itertools.count()

    def remember(self, topic: str, payload: bytes, rank: Rank) -> None:
        """Keep a retained state, and say it if it is news."""
        with self._lock:
            if self._states.get(topic) != (rank, payload):
                self._states[topic] = (rank, payload)
                self._unsaid[topic] = payload

    def say_before(self, topic: str, payload: bytes) -> None:
        """Say a payload once, and after it again what is remembered there."""
        with self._lock:
            self._once.append((topic, payload))
            if topic in self._states:
                self._unsaid[topic] = self._states[topic][1]

    def forget(self, topic: str) -> None:
        """No longer a state of ours: taken off the broker too."""
        with self._lock:
            self._states.pop(topic, None)
            self._unsaid[topic] = b""

    def knows(self, topic: str) -> bool:
        """Whether something is remembered there."""
        with self._lock:
            return topic in self._states

    def put(self, letter: Publication) -> None:
        """Keep a letter until it is acknowledged."""
        with self._lock:
            letter.place = next(self._places)
            self._letters.append(letter)

    def full(self) -> bool:
        """Whether the window is used up."""
        with self._lock:
            return len(self._letters) + len(self._sent) >= WINDOW

    def say_all_again(self) -> None:
        """Somebody may have forgotten every state."""
        with self._lock:
            ranked = sorted(self._states.items(), key=lambda item: item[1][0])
            cleared = {topic: payload for topic, payload in self._unsaid.items() if not payload}
            self._unsaid = cleared | {topic: payload for topic, (_, payload) in ranked}

    def take_back(self) -> None:
        """The connection is gone: what was sent and not acknowledged goes out again, first and in order."""
        with self._lock:
            self._put_back(list(self._sent.values()))
            self._sent.clear()

    def next_state(self) -> tuple[str, bytes] | None:
        """A state to be said now."""
        with self._lock:
            if self._once:
                return self._once.popleft()
            topic = next(iter(self._unsaid), None)
            return (topic, self._unsaid.pop(topic)) if topic is not None else None

    def next_letter(self, paused: Container[str] = ()) -> Publication | None:
        """The letter to be sent now, of a topic that is not paused; `sent` must follow."""
        with self._lock:
            for index, letter in enumerate(self._letters):
                if letter.topic not in paused:
                    del self._letters[index]
                    return letter
            return None

    def take_out(self, topic: str) -> list[Publication]:
        """No longer ours: what waits for a topic and can be taken back."""
        with self._lock:
            gone = [each for each in self._letters if each.topic == topic and each.refused]
            self._letters = deque(each for each in self._letters if each not in gone)
            return gone

    def sent(self, number: int, letter: Publication) -> None:
        """The letter is on its way under the connection's `number`."""
        letter.sends += 1
        with self._lock:
            self._sent[number] = letter

    def put_back(self, number: int) -> Publication | None:
        """The receiver would not have it. If it is a letter, it waits in its old place."""
        with self._lock:
            letter = self._sent.pop(number, None)
            if letter is not None:
                self._put_back([letter])
            return letter

    def acknowledged(self, number: int) -> Publication | None:
        """The letter that has arrived, if `number` was one."""
        with self._lock:
            return self._sent.pop(number, None)

    def _put_back(self, letters: list[Publication]) -> None:
        self._letters = deque(sorted([*letters, *self._letters], key=lambda letter: letter.place))
