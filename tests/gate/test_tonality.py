"""Fans and sounders separated."""

import numpy as np
import pytest

from monitor.audio import Samples
from monitor.gate.tonality import flatness
from testkit.builders import noise, tone
from testkit.gate_sounds import horn, in_a_room, siren, tonal_share

BLOCK = slice(1600, 6400)


def coloured(slope_db_per_octave: float) -> Samples:
    """Gaussian noise whose spectrum falls so steeply, as rooms, fans and microphones colour it."""
    spectrum = np.fft.rfft(noise(0.5, seed=1))
    octaves = np.log2(np.maximum(1, np.arange(len(spectrum))))
    return np.asarray(np.fft.irfft(spectrum * 10 ** (-slope_db_per_octave * octaves / 20)), np.float32)


@pytest.mark.parametrize("slope_db_per_octave", [-3, 0, 3, 6])
def test_noise_of_any_colour_is_not_tonal(slope_db_per_octave: float) -> None:
    """White, pink, brown and blue noise have next to no power in lines."""
    assert tonal_share(coloured(slope_db_per_octave)[BLOCK]) < 0.25


@pytest.mark.parametrize(
    "sound", [tone(520, 0.5), tone(3100, 0.5), siren(0.5), horn(0.5)], ids=["520", "3100", "siren", "horn"]
)
def test_sounders_are_tonal(sound: Samples) -> None:
    """Tones, sweeps and horns are tonal, in noise too."""
    assert tonal_share(in_a_room(sound, level_dbfs=-40)[BLOCK]) > 0.6


def test_hum_is_not_a_sounder() -> None:
    """Lines below 400 Hz belong to machines that a room gets used to."""
    assert tonal_share(in_a_room(tone(120, 0.5) + tone(240, 0.5, -30), -50)[BLOCK]) < 0.25


def test_flatness_of_noise_is_the_theoretical_one() -> None:
    """The flatness of Gaussian noise is exp(-gamma) = 0.56; a tone has almost none."""
    assert flatness(noise(3, seed=2)) == pytest.approx(0.56, abs=0.03)
    assert flatness(tone(1000, 0.3)) < 0.01
