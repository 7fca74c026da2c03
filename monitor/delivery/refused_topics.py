"""Topics that a receiver refuses: its messages wait in the outbox, and those of other topics go on."""

from dataclasses import dataclass, field

from monitor.clock import Backoff
from monitor.delivery.base import WHOLE_TOPIC, Entry
from monitor.publishers.base import ALERTS, topic_of
from monitor.types import Alert, SoundEvent

FIRST_RETRY_S = 1.0
"""Soon: after a broker's restart whoever subscribes to the topic may only come back a moment after us."""
LONGEST_RETRY_S = 60.0
"""What an access list refuses it refuses for days: one message a minute costs nobody anything."""


def _retries() -> Backoff:
    return Backoff(FIRST_RETRY_S, LONGEST_RETRY_S)


@dataclass(slots=True)
class _RefusedTopic:
    """What is passed over, until one message of it is tried again."""

    up_to: int
    retry_at_s: float
    retries: Backoff = field(default_factory=_retries)
    on_trial: bool = False


class RefusedTopics:
    """Topics that a receiver refuses. They are tried again with one message at a time: thousands may wait for
    one. A new alert is always tried at once, since whoever it is for may have come meanwhile; a new event
    waits behind the events before it. Not thread-safe."""

    def __init__(self) -> None:
        self._topics: dict[str, _RefusedTopic] = {}

    def refused(self, entry: Entry, now_s: float) -> None:
        """The receiver would not have it."""
        topic = topic_of(entry.message)
        up_to = entry.number if topic == ALERTS else WHOLE_TOPIC
        known = self._topics.get(topic) or _RefusedTopic(up_to, now_s, on_trial=True)
        if known.on_trial:
            known.retry_at_s = now_s + known.retries.next_s()
        known.up_to = max(up_to, known.up_to)
        known.on_trial = False
        self._topics[topic] = known

    def taken(self, message: SoundEvent | Alert) -> None:
        """The receiver has taken one: everything of its topic may go."""
        self.forget(topic_of(message))

    def given_up(self, message: SoundEvent | Alert, now_s: float) -> None:
        """One that was refused waits no more: the next of its topic is tried at once."""
        if known := self._topics.get(topic_of(message)):
            known.retry_at_s, known.on_trial = now_s, False

    def forget(self, topic: str) -> None:
        """Nothing of it waits any more."""
        self._topics.pop(topic, None)

    def clear(self) -> None:
        """Another receiver, or it comes with another access list."""
        self._topics.clear()

    def passed_over(self) -> dict[str, int]:
        """For `Outbox.waiting`."""
        return {topic: each.up_to for topic, each in self._topics.items()}

    def due(self, now_s: float) -> list[str]:
        """Topics of which one message is to be tried now; the others of the topic wait for its outcome."""
        due = [t for t, each in self._topics.items() if not each.on_trial and now_s >= each.retry_at_s]
        for topic in due:
            self._topics[topic].on_trial = True
        return due

    def next_due_s(self) -> float | None:
        """When `due` will next return something."""
        return min((each.retry_at_s for each in self._topics.values() if not each.on_trial), default=None)
