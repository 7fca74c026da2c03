"""What a segment is."""

from typing import Annotated

from pydantic import Field

from monitor.classifiers.audio_llm.qwen import QwenConfig
from monitor.classifiers.audio_llm.remote import RemoteConfig
from monitor.classifiers.audio_llm.transcribers.by_classifier import ClassifierTranscriberConfig
from monitor.classifiers.audio_llm.transcribers.qwen3_asr import Qwen3AsrConfig
from monitor.classifiers.audio_llm.transcribers.server import RemoteAsrConfig
from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.classifiers.taggers.hub import HubConfig
from monitor.classifiers.taggers.onnx import OnnxConfig
from monitor.classifiers.taggers.tflite import TfliteConfig

ClassifierConfig = Annotated[
    EmbeddedConfig | OnnxConfig | TfliteConfig | QwenConfig | HubConfig | RemoteConfig,
    Field(discriminator="type"),
]
"""Every kind of classifier that the configuration knows; a new one is its file and its name here."""

TranscriberConfig = Annotated[
    Qwen3AsrConfig | RemoteAsrConfig | ClassifierTranscriberConfig, Field(discriminator="type")
]
"""Every kind of transcriber."""
