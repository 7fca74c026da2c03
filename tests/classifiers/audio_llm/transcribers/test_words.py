"""Words on their way from a transcriber to a rule."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.audio import Audio
from monitor.classifiers.audio_llm.qwen import QwenClassifier
from monitor.classifiers.audio_llm.transcribers.base import Transcript
from monitor.classifiers.audio_llm.transcribers.words import TranscriptClassifier, Voices
from monitor.config.loading import check_document
from monitor.config.model import Config
from monitor.config.yaml_document import parse_document
from monitor.errors import ClassifyError
from monitor.pipeline.build import LoadedClassifiers, build_decision_engine, load_classifiers
from monitor.publishers.documents import document
from monitor.store import codec
from monitor.types import Alert, SegmentEnd, SoundEvent
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

    longest_s = 30.0

    def __init__(self, text: str | Exception) -> None:
        self._text = text

    def load(self) -> None: ...

    def close(self) -> None: ...

    def transcribe(self, sounds: Sequence[Audio]) -> list[Transcript]:
        if isinstance(self._text, Exception):
            raise self._text
        return [Transcript(self._text) for _ in sounds]


def listening(text: str | Exception) -> TranscriptClassifier:
    """Writes that text; "help me" is awaited."""
    return TranscriptClassifier(Dictated(text), lambda words: "help me" in words)


def decided(text: str, ended_by: SegmentEnd = "silence") -> list[SoundEvent | Alert]:
    """What a house with a transcriber makes of one spoken segment, or of an early look at it."""
    config = check_document(parse_document(CONFIG, "house.yaml", {}))
    words = listening(text)
    engine = build_decision_engine(
        config, LoadedClassifiers((ScriptedClassifier({"speech": 0.9}),), ((words, Voices({"kitchen"})),))
    )
    spoken = replace(segment(np.zeros(16000, np.float32)), ended_by=ended_by)
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


def test_a_rule_fires_while_somebody_still_speaks():
    """An early look with the rule's words in it raises the alert; the sentence need not have ended."""
    [alert] = [message for message in decided("oh no, help me", "open") if isinstance(message, Alert)]
    assert alert.rule == "Help"


def test_a_look_without_awaited_words_changes_nothing():
    """What is said from second to second is no news of the event; the finished segment brings its words."""
    look = replace(segment(noise(3.0, -20)), ended_by="open")

    assert listening("what is for dinner").classify([look]) == []
    assert len(decided("what is for dinner", "open")) == 1
    [said] = listening("what is for dinner").classify([replace(look, ended_by="silence")])
    assert said.transcript == "what is for dinner"


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


def test_looks_are_written_down_about_once_a_second():
    """Every other one of two a second, from each room by itself; none where that is switched off; and a clock
    that is set back silences none for long."""
    first = replace(segment(noise(3.0, -20)), ended_by="open", speech_ratio=0.9, source="kitchen")
    looks = [replace(first, started_at=first.started_at + timedelta(seconds=i / 2)) for i in range(6)]
    voices = Voices({"kitchen", "bedroom"})

    assert [voices.wants(look, []) for look in looks] == [True, False] * 3
    assert voices.wants(replace(looks[5], source="bedroom"), [])
    assert voices.wants(replace(looks[5], ended_by="silence"), [])
    assert voices.wants(replace(first, started_at=first.started_at - timedelta(hours=1)), [])
    assert not Voices({"kitchen"}, while_speaking=False).wants(first, [])


def test_a_transcriber_that_fails_fails_for_this_segment():
    """The worker counts it and goes on."""
    with pytest.raises(ClassifyError):
        listening(ClassifyError("busy")).classify([segment(np.zeros(16000, np.float32))])


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
    asked = "Transcribe the speech into text. Give the words alone."
    assert written.transcript == large.ask(spoken.audio, asked)
    assert len(written.transcript) > 3
    assert voices.wants(spoken, [])
    assert not voices.wants(replace(spoken, source="bedroom"), [])
    listeners.close()
