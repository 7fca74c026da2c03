"""Where sound comes from."""

from typing import Annotated

from pydantic import Field

from monitor.sources.demo import DemoBlock
from monitor.sources.file import FileBlock
from monitor.sources.microphone import MicrophoneBlock
from monitor.sources.stream import StreamBlock

SourceConfig = Annotated[MicrophoneBlock | StreamBlock | FileBlock | DemoBlock, Field(discriminator="type")]
"""One line per kind of source: a new one is its file and its name here."""
