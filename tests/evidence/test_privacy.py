"""Does a clip hold speech, and the clip without it."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio import Audio
from monitor.evidence.privacy import BARS, Cut, SpeechScore, Words, masked, speech_spans
from monitor.evidence.ring_buffer import Excerpt
from monitor.gate.voice import VoiceDetector
from monitor.types import Findings
from testkit.builders import START, heard, noise, segment
from testkit.gate_sounds import in_a_room, siren, smoke_alarm, voice

QUIET = noise(10, -60)


def clip(*parts: object) -> Excerpt:
    return Excerpt(START, Audio(np.concatenate(parts).astype(np.float32), 16_000))  # type: ignore[arg-type]


def spans(cutout: Excerpt, words: Words | None = None) -> list[tuple[float, float]]:
    return speech_spans(cutout, words or Words(), VoiceDetector().hears_voice)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def judged(begin_s: float, end_s: float, *, score: float | None, voice: float) -> Words:
    """A segment with its share of voice, and the sound model's score for words in the last second of it."""
    looks = [] if score is None else [SpeechScore("a1", after(end_s - 1), after(end_s), score)]
    return Words(looks, {"a1": Cut(after(begin_s), after(end_s), voice)})


def test_speech_is_found_without_any_classifier() -> None:
    """The voice detector hears the whole clip, and finds all of the speech with a margin."""
    [(begin_s, end_s)] = spans(clip(QUIET[:48000], in_a_room(voice(3)), QUIET[:48000]))
    assert 2.2 < begin_s < 3.1
    assert 5.9 < end_s < 6.8


@pytest.mark.parametrize("sound", [smoke_alarm(2), siren(5), noise(5, -20, seed=9), QUIET])
def test_other_sounds_hold_no_speech(sound: object) -> None:
    """Alarms, sirens and noise may be kept."""
    assert spans(clip(QUIET, sound, QUIET)) == []


def test_what_a_model_took_for_words_counts() -> None:
    """A whisper that only a model suspects is speech for the length of its look."""
    assert spans(clip(QUIET), judged(3, 6, score=BARS.words, voice=0)) == [(4.5, 6.5)]
    assert spans(clip(QUIET), judged(-3, 1, score=0.9, voice=0)) == [(0, 1.5)]
    assert spans(clip(QUIET), judged(3, 6, score=BARS.words - 0.01, voice=0)) == []


def test_a_little_voice_and_a_low_score_are_words_together() -> None:
    """Neither is by itself: glass and knocks have voice for the detector, music has a score for words. Then
    the whole segment counts."""
    low, little = BARS.words_with_voice, 0.16
    assert spans(clip(QUIET), judged(3, 6, score=low, voice=little)) == [(2.5, 6.5)]
    assert spans(clip(QUIET), judged(3, 6, score=low, voice=0)) == []
    assert spans(clip(QUIET), judged(3, 6, score=low - 0.01, voice=little)) == []


def test_much_voice_is_words_whatever_a_model_says() -> None:
    """A model may miss a language, or a voice in another room."""
    assert spans(clip(QUIET), judged(3, 6, score=0.0, voice=BARS.voice)) == [(2.5, 6.5)]


def test_where_no_model_has_judged_the_voice_detector_decides() -> None:
    """Without a sound model, or before its answer: any voice is words."""
    assert spans(clip(QUIET), judged(3, 6, score=None, voice=0.02)) == [(2.5, 6.5)]


def test_what_was_judged_as_no_words_is_kept_and_what_follows_is_not() -> None:
    """The voice detector is overruled in the segment alone; a voice after it is found by its frames."""
    spoken = in_a_room(voice(3))
    length_s = len(spoken) / 16_000
    cutout = clip(QUIET[:48000], spoken, QUIET[:48000])
    assert spans(cutout, judged(2.5, 3.5 + length_s, score=0.0, voice=0.2)) == []
    [(begin_s, end_s)] = spans(cutout, judged(2.5, 4.5, score=0.0, voice=0.2))
    assert 4.0 <= begin_s < 5.0
    assert 5.9 < end_s < 6.8


def test_other_times_do_not_count() -> None:
    """Words before or after leave a clip alone."""
    assert spans(clip(QUIET), judged(-5, -1, score=0.9, voice=0.9)) == []
    assert spans(clip(QUIET), judged(11, 12, score=0.9, voice=0.9)) == []


def test_models_and_segments_are_remembered_and_the_voice_detectors_own_word_is_not_a_models() -> None:
    """Without classifiers the gate gives a score for speech: its share of voice, which says nothing new."""
    words = Words()
    cut = segment(noise(2))
    words.hear(Findings("kitchen", START, (heard("dog_bark", 0.9), heard("shout", 0.05)), (cut,)))
    words.hear(Findings("kitchen", START, (replace(heard("speech", 0.2), classifier="gate"),)))
    assert [look.score for look in words.looks] == [0.05]
    assert list(words.cuts) == [cut.id]
    words.forget(after(600))
    assert words == Words()


@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.05, 3)), min_size=1, max_size=4))
def test_a_mask_leaves_nothing_of_what_it_covers(covered: list[tuple[float, float]]) -> None:
    """Within the spans no sample survives; outside every sample does."""
    audio = Audio(noise(10, -20, seed=5), 16_000)
    chosen = [(begin_s, min(10.0, begin_s + length_s)) for begin_s, length_s in covered]
    result = masked(audio, chosen).samples
    inside = np.zeros(len(audio), bool)
    for begin_s, end_s in chosen:
        inside[round(begin_s * 16000) : round(end_s * 16000)] = True
    assert np.array_equal(result[~inside], audio.samples[~inside])
    assert abs(np.corrcoef(result[inside], audio.samples[inside])[0, 1]) < 0.2


def test_a_mask_hides_the_rhythm_of_speech() -> None:
    """The noise has one level throughout: its envelope tells nothing of the syllables."""
    spoken = voice(4)
    hidden = masked(Audio(spoken, 16_000), [(0, 4)]).samples
    loudness = [np.sqrt((x[:62400].reshape(-1, 480) ** 2).mean(axis=1)) for x in (spoken, hidden)]
    assert abs(np.corrcoef(*loudness)[0, 1]) < 0.3
    assert loudness[1].std() / loudness[1].mean() < 0.1
