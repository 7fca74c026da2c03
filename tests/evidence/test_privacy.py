"""Does a clip hold speech, and the clip without it."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio import Audio
from monitor.evidence.privacy import Spoken, masked, speech_spans, spoken_in
from monitor.evidence.ring_buffer import Excerpt
from monitor.gate.voice import VoiceDetector
from monitor.types import Findings
from testkit.builders import START, heard, noise, segment
from testkit.gate_sounds import in_a_room, siren, smoke_alarm, voice

QUIET = noise(10, -60)


def clip(*parts: object) -> Excerpt:
    return Excerpt(START, Audio(np.concatenate(parts).astype(np.float32), 16_000))  # type: ignore[arg-type]


def spans(cutout: Excerpt, *spoken: Spoken) -> list[tuple[float, float]]:
    return speech_spans(cutout, "kitchen", spoken, VoiceDetector().hears_voice)


def between(begin_s: float, end_s: float, source: str = "kitchen") -> Spoken:
    return Spoken(source, START + timedelta(seconds=begin_s), START + timedelta(seconds=end_s))


def test_speech_is_found_without_any_classifier() -> None:
    """The voice detector hears the whole clip, and finds all of the speech with a margin."""
    [(begin_s, end_s)] = spans(clip(QUIET[:48000], in_a_room(voice(3)), QUIET[:48000]))
    assert 2.2 < begin_s < 3.1
    assert 5.9 < end_s < 6.8


@pytest.mark.parametrize("sound", [smoke_alarm(2), siren(5), noise(5, -20, seed=9), QUIET])
def test_other_sounds_hold_no_speech(sound: object) -> None:
    """Alarms, sirens and noise may be kept."""
    assert spans(clip(QUIET, sound, QUIET)) == []


def test_what_any_listener_took_for_words_counts() -> None:
    """A whisper that only a model suspects is speech for the length of its look."""
    assert spans(clip(QUIET), between(4, 6)) == [(3.5, 6.5)]
    assert spans(clip(QUIET), between(-3, 1), between(9, 20)) == [(0, 1.5), (8.5, 10)]


def test_other_sources_and_times_do_not_count() -> None:
    """Words elsewhere, before or after leave a clip alone."""
    assert spans(clip(QUIET), between(4, 6, "porch"), between(-5, -1), between(11, 12)) == []


def test_words_are_suspected_by_low_scores_and_by_voice() -> None:
    """A score of 0.1 for speech is enough, whatever the winner is; so is any voice in a segment."""
    told = Findings("kitchen", START, (heard("dog_bark", 0.9), heard("speech", 0.1), heard("shout", 0.05)))
    assert [one.ends_at for one in spoken_in(told)] == [START + timedelta(seconds=1)]
    cut = segment(noise(2))
    voiced = type(cut)(**{name: getattr(cut, name) for name in cut.__slots__} | {"speech_ratio": 0.02})
    assert spoken_in(Findings("kitchen", START, (), (cut,))) == []
    assert len(spoken_in(Findings("kitchen", START, (), (voiced,)))) == 1


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
