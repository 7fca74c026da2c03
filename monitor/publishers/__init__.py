"""Who is told."""

from typing import Annotated

from pydantic import Field

from monitor.notifiers.apprise import NotifyConfig
from monitor.notifiers.spoken import SpokenConfig
from monitor.publishers.jsonl import JsonlConfig
from monitor.publishers.mqtt.publisher import MqttConfig
from monitor.publishers.terminal.console import ConsoleConfig

PublisherConfig = Annotated[MqttConfig | JsonlConfig | ConsoleConfig, Field(discriminator="type")]
"""Every kind of publisher that the configuration knows."""

NotifierConfig = Annotated[NotifyConfig | SpokenConfig, Field(discriminator="type")]
"""Every kind of notifier: who tells people, where a rule asks for it."""
