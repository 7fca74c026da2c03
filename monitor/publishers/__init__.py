"""Receivers on MQTT, on the web, of one's own, in files and on the terminal."""

from typing import Annotated

from pydantic import Field

from monitor.publishers.command import CommandConfig
from monitor.publishers.frigate import FrigateConfig
from monitor.publishers.jsonl import JsonlConfig
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.terminal.console import ConsoleConfig
from monitor.publishers.webhook import WebhookConfig

PublisherConfig = Annotated[
    MqttConfig | WebhookConfig | CommandConfig | FrigateConfig | JsonlConfig | ConsoleConfig,
    Field(discriminator="type"),
]
"""Every kind of publisher that the configuration knows."""
