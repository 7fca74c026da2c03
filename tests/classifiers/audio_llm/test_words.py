"""Words on their way from a transcriber to a rule."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from monitor.audio import Audio
from monitor.classifiers.audio_llm.qwen import QwenClassifier
from monitor.classifiers.audio_llm.transcribe import Transcript
from monitor.classifiers.audio_llm.words import Voices, WordListener
from monitor.config.loading import check_document
from monitor.config.model import Config
from monitor.config.yaml_document import parse_document
from monitor.errors import ClassifyError
from monitor.pipeline.build import LoadedClassifiers, build_decision_engine, load_classifiers
from monitor.publishers.documents import document
from monitor.store import codec
from monitor.types import Alert, SoundEvent
from testkit import tiny_models
from testkit.builders import START, heard, noise, segment
from testkit.fakes import ScriptedClassifier

CONFIG = b"""
sources: [{type: demo, name: kitchen}]
classifiers: [{type: embedded}]
transcripts: {type: qwen3_asr, model: nowhere}
rules: [{name: Help, hear: [speech], say: [help me], severity: critical}]
"""


class Dictated:
    """A transcriber that writes what it was given."""

    def __init__(self, text: str | Exception) -> None:
        self._text = text

    def load(self) -> None: ...

    def close(self) -> None: ...

    def transcribe(self, audio: Audio) -> Transcript:
        if isinstance(self._text, Exception):
            raise self._text
        return Transcript(self._text)


def decided(text: str) -> list[SoundEvent | Alert]:
    """What a house with a transcriber makes of one spoken segment."""
    config = check_document(parse_document(CONFIG, "house.yaml", {}))
    words = WordListener(Dictated(text))
    engine = build_decision_engine(
        config, LoadedClassifiers((ScriptedClassifier({"speech": 0.9}),), ((words, Voices({"kitchen"})),))
    )
    spoken = segment(np.zeros(16000, np.float32))
    messages = engine.decide([heard("speech", 0.99, segment_id=spoken.id)], START)
    messages += engine.decide(words.classify([spoken]), START)
    return [message for message in messages if isinstance(message, SoundEvent | Alert)]


def test_a_rule_that_asks_for_words_fires_when_they_are_said():
    """The words arrive after the event, and the rule is asked again."""
    [alert] = [message for message in decided("please help me, now") if isinstance(message, Alert)]
    assert alert.rule == "Help"


def test_other_words_say_nothing():
    """A conversation raises no alert."""
    assert not [message for message in decided("what is for dinner") if isinstance(message, Alert)]


def test_what_was_said_stays_in_memory():
    """Neither a printed event, nor what is published, nor what is stored carries the words."""
    for message in decided("help me, my secret is plum"):
        assert "plum" not in repr(message)
        assert "plum" not in str(document(message, START))
        assert "plum" not in str(codec.encode(message))


def test_only_voices_in_rooms_that_a_rule_asks_about_are_written_down():
    """A bark goes to no transcriber, and neither does a voice where no rule wants words."""
    bark = segment(np.zeros(16000, np.float32))
    voices = Voices({bark.source})
    assert not voices.wants(bark, [heard("dog_bark", 0.9)])
    assert voices.wants(bark, [heard("speech", 0.9)])
    assert not Voices({"elsewhere"}).wants(bark, [heard("speech", 0.9)])
    assert not voices.wants(replace(bark, ended_by="open"), [heard("speech", 0.9)])


def test_a_transcriber_that_fails_fails_for_this_segment():
    """The worker counts it and goes on."""
    with pytest.raises(ClassifyError):
        WordListener(Dictated(ClassifyError("busy"))).classify([segment(np.zeros(16000, np.float32))])


def test_the_large_listener_of_a_house_writes_down_what_a_rule_asks_for(tmp_path: Path):
    """From the configuration: one model is loaded, it hears and it writes, and only the room of the rule."""
    folder = tiny_models.qwen2_audio(tmp_path)
    qwen = {"type": "qwen", "model": str(folder), "device": "cpu", "labels": ["speech"], "max_new_tokens": 8}
    rule = {"name": "Help", "hear": ["speech"], "say": ["help"], "sources": ["kitchen"]}
    rooms = [{"type": "demo", "name": name} for name in ("kitchen", "bedroom")]
    listeners = load_classifiers(
        Config.model_validate(
            {"sources": rooms, "classifiers": [qwen], "rules": [rule], "transcripts": {"type": "listener"}}
        )
    )
    (large, _), (words, voices) = listeners.second
    spoken = replace(segment(noise(1.0, -20)), speech_ratio=0.9, source="kitchen")

    [written] = words.classify([spoken])

    assert isinstance(large, QwenClassifier)
    asked = "Transcribe the speech in this audio. Give the words alone."
    assert written.transcript == large.ask(spoken.audio, asked)
    assert len(written.transcript) > 3
    assert voices.wants(spoken, [])
    assert not voices.wants(replace(spoken, source="bedroom"), [])
    listeners.close()
