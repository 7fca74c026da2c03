"""The A-weighting against the standard's own table, typed by hand, and against a spectrum of the whole."""

import math

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.loudness.weighting import HOP, samples_for, weighted_energies
from testkit.builders import noise, tone

TABLE = {
    20: (-50.5, 3.0), 25: (-44.7, 3.0), 31.5: (-39.4, 3.0), 40: (-34.6, 2.0), 50: (-30.2, 2.0),
    63: (-26.2, 2.0), 80: (-22.5, 2.0), 100: (-19.1, 1.5), 125: (-16.1, 1.5), 160: (-13.4, 1.5),
    200: (-10.9, 1.5), 250: (-8.6, 1.5), 315: (-6.6, 1.5), 400: (-4.8, 1.5), 500: (-3.2, 1.5),
    630: (-1.9, 1.5), 800: (-0.8, 1.5), 1000: (0.0, 1.0), 1250: (0.6, 1.5), 1600: (1.0, 2.0),
    2000: (1.2, 2.0), 2500: (1.3, 2.5), 3150: (1.2, 2.5), 4000: (1.0, 3.0), 5000: (0.5, 3.5),
    6300: (-0.1, 4.5), 8000: (-1.1, 5.0),
}  # fmt: skip
"""IEC 61672-1:2013, table 3: nominal frequency, A in dB, and what class 2 allows."""
EXACT_HZ = {nominal: 1000 * 10 ** ((index - 17) / 10) for index, nominal in enumerate(TABLE)}
BLOCKS = 12


def weighted_dbfs(samples: Samples) -> float:
    return 10 * math.log10(sum(weighted_energies(samples[: samples_for(BLOCKS)])) / (BLOCKS * HOP))


@pytest.mark.parametrize("nominal", TABLE)
def test_a_tone_is_weighted_as_class_2_asks(nominal: float):
    """At each third of an octave from 20 Hz up to where the sound ends."""
    weight_db, allowed_db = TABLE[nominal]
    found_db = weighted_dbfs(tone(EXACT_HZ[nominal], 3.0, -20.0)) + 20
    assert abs(found_db - weight_db) < allowed_db
    assert nominal < 40 or abs(found_db - weight_db) < 0.2  # the table has one digit


def pink(duration_s: float) -> Samples:
    """Noise with the same power in every octave from 20 Hz on."""
    spectrum = np.fft.rfft(noise(duration_s, -20.0, seed=3).astype(np.float64))
    hz = np.fft.rfftfreq(round(duration_s * SAMPLE_RATE_HZ), 1 / SAMPLE_RATE_HZ)
    shaped = np.where(hz >= 20, spectrum / np.sqrt(np.maximum(hz, 20)), 0)
    return np.fft.irfft(shaped).astype(np.float32)


def test_pink_noise_has_the_level_that_the_table_gives_it():
    """Against one spectrum of the whole, weighted by the table's own points: blocks cost nothing."""
    samples = pink(20.0)
    blocks = BLOCKS * 7
    samples = samples[: samples_for(blocks)]
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ)
    known_hz = np.array([EXACT_HZ[nominal] for nominal in TABLE])
    known_db = np.array([weight for weight, _ in TABLE.values()])
    weights_db = np.interp(np.log(np.maximum(hz, 1e-9)), np.log(known_hz), known_db, left=-70.0)
    expected = 10 * math.log10((power * 10 ** (weights_db / 10)).sum() * 2 / len(samples) ** 2)
    found = 10 * math.log10(sum(weighted_energies(samples)) / (blocks * HOP))
    assert found == pytest.approx(expected, abs=0.15)


def test_a_bang_counts_the_same_wherever_it_falls():
    """On the seam of two blocks, in the flat of one: the energy of every sample counts once."""
    found = []
    for place in range(BLOCKS * HOP // 2, BLOCKS * HOP // 2 + HOP, 131):
        samples = np.zeros(samples_for(BLOCKS), np.float32)
        samples[place : place + 160] = tone(2000, 0.01, -10.0)
        found.append(weighted_dbfs(samples))
    assert max(found) - min(found) < 0.1


def test_an_offset_is_no_sound():
    """But for 0.2 dB in a very quiet room: samples that lie beside zero, at the edge of what is a fault."""
    quiet = noise(3.0, -70.0)
    assert weighted_dbfs(quiet + np.float32(0.05)) == pytest.approx(weighted_dbfs(quiet), abs=0.3)


def test_a_strong_hum_does_not_spill_into_the_octaves_where_a_counts():
    """50 Hz at -10 dBFS has -40 dB(A), and nothing beside."""
    assert weighted_dbfs(tone(50, 3.0, -10.0)) == pytest.approx(-40.2, abs=0.3)
