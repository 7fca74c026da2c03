"""Receivers that notify people: phones through Apprise, a voice through a loudspeaker."""

from typing import Annotated

from pydantic import Field

from monitor.notifiers.apprise import NotifyConfig
from monitor.notifiers.spoken import SpokenConfig

NotifierConfig = Annotated[NotifyConfig | SpokenConfig, Field(discriminator="type")]
"""Every kind of notifier; a rule may name under `notify` the ones that get its alerts."""
