"""The rhythm tracker: the same samples give the same answers however they arrive."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.report import PatternReport
from monitor.rhythm.spectrum import BLOCK
from monitor.rhythm.tracker import RhythmTracker
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.synthesis.room import coloured_noise
from testkit.alarms import any_sounder, temporal_four, with_tolerance
from testkit.impostors import IMPOSTORS
from testkit.rhythm_sounds import HIDDEN_ONCE, PASSED_ONCE
from testkit.rhythm_trials import RecallCondition, impostor, trial
from testkit.room import mixed_at_band_snr
from tests.rhythm.hearing import alarm

SAMPLES = alarm(temporal_three(2), piezo(3100)) + alarm(
    temporal_four(1, pause_s=7.3), piezo(2500), snr_db=25.0
)


def _heard(samples: Samples, sizes: list[int]) -> list[PatternReport]:
    tracker, heard, at, turn = RhythmTracker(), [], 0, 0
    while at < len(samples):
        size = sizes[turn % len(sizes)]
        heard += tracker.push(samples[at : at + size])
        at, turn = at + size, turn + 1
    return heard


@settings(max_examples=6, deadline=None)
@given(
    st.lists(st.integers(1, 9000), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) > 200 * len(sizes))
)
def test_chunking_makes_no_difference(sizes: list[int]) -> None:
    """Any division of the samples into calls gives identical detections, to the last digit."""
    assert _heard(SAMPLES, sizes) == _heard(SAMPLES, [BLOCK])


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["smoke_alarm", "co_alarm"]))
def test_one_is_never_taken_for_the_other(seed: int, label: str) -> None:
    """Whatever the sounder and the device's own timing, at 10 dB the wrong alarm is never heard."""
    rng = np.random.default_rng(seed)
    sounder = any_sounder(rng)
    rhythm = with_tolerance(temporal_three(2) if label == "smoke_alarm" else temporal_four(2), rng)
    signal = np.pad(played(sounder, rhythm, SAMPLE_RATE_HZ), (16_000, 32_000))
    noise = coloured_noise(rng, len(signal))

    heard = _heard(mixed_at_band_snr(signal, noise, sounder.pitch_hz, 10.0, SAMPLE_RATE_HZ), [BLOCK])

    assert {found.label for found in heard} <= {label, "unknown_alarm"}


@settings(max_examples=4, deadline=None)
@given(st.sampled_from(sorted(IMPOSTORS)), st.integers(0, 30))
def test_impostors_are_never_confirmed(name: str, seed: int) -> None:
    """What beeps, rings and whistles in a home is no confirmed alarm."""
    samples = IMPOSTORS[name](np.random.default_rng(seed), SAMPLE_RATE_HZ)

    heard = _heard(np.pad(samples, (SAMPLE_RATE_HZ, 6 * SAMPLE_RATE_HZ)), [BLOCK])

    assert not [
        found
        for found in heard
        if found.certainty == "confirmed" and found.label in ("smoke_alarm", "co_alarm")
    ]


@settings(max_examples=8, deadline=None)
@given(st.floats(1e-9, 1e6), st.integers(0, 1000))
def test_any_finite_samples_are_borne(scale: float, seed: int) -> None:
    """Samples of any size, far beyond full scale even, neither raise nor bring forth an alarm."""
    rng = np.random.default_rng(seed)
    samples = (scale * rng.standard_normal(SAMPLE_RATE_HZ * 3)).astype(np.float32)

    assert [found for found in _heard(samples, [BLOCK]) if found.label in ("smoke_alarm", "co_alarm")] == []


def test_a_day_later_it_hears_as_at_first() -> None:
    """After other sound and a day unheard an alarm is heard as by a fresh tracker: nothing drifts."""
    fresh, old = RhythmTracker(), RhythmTracker()
    samples = alarm(temporal_three(2))
    for _ in range(10):
        old.push(coloured_noise(np.random.default_rng(2), 5 * SAMPLE_RATE_HZ))
    old.skip(86_400.0)

    first = [tracker.push(samples)[0] for tracker in (fresh, old)]

    assert [(found.label, found.cycles) for found in first] == [("smoke_alarm", 1)] * 2


@pytest.mark.parametrize(("name", "seed"), PASSED_ONCE)
def test_what_once_passed_for_an_alarm_is_none(name: str, seed: int) -> None:
    """Found among hundreds of performances in rooms and noise: neither suspected nor confirmed."""
    _, _, words = impostor((name, seed))
    assert not {label for label, _ in words} & {"smoke_alarm", "co_alarm"}


@pytest.mark.parametrize(("pattern", "condition", "seed"), HIDDEN_ONCE)
def test_what_once_hid_an_alarm_does_not(pattern: str, condition: RecallCondition, seed: int) -> None:
    """Suspected after one cycle and confirmed after two."""
    heard = trial(pattern, condition, seed)
    assert heard.suspected is not None
    assert heard.suspected <= 1.1
    assert heard.confirmed is not None
    assert heard.confirmed <= 2.2
