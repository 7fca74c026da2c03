"""The MQTT publisher as people configure it."""

from monitor.clock import Clock
from monitor.publishers.base import OnInbound
from monitor.publishers.mqtt.options import MqttOptions
from monitor.publishers.mqtt.publisher import MqttPublisher


class MqttConfig(MqttOptions):
    """An MQTT broker, with or without Home Assistant."""

    def build(self, node: str, on_command: OnInbound, clock: Clock) -> MqttPublisher:
        """The publisher; nothing is opened yet."""
        return MqttPublisher(self, node, on_command, clock)
