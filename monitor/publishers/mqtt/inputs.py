"""What other devices publish, as values of the house. In the connection's thread."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from monitor.publishers.base import HouseValue
from monitor.publishers.mqtt.news import Received
from monitor.schema import plain_text
from monitor.types import Command

LARGEST_BYTES = 64_000
"""A larger payload is no value of ours."""
LONGEST_WORD = 64


class Inputs:
    """The topics that `house:` names. A message becomes a command that sets its value; one that cannot be
    read sets it to unknown, and so does a lost connection: nobody knows what is published meanwhile."""

    def __init__(self) -> None:
        self._by_topic: dict[str, tuple[HouseValue, ...]] = {}

    def announce(self, values: Sequence[HouseValue]) -> None:
        """From now on these."""
        by_topic: dict[str, tuple[HouseValue, ...]] = {}
        for value in values:
            if value.topic is not None:
                by_topic[value.topic] = (*by_topic.get(value.topic, ()), value)
        self._by_topic = by_topic

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
    word = _word(payload, value.path)
    if word is None or not value.on_values:
        return word
    return "on" if word in value.on_values else "off"


def _word(payload: bytes, path: str) -> str | None:
    """What is published there as one word; None for anything else."""
    if len(payload) > LARGEST_BYTES:
        return None
    try:
        found: Any = payload.decode()
        if path:
            found = json.loads(found)
            for step in path.split("."):
                found = found[int(step)] if isinstance(found, list) else found[step]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    word = plain_text(found)
    return word if isinstance(word, str) and 0 < len(word) <= LONGEST_WORD else None
