"""T3 that no longer looks like T3: two like alarms out of step, beeps that were cut, and words between."""

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.folded import folded
from monitor.rhythm.pulses import Pulse
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.synthesis.room import coloured_noise
from testkit.alarms import steady_pulses
from testkit.cadences.sounds import spoken
from testkit.rhythm_trials import impostor_samples
from tests.rhythm.hearing import heard_in, labels_of


def t3() -> Samples:
    return played(piezo(3100), temporal_three(6), SAMPLE_RATE_HZ)


def out_of_step(lag_s: float) -> Samples:
    """Two alarms of one make in one room, the second so much later."""
    first, lag = t3(), round(lag_s * SAMPLE_RATE_HZ)
    both = np.concatenate((first, np.zeros(lag, np.float32)))
    both[lag:] += t3()
    return both


def in_a_room(sound: Samples, snr_db: float = 40, seed: int = 3) -> Samples:
    """Between two seconds of noise, in white noise of this SNR."""
    padded = np.pad(sound, 2 * SAMPLE_RATE_HZ)
    rms = float(np.sqrt(np.mean(sound**2))) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(seed).normal(scale=rms, size=len(padded))
    return np.asarray(0.4 * (padded + noise), np.float32)


def cut(sound: Samples, tone_s: float) -> Samples:
    """What a camera's noise suppressor leaves: it takes a steady tone for noise after a moment."""
    left = sound.copy()
    for cycle in range(6):
        for beep in range(3):
            start = 4 * cycle + beep
            left[round((start + tone_s) * SAMPLE_RATE_HZ) : round((start + 0.52) * SAMPLE_RATE_HZ)] = 0
    return left


@pytest.mark.parametrize("lag_s", [0.4, 0.5, 0.65, 0.8, 1.0, 1.2, 1.5, 1.75, 2.0, 2.6, 3.0])
def test_two_like_alarms_are_suspected_whatever_the_lag(lag_s: float) -> None:
    """Whole seconds apart they are beeps in even succession, but for their loudness."""
    found = heard_in(in_a_room(out_of_step(lag_s)))
    smoke = [one for one in found if one.label == "smoke_alarm"]
    assert smoke
    assert {one.certainty for one in smoke if one.evidence["pattern"] != "temporal_three"} == {"suspected"}


@pytest.mark.parametrize(
    ("lag_s", "snr_db"), [(0.5, -10), (0.75, -10), (1.0, -6), (1.25, -10), (1.5, -10), (1.75, -10), (2.0, -6)]
)
def test_two_like_alarms_are_suspected_in_noise(lag_s: float, snr_db: float) -> None:
    """Neither rhythm is whole. Whole seconds apart only their loudness tells, which noise hides sooner."""
    assert "smoke_alarm" in labels_of(heard_in(in_a_room(out_of_step(lag_s), snr_db)))


@pytest.mark.parametrize("tone_s", [0.05, 0.1, 0.15])
@pytest.mark.parametrize("snr_db", [40, 0])
def test_beeps_that_were_cut_short_are_suspected(tone_s: float, snr_db: float) -> None:
    """Their onsets keep the time of T3."""
    smoke = [one for one in heard_in(in_a_room(cut(t3(), tone_s), snr_db)) if one.label == "smoke_alarm"]
    assert {(one.evidence["pattern"], one.certainty) for one in smoke} == {
        ("temporal_three_cut", "suspected")
    }


def speaking(beeps: int, words_s: float, gain: float = 0.6, lasts: int = 4) -> Samples:
    """So many beeps of T3 each time, and then words, all with the same voice."""
    once = played(piezo(3100), [(0.5, 0.5)] * beeps, SAMPLE_RATE_HZ)
    words = gain * spoken(np.random.default_rng(4), words_s)
    return np.tile(np.concatenate([once, words, np.zeros(SAMPLE_RATE_HZ // 4, np.float32)]), lasts)


@pytest.mark.parametrize("words_s", [2.0, 4.0, 6.0])
def test_an_alarm_that_speaks_after_three_beeps_is_suspected(words_s: float) -> None:
    """Its groups are too far apart for T3, and the words have the pitches of all trains that are followed."""
    found = heard_in(in_a_room(speaking(3, words_s, gain=0.3), snr_db=20))
    spoken = {one.label for one in found if one.evidence["pattern"] == "temporal_three_spoken"}
    assert spoken == {"unknown_alarm"}
    assert labels_of(found) == {"unknown_alarm"}


@pytest.mark.parametrize(("beeps", "gain"), [(3, 0.0), (4, 0.6), (2, 0.6)])
def test_beeps_without_words_or_in_other_numbers_are_no_voice_alarm(beeps: int, gain: float) -> None:
    """An oven beeps three times, too, and says nothing."""
    patterns = {one.evidence["pattern"] for one in heard_in(in_a_room(speaking(beeps, 4.0, gain)))}
    assert "temporal_three_spoken" not in patterns


def test_words_that_go_on_between_the_beeps_are_a_television() -> None:
    """And the beeps are an oven's."""
    oven = speaking(3, 4.0, gain=0.0)
    television = np.resize(spoken(np.random.default_rng(4), 5.0), len(oven))
    patterns = {one.evidence["pattern"] for one in heard_in(in_a_room(oven + 0.5 * television))}
    assert "temporal_three_spoken" not in patterns


def click(pitch_hz: float) -> Samples:
    return played(piezo(pitch_hz), [(0.06, 0.94)], SAMPLE_RATE_HZ)


@pytest.mark.parametrize(
    "sound",
    [
        lambda: played(piezo(2000), steady_pulses(24), SAMPLE_RATE_HZ),
        lambda: played(piezo(2000), [(0.5, 0.5), (0.5, 0.5), (0.5, 2.5)] * 6, SAMPLE_RATE_HZ),
        lambda: played(piezo(2000), [(3.0, 2.0)] * 6, SAMPLE_RATE_HZ),
        lambda: played(piezo(2000), [(0.1, 0.9), (0.1, 0.9), (0.1, 0.9), (0.1, 1.9)] * 5, SAMPLE_RATE_HZ),
        lambda: np.tile(np.concatenate([click(2600), *[click(2000)] * 3]), 7),
        lambda: np.tile(np.concatenate([2 * click(2000), *[click(2000)] * 3]), 7),
    ],
    ids=["truck", "three and a longer pause", "long tones", "four", "metronome", "metronome's loudness"],
)
def test_what_only_resembles_them_is_no_smoke_alarm(sound) -> None:
    """Beeps of another period or another order, and clicks whose fourth is accented."""
    assert "smoke_alarm" not in labels_of(heard_in(in_a_room(sound())))


def test_a_truck_in_the_noise_is_no_smoke_alarm() -> None:
    """Its beeps differ by the noise in them: by 2 dB at most, and not alike from period to period."""
    samples = impostor_samples("reversing_truck", 400046)
    assert "smoke_alarm" not in labels_of(heard_in(samples))


def test_a_truck_that_comes_nearer_is_no_smoke_alarm() -> None:
    """Its beeps change their loudness, but not every four of them alike."""
    truck = played(piezo(1200), steady_pulses(24), SAMPLE_RATE_HZ)
    nearing = truck * np.geomspace(0.05, 1, len(truck))
    noise = 1e-4 * coloured_noise(np.random.default_rng(1), len(truck))
    assert "smoke_alarm" not in labels_of(heard_in(np.asarray(nearing + noise, np.float32)))


def test_too_few_beeps_are_none() -> None:
    """Two whole periods are needed; nothing is made of less."""
    beeps = [Pulse(400 * cycle + 100 * beep, 400 * cycle + 100 * beep + 10, 3100, 20, -30)
             for cycle in range(3) for beep in range(3)]  # fmt: skip
    assert folded([]) is None
    assert folded(beeps[:6]) is None
    assert folded(beeps[:7]) is not None
