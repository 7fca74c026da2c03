"""A buffer that is delivered again and again."""

import numpy as np
import pytest
import soxr

from monitor.audio import Samples
from monitor.gate.loops import is_loop
from testkit.builders import noise, tone


def looped(period_s: float, rate_hz: int = 16_000) -> Samples:
    """5 s of a buffer of noise in 16 bits, again and again, at 16 kHz."""
    buffer = np.round(noise(period_s, -50)[: round(period_s * rate_hz)] * 32768) / 32768
    sound = np.resize(buffer, 5 * rate_hz).astype(np.float32)
    heard = soxr.resample(sound, rate_hz, 16_000) if rate_hz != 16_000 else sound
    # Without the end, where the resampler runs out of sound.
    return heard[-150 * 480 : -9 * 480].astype(np.float32)


@pytest.mark.parametrize("period_s", [0.01, 0.3, 0.6, 1.0, 1.7, 2.0])
def test_a_loop_is_found_whatever_its_length(period_s: float) -> None:
    """From one buffer of a driver to two seconds of a camera's memory."""
    assert is_loop(looped(period_s))


@pytest.mark.parametrize("rate_hz", [8_000, 48_000])
def test_a_loop_at_another_rate_is_found(rate_hz: int) -> None:
    """The resampler rounds each repetition otherwise."""
    assert is_loop(looped(1.0, rate_hz))


@pytest.mark.parametrize("level_dbfs", [-30, -60, -85, -100])
def test_noise_is_never_a_loop(level_dbfs: float) -> None:
    """Even 16-bit noise of a few steps does not repeat itself by chance."""
    quiet = np.round(noise(4.2, level_dbfs, seed=4) * 32768) / 32768
    assert not is_loop(quiet.astype(np.float32))
    assert not is_loop(noise(4.2, level_dbfs))


def test_what_repeats_but_for_the_room_is_no_loop() -> None:
    """An alarm repeats; the room and the converter do not."""
    beep = np.concatenate((tone(3100, 0.5), np.zeros(8_000, np.float32)))
    alarm = np.resize(beep, 140 * 480) + noise(4.2, -80)
    steps: Samples = np.round(alarm * 32768).astype(np.float32)
    assert not is_loop(steps * np.float32(1 / 32768))
