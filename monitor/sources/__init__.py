"""Where sound comes from."""

from typing import Annotated

from pydantic import Field

from monitor.sources.demo import DemoConfig
from monitor.sources.external import ExternalConfig
from monitor.sources.file import FileConfig
from monitor.sources.microphone import MicrophoneConfig
from monitor.sources.stream.source import StreamConfig
from monitor.sources.udp.source import UdpConfig
from monitor.sources.wyoming import WyomingConfig

SourceConfig = Annotated[
    MicrophoneConfig | StreamConfig | UdpConfig | WyomingConfig | ExternalConfig | FileConfig | DemoConfig,
    Field(discriminator="type"),
]
"""One line per kind of source: a new one is its file and its name here."""
