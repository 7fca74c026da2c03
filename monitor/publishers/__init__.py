"""Who is told."""

from typing import Annotated

from pydantic import Field

from monitor.publishers.console import ConsoleConfig
from monitor.publishers.jsonl import JsonlConfig
from monitor.publishers.mqtt import MqttConfig

PublisherConfig = Annotated[MqttConfig | JsonlConfig | ConsoleConfig, Field(discriminator="type")]
"""Every kind of publisher that the configuration knows."""
