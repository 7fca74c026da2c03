"""Rooms, noise and channels: each does what its name says, by measurement."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ
from monitor.synthesis.room import coloured_noise, impulse_response, in_room
from testkit.builders import tone
from testkit.room import (
    automatic_gain,
    band_power,
    clipped,
    mixed_at_band_snr,
    mu_law,
    telephone,
    with_lost_packets,
)


@pytest.mark.parametrize("rt60_s", [0.3, 0.8])
def test_reverberation_time_is_as_asked(rt60_s: float) -> None:
    """The energy still to come (Schroeder's integral) falls by about 60 dB in the reverberation time."""
    response = impulse_response(np.random.default_rng(1), rt60_s, SAMPLE_RATE_HZ)

    to_come_db = 10 * np.log10(np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1])
    early, late = (to_come_db[round(share * rt60_s * SAMPLE_RATE_HZ)] for share in (0.1, 0.5))
    assert (early - late) / 0.4 == pytest.approx(60, rel=0.2)


def test_a_room_keeps_the_energy_and_the_length() -> None:
    """A response has energy 1, so that noise is as loud in the room as before."""
    noise = coloured_noise(np.random.default_rng(2), SAMPLE_RATE_HZ, 0.0)
    response = impulse_response(np.random.default_rng(3), 0.4, SAMPLE_RATE_HZ)

    assert np.sum(response**2) == pytest.approx(1, abs=1e-3)
    assert len(in_room(noise, response)) == len(noise)
    assert len(in_room(noise, response, tail=True)) == len(noise) + len(response) - 1
    assert np.mean(in_room(noise, response) ** 2) == pytest.approx(np.mean(noise**2), rel=0.3)


@settings(max_examples=20, deadline=None)
@given(st.floats(-10, 30), st.floats(500, 4000), st.integers(0, 1000))
def test_band_snr_is_as_asked(snr_db: float, pitch_hz: float, seed: int) -> None:
    """Tone over noise, each measured alone in the third octave around the pitch."""
    signal = tone(pitch_hz, 1.0)
    noise = coloured_noise(np.random.default_rng(seed), len(signal))

    added = mixed_at_band_snr(signal, noise, pitch_hz, snr_db, SAMPLE_RATE_HZ) - signal

    powers = [band_power(samples, pitch_hz, SAMPLE_RATE_HZ) for samples in (signal, added)]
    assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx(snr_db, abs=0.2)


def test_pauses_do_not_count_as_signal() -> None:
    """The SNR of a beeping tone is that of its beeps."""
    steady = tone(3000, 1.0)
    beeping = np.concatenate([steady, np.zeros(3 * SAMPLE_RATE_HZ, np.float32)])
    noise = coloured_noise(np.random.default_rng(1), len(beeping))

    added = mixed_at_band_snr(beeping, noise, 3000, 6.0, SAMPLE_RATE_HZ) - beeping

    powers = band_power(steady, 3000, SAMPLE_RATE_HZ), band_power(added, 3000, SAMPLE_RATE_HZ)
    assert 10 * np.log10(powers[0] / powers[1]) == pytest.approx(6, abs=0.3)


def test_pink_noise_has_equal_octaves() -> None:
    """Pink noise has as much power in one third octave as in another; white noise has more in the higher."""
    pink, white = (
        coloured_noise(np.random.default_rng(4), 10 * SAMPLE_RATE_HZ, slope) for slope in (-3.0, 0.0)
    )

    ratios_db = [
        10 * np.log10(band_power(noise, 4000, SAMPLE_RATE_HZ) / band_power(noise, 500, SAMPLE_RATE_HZ))
        for noise in (pink, white)
    ]
    assert ratios_db == pytest.approx([0, 9], abs=0.6)


def test_a_telephone_passes_speech_and_no_more() -> None:
    """3 kHz comes through, 5 kHz does not; the length stays."""
    low, high = (telephone(tone(pitch, 0.5), SAMPLE_RATE_HZ) for pitch in (3000, 5000))

    assert len(low) == 8000
    assert np.mean(low**2) > 100 * np.mean(high**2)


def test_mu_law_has_few_steps_and_finer_ones_near_zero() -> None:
    """At most 255 values remain, and quiet sound is hardly changed."""
    samples = np.linspace(-1, 1, 20_001).astype(np.float32)

    assert len(np.unique(mu_law(samples))) <= 255
    assert np.abs(mu_law(samples) - samples)[np.abs(samples) < 0.01].max() < 0.001


def test_gain_control_pumps() -> None:
    """It ducks a loud tone within a tenth of a second and draws the noise up in the pause after it."""
    loud, quiet = tone(3000, 1.0, -6.0), 1e-3 * coloured_noise(np.random.default_rng(1), SAMPLE_RATE_HZ)

    out = automatic_gain(np.concatenate([quiet, loud, quiet]).astype(np.float32), SAMPLE_RATE_HZ)

    assert np.abs(out[32_000 - 1600 : 32_000]).max() < 0.5 * np.abs(out[16_000:17_600]).max()
    assert np.std(out[-1600:]) > 2 * np.std(out[32_000:33_600])


def test_clipping_and_lost_packets() -> None:
    """Clipped sound spends its time at full scale; lost packets are silent and as many as asked."""
    samples = tone(440, 2.0)

    assert np.mean(np.abs(clipped(samples)) == 1) > 0.5
    lost = with_lost_packets(samples, np.random.default_rng(1), SAMPLE_RATE_HZ, loss=0.2)
    assert np.mean(lost.reshape(-1, 640).std(axis=1) == 0) == pytest.approx(0.2, abs=0.12)
