import numpy as np
import pytest

from scripts.train_tagger.compression import BIT_RATES, round_trip

RATE_HZ = 16_000


@pytest.mark.parametrize(("codec", "bit_rate"), [(codec, max(rates)) for codec, rates in BIT_RATES.items()])
def test_a_tone_comes_back_at_its_pitch_and_level(codec: str, bit_rate: int) -> None:
    """At the highest bit rate; as long as it went in."""
    wave = (0.3 * np.sin(2 * np.pi * 1_000 * np.arange(2 * RATE_HZ) / RATE_HZ)).astype(np.float32)

    heard = round_trip(wave, RATE_HZ, codec, bit_rate)

    middle = heard[RATE_HZ // 2 : RATE_HZ * 3 // 2]
    assert heard.shape == wave.shape
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 1_000
    assert np.abs(middle).max() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(("codec", "bit_rate"), [(codec, min(rates)) for codec, rates in BIT_RATES.items()])
def test_a_codec_is_late_by_less_than_a_tenth_of_a_second_and_loses_something(
    codec: str, bit_rate: int
) -> None:
    """A burst of noise is found near where it was, and is not the same."""
    rng = np.random.default_rng(0)
    wave = np.zeros(2 * RATE_HZ, np.float32)
    wave[RATE_HZ : RATE_HZ + 4_000] = 0.2 * rng.standard_normal(4_000)

    heard = round_trip(wave, RATE_HZ, codec, bit_rate)

    loud = np.flatnonzero(np.abs(heard) > 0.1)
    assert RATE_HZ - 800 < loud[0] < RATE_HZ + 1_600
    assert loud[-1] < RATE_HZ + 4_000 + 2_400
    assert np.abs(heard - wave).max() > 0.05
