"""Where every message goes: events and alerts into the outbox, states straight to the publishers."""

from collections.abc import Sequence

from monitor.publishers.base import Publisher
from monitor.store.base import Outbox
from monitor.types import Alert, Message, SoundEvent


class Post:
    """Called by the decider's thread alone."""

    def __init__(self, outbox: Outbox, publishers: Sequence[Publisher]) -> None:
        self._outbox = outbox
        self._publishers = publishers

    def __call__(self, message: Message) -> None:
        """Send a message on its way."""
        if isinstance(message, Alert):
            self._outbox.put(message, self._channels(message), message.raised_at)
        elif isinstance(message, SoundEvent):
            self._outbox.put(message, self._channels(message), message.at)
        else:
            for publisher in self._publishers:
                publisher.publish(message)

    def _channels(self, message: SoundEvent | Alert) -> list[str]:
        return [publisher.name for publisher in self._publishers]
