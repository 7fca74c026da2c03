"""The synthetic alarms: standard timings, pitches, and the same sound for the same seed."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.synthesis.alarms import PEAK, piezo, played, temporal_three
from testkit.alarms import (
    any_sounder,
    co_alarm,
    continuous_alarm,
    low_battery_chirp,
    march_time_alarm,
    smoke_alarm,
    square_520_hz,
    temporal_four,
    with_tolerance,
)


def _on(samples: Samples) -> np.ndarray:
    """Whether it sounds, in steps of 10 ms."""
    blocks = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    return np.asarray(np.abs(blocks).max(axis=1) > 0.05)


def test_temporal_three_has_the_standards_timing() -> None:
    """Three tones of 0.5 s, 0.5 s apart, then 1.5 s of quiet (ISO 8201)."""
    on = _on(played(piezo(), temporal_three(1), SAMPLE_RATE_HZ))

    assert [int(x) for x in np.flatnonzero(np.diff(on.astype(int)))] == pytest.approx(
        [49, 99, 149, 199, 249], abs=1
    )
    assert len(on) == 400


def test_temporal_four_has_the_standards_timing() -> None:
    """Four tones of 0.1 s, 0.1 s apart, then 5 s of quiet."""
    on = _on(played(piezo(), temporal_four(1), SAMPLE_RATE_HZ))

    assert on[:70].mean() == pytest.approx(4 / 7, abs=0.05)
    assert not on[71:].any()
    assert len(on) == 570


@settings(max_examples=50)
@given(st.integers(0, 2**32), st.floats(0.0, 0.1))
def test_tolerance_is_kept(seed: int, tolerance: float) -> None:
    """A device's own timing is wrong by no more than the tolerance, and alike in each cycle."""
    nominal = temporal_three(2)
    real = with_tolerance(nominal, np.random.default_rng(seed), tolerance)

    ratios = np.array(real) / np.array(nominal)
    assert np.abs(ratios - 1).max() <= tolerance + 1e-9
    assert real[:3] == real[3:]


def test_a_square_wave_has_odd_harmonics_only() -> None:
    """The 520 Hz sounder has its third harmonic a third as strong, and no second."""
    spectrum = np.abs(np.fft.rfft(played(square_520_hz(), [(1.0, 0.0)], SAMPLE_RATE_HZ)[:16_000]))

    assert spectrum[1560] / spectrum[520] == pytest.approx(1 / 3, abs=0.02)
    assert spectrum[1040] / spectrum[520] < 0.02


def test_no_harmonic_folds_back() -> None:
    """What lies above half the rate is left out rather than mirrored to a wrong pitch."""
    spectrum = np.abs(np.fft.rfft(played(piezo(3500, 0.3, 0.3), [(1.0, 0.0)], SAMPLE_RATE_HZ)[:16_000]))

    assert spectrum[16_000 - 3 * 3500] / spectrum[3500] < 0.01


@settings(max_examples=8, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from([smoke_alarm, co_alarm, march_time_alarm, continuous_alarm, low_battery_chirp]),
)
def test_every_alarm_is_sound_and_repeatable(
    seed: int, make: Callable[[np.random.Generator, int], Samples]
) -> None:
    """Each maker gives float32 within full scale, the same for the same seed."""
    one, same = (make(np.random.default_rng(seed), SAMPLE_RATE_HZ) for _ in range(2))

    assert one.dtype == np.float32
    assert np.abs(one).max() == pytest.approx(PEAK)
    np.testing.assert_array_equal(one, same)


def test_one_burst_a_minute() -> None:
    """Late in a CO alarm its bursts are a minute apart."""
    samples = co_alarm(np.random.default_rng(1), SAMPLE_RATE_HZ, bursts=2, once_a_minute=True)

    on = _on(samples)
    assert 50 < (np.flatnonzero(on)[-1] - np.flatnonzero(on)[0]) / 100 < 70


def test_sounders_are_of_many_kinds() -> None:
    """Fixed, low and moving pitches all occur."""
    drawn = [any_sounder(np.random.default_rng(seed)) for seed in range(100)]

    assert {sounder.motion for sounder in drawn} == {"fixed", "two_tone", "swept"}
    assert min(sounder.pitch_hz for sounder in drawn) < 572
    assert all(sounder.pitch_hz < 4600 for sounder in drawn)
