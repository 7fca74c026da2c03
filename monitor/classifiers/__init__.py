"""What a segment is."""

from typing import Annotated

from pydantic import Field

from monitor.classifiers.embedded import EmbeddedBlock
from monitor.classifiers.hub import HubBlock
from monitor.classifiers.onnx import OnnxBlock
from monitor.classifiers.qwen import QwenBlock
from monitor.classifiers.remote import RemoteBlock
from monitor.classifiers.transcribe import Qwen3AsrBlock, RemoteAsrBlock

ClassifierConfig = Annotated[
    EmbeddedBlock | OnnxBlock | QwenBlock | HubBlock | RemoteBlock, Field(discriminator="type")
]
"""Every kind of classifier that the configuration knows; a new one is its file and its name here."""

TranscriberConfig = Annotated[Qwen3AsrBlock | RemoteAsrBlock, Field(discriminator="type")]
"""Every kind of transcriber."""
