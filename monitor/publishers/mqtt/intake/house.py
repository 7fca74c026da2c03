"""What other devices publish, as values of the house. In the connection's thread."""

from collections.abc import Iterator, Sequence

from monitor.publishers.base import HouseValue
from monitor.publishers.mqtt.intake.words import word_at
from monitor.publishers.mqtt.news import Received
from monitor.types import Command


class HouseTopics:
    """The topics that `house:` names. A message becomes a command that sets its value; one that cannot be
    read sets it to unknown, and so does a lost connection: nobody knows what is published meanwhile."""

    def __init__(self, values: Sequence[HouseValue] = ()) -> None:
        self._by_topic: dict[str, tuple[HouseValue, ...]] = {}
        for value in values:
            if value.topic is not None:
                self._by_topic[value.topic] = (*self._by_topic.get(value.topic, ()), value)

    @property
    def topics(self) -> tuple[str, ...]:
        """What is to be subscribed to."""
        return tuple(self._by_topic)

    def read(self, message: Received) -> Iterator[Command]:
        """What a message on one of the topics says."""
        for value in self._by_topic.get(message.topic, ()):
            yield Command("house", value.name, _value(value, message.payload), by="mqtt")

    def lost(self) -> Iterator[Command]:
        """The connection is gone."""
        for values in self._by_topic.values():
            for value in values:
                yield Command("house", value.name, None, by="mqtt")


def _value(value: HouseValue, payload: bytes) -> str | None:
    word = word_at(payload, value.path)
    if word is None or not value.on_values:
        return word
    return "on" if word in value.on_values else "off"
