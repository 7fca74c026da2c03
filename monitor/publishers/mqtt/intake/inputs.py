"""Everything that other devices publish and we listen to: values of the house, detections."""

from collections.abc import Iterator
from typing import Any

from monitor.clock import Clock
from monitor.publishers.base import House, InboundMessage
from monitor.publishers.mqtt.intake.devices import DeviceReader
from monitor.publishers.mqtt.intake.house import HouseTopics
from monitor.publishers.mqtt.news import Received


class Inputs:
    """In the connection's thread, but for `announce`."""

    def __init__(self, name: str, own_root: str, clock: Clock) -> None:
        """`name`: the publisher's, for devices belong to one broker. What is below `own_root` is ours, and no
        other device's: it would come back to us as a detection, and that again."""
        self._name = name
        self._own_root = own_root
        self._clock = clock
        self._house = HouseTopics()
        self._devices: tuple[DeviceReader, ...] = ()

    def announce(self, house: House) -> None:
        """From now on these."""
        self._house = HouseTopics(house.values)
        known = self._devices
        self._devices = tuple(
            next((one for one in known if one.device == device), DeviceReader(device, self._clock))
            for device in house.devices
            if device.broker == self._name
        )

    @property
    def topics(self) -> tuple[str, ...]:
        """What is to be subscribed to."""
        return tuple(dict.fromkeys((*self._house.topics, *(one.topic_filter for one in self._devices))))

    def takes(self, topic: str) -> bool:
        """Whether somebody waits for what is published there."""
        if topic in self._house.topics:
            return True
        return not topic.startswith(f"{self._own_root}/") and any(one.matches(topic) for one in self._devices)

    def connected(self) -> Iterator[InboundMessage]:
        """The broker has taken us, and our subscriptions."""
        for device in self._devices:
            yield from device.status(True)

    def denied(self, topic_filter: str) -> Iterator[InboundMessage]:
        """It does not let us subscribe there."""
        for device in self._devices:
            if device.topic_filter == topic_filter:
                yield from device.status(False, f"the broker does not let us read {topic_filter}")

    def read(self, message: Received) -> Iterator[InboundMessage]:
        """What a message on one of the topics says."""
        yield from self._house.read(message)
        if message.topic.startswith(f"{self._own_root}/"):
            return
        for device in self._devices:
            if device.matches(message.topic) and (found := device.heard(message)) is not None:
                yield found

    def lost(self) -> Iterator[InboundMessage]:
        """The connection is gone."""
        yield from self._house.lost()
        for device in self._devices:
            yield from device.status(False, f"the broker of {self._name} is away")

    def figures(self) -> dict[str, Any]:
        """For the health report, as plain JSON values."""
        return {"devices": {one.device.source: one.figures() for one in self._devices}}
