"""Messages that are still to be published over a connection that comes and goes."""

import itertools
import threading
from collections import deque
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum

from monitor.publishers.base import OnOutcome
from monitor.publishers.documents import alert_document, encoded, event_document
from monitor.types import Alert, SoundEvent

QUEUED_IS_LATE_AFTER_S = 5.0
"""What waited longer than this for its connection is marked late."""
UNHEARD_S = 86400.0
"""A message without subscribers is kept for this time, unless its rule has `stale_after_s`."""
_GROUNDS = {"why", "evidence"}
"""Left out first: they explain, and may be long."""
LONG_BYTES = 1000
"""What is longer may have been refused for its length: without grounds an alert has about 700."""
WINDOW = 100
"""Events and alerts that a publisher holds before it reports that it is not ready."""


class Rank(IntEnum):
    """Order of publishing after a new connection or Home Assistant's birth: discovery documents, then states,
    and `online` last, so that no stale state shows as valid in between."""

    DOCUMENT = 0
    STATE = 1
    SOURCE_STATUS = 2
    NODE_STATUS = 3


@dataclass(slots=True, eq=False)
class Publication:
    """One event or alert on its way; `done` is called once, with its outcome."""

    message: SoundEvent | Alert
    done: OnOutcome
    handed_at_s: float
    """By the monotonic clock: setting the other one makes nothing late or stale."""
    late: bool
    topic: str = ""
    short: bool = False
    """Without its grounds: longer, it was not taken."""
    sent_bytes: int = 0
    place: int = field(default=0)
    sends: int = field(default=0)

    @property
    def key(self) -> Hashable:
        """The same for the same message, whenever it is handed over."""
        state = self.message.state if isinstance(self.message, SoundEvent) else ""
        return self.topic, self.message.id, state

    @property
    def keep_s(self) -> float:
        """How long what nobody hears is published again: as long as the alert would ring."""
        stale_after_s = self.message.stale_after_s if isinstance(self.message, Alert) else None
        return UNHEARD_S if stale_after_s is None else stale_after_s

    def payloads(self, now: datetime, now_s: float) -> Iterator[bytes]:
        """What is published now; the next one for a broker that takes no more."""
        waited_s = now_s - self.handed_at_s
        late = self.late or self.sends > 0 or waited_s > QUEUED_IS_LATE_AFTER_S
        if isinstance(self.message, Alert):
            alert = replace(self.message.aged(waited_s), sequence=self.message.sequence + self.sends)
            document = alert_document(alert, now, late=late)
        else:
            document = event_document(self.message, now, late=late)
        if not self.short:
            yield encoded(document)
        yield encoded({key: value for key, value in document.items() if key not in _GROUNDS})


@dataclass(frozen=True, slots=True)
class QueuedState:
    """A retained payload on its way to the broker."""

    topic: str
    payload: bytes
    once: bool
    """Published once and not remembered, and again only if it was lost: removes something from receivers."""

    @property
    def key(self) -> Hashable:
        """The same for each payload of a state: a broker may mind its topic."""
        return self.topic, self.once


class PublishQueue:
    """States, of which only the latest counts, and publications, which keep their order and are kept until
    they are acknowledged. Any thread may add; one thread takes out and sends, one at a time: what is in its
    hand counts as waiting until `sent`, `state_sent` or `settled`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._states: dict[str, tuple[Rank, bytes]] = {}
        self._unpublished: dict[str, bytes] = {}
        self._once: deque[QueuedState] = deque()
        self._publications: deque[Publication] = deque()
        self._in_hand: Publication | None = None
        self._sent: dict[int, Publication] = {}
        self._once_in_hand: QueuedState | None = None
        self._once_sent: dict[int, QueuedState] = {}
        self._places = itertools.count()

    def remember(self, topic: str, payload: bytes, rank: Rank) -> None:
        """Keep a retained state, and publish it if it differs from the last one."""
        with self._lock:
            if self._states.get(topic) != (rank, payload):
                self._states[topic] = (rank, payload)
                self._unpublished[topic] = payload

    def publish_before(self, topic: str, payload: bytes) -> None:
        """Publish a payload once, and after it again what is remembered there."""
        with self._lock:
            self._once.append(QueuedState(topic, payload, once=True))
            if topic in self._states:
                self._unpublished[topic] = self._states[topic][1]

    def forget(self, topic: str) -> None:
        """No longer a state of ours: taken off the broker too."""
        with self._lock:
            self._states.pop(topic, None)
            self._unpublished[topic] = b""

    def leave(self, topic: str) -> None:
        """No longer a state of ours; what the broker has there stays."""
        with self._lock:
            self._states.pop(topic, None)
            self._unpublished.pop(topic, None)

    def knows(self, topic: str) -> bool:
        """Whether something is remembered there."""
        with self._lock:
            return topic in self._states

    def put(self, publication: Publication) -> None:
        """Keep a publication until it is acknowledged."""
        with self._lock:
            publication.place = next(self._places)
            self._publications.append(publication)

    def full(self) -> bool:
        """Whether the window is used up."""
        with self._lock:
            in_hand = self._in_hand is not None
            return len(self._publications) + in_hand + len(self._sent) >= WINDOW

    def put_right(self, topic: str, payload: bytes) -> bool:
        """Publish a state anew where the broker has another payload than the one that holds: whether so."""
        with self._lock:
            held = self._states.get(topic)
            if held is None or held[1] == payload:
                return False
            self._unpublished[topic] = held[1]
            return True

    def publish_again(self) -> None:
        """Publish every state anew, for somebody may have forgotten them."""
        with self._lock:
            ranked = sorted(self._states.items(), key=lambda item: item[1][0])
            cleared = {topic: payload for topic, payload in self._unpublished.items() if not payload}
            self._unpublished = cleared | {topic: payload for topic, (_, payload) in ranked}

    def take_back(self, refused: Collection[str] = ()) -> list[Publication]:
        """The connection is gone: what was sent or taken and not acknowledged goes out again, first and in
        order. Publications on topics that were `refused` are returned instead: earlier ones of theirs wait
        elsewhere."""
        with self._lock:
            unacknowledged = [*self._sent.values(), *([self._in_hand] if self._in_hand else [])]
            again = sorted([*unacknowledged, *self._publications], key=lambda each: each.place)
            self._publications = deque(each for each in again if each.topic not in refused)
            self._sent.clear()
            self._in_hand = None
            self._take_back_once()
            return [each for each in again if each.topic in refused]

    def next_state(self) -> QueuedState | None:
        """A state to be published now; `state_sent` or `settled` must follow."""
        with self._lock:
            self._once_in_hand = None
            if self._once:
                self._once_in_hand = self._once.popleft()
                return self._once_in_hand
            topic = next(iter(self._unpublished), None)
            if topic is None:
                return None
            payload = self._unpublished.pop(topic)
            statement = QueuedState(topic, payload, once=not payload)
            self._once_in_hand = statement if statement.once else None
            return statement

    def state_sent(self, number: int, statement: QueuedState) -> None:
        """The state is on its way under the connection's `number`."""
        with self._lock:
            self._once_in_hand = None
            if statement.once:
                self._once_sent[number] = statement

    def states_wait(self) -> bool:
        """Whether a state is still to be published."""
        with self._lock:
            return bool(self._once or self._unpublished)

    def next_publication(self, *, alerts_only: bool = False) -> Publication | None:
        """The publication to be sent now, alerts before all else, but tests; `sent` or `settled` must
        follow."""
        with self._lock:
            urgent = next((each for each in self._publications if _is_urgent(each)), None)
            if urgent is not None:
                self._publications.remove(urgent)
            elif self._publications and not alerts_only:
                urgent = self._publications.popleft()
            self._in_hand = urgent
            return urgent

    def sent(self, number: int, publication: Publication) -> None:
        """The publication is on its way under the connection's `number`."""
        publication.sends += 1
        with self._lock:
            self._in_hand = None
            self._sent[number] = publication

    def settled(self) -> None:
        """What is in hand is not sent: it has its outcome already."""
        with self._lock:
            self._in_hand = self._once_in_hand = None

    def shorten(self, number: int) -> bool:
        """Send what went out under `number` anew without its grounds: whether that can be."""
        with self._lock:
            publication = self._sent.get(number)
            if publication is None or publication.short or publication.sent_bytes <= LONG_BYTES:
                return False
            publication.short = True
            again = sorted([self._sent.pop(number), *self._publications], key=lambda each: each.place)
            self._publications = deque(again)
            return True

    def is_publication(self, number: int) -> bool:
        """Whether an event or alert is on its way under this number."""
        with self._lock:
            return number in self._sent

    def done(self, number: int) -> Publication | None:
        """The publication that has its outcome, if `number` was one."""
        with self._lock:
            self._once_sent.pop(number, None)
            return self._sent.pop(number, None)

    def _take_back_once(self) -> None:
        in_hand = [self._once_in_hand] if self._once_in_hand else []
        for lost in reversed([*self._once_sent.values(), *in_hand]):
            if lost.payload:
                self._once.appendleft(lost)
            elif lost.topic not in self._states:
                self._unpublished[lost.topic] = b""
        self._once_sent.clear()
        self._once_in_hand = None


def _is_urgent(publication: Publication) -> bool:
    return isinstance(publication.message, Alert) and not publication.message.test
