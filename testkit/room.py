"""What else lies between a sound and our samples: noise at a level, the camera's gain, codec and network.

Samples are mono float32 in, mono float32 of the same length out, unless a docstring gives another length.
"""

import numpy as np
import numpy.typing as npt

from monitor.audio import Audio, Samples
from monitor.synthesis.room import coloured_noise as coloured_noise
from monitor.synthesis.room import impulse_response as impulse_response
from monitor.synthesis.room import in_room as in_room

THIRD_OCTAVE = 2 ** (1 / 6)
"""From the middle of a third-octave band to either edge."""


def band_power(samples: Samples, centre_hz: float, sample_rate_hz: int) -> float:
    """Mean power in the third-octave band around a pitch, full scale = 1 for a constant."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    frequency_hz = np.fft.rfftfreq(len(samples), 1 / sample_rate_hz)
    inside = (frequency_hz > centre_hz / THIRD_OCTAVE) & (frequency_hz < centre_hz * THIRD_OCTAVE)
    return float(2 * spectrum[inside].sum() / len(samples) ** 2)


def mixed_at_band_snr(
    signal: Samples, noise: Samples, pitch_hz: float, snr_db: float, sample_rate_hz: int
) -> Samples:
    """Signal plus noise, the noise scaled so that the tone stands `snr_db` over it in the third octave around
    its pitch. The tone's power is taken while it sounds, not over its pauses. Noise that is too short is
    repeated; silent noise is added as it is."""
    noise = np.resize(noise, len(signal))
    return np.asarray(
        signal + noise_gain(signal, noise, pitch_hz, snr_db, sample_rate_hz) * noise, np.float32
    )


def noise_gain(signal: Samples, noise: Samples, pitch_hz: float, snr_db: float, sample_rate_hz: int) -> float:
    """What the noise is multiplied by for the tone to stand `snr_db` over it in the third octave around its
    pitch, as `mixed_at_band_snr` says; 1 for silence."""
    noise_power = band_power(noise, pitch_hz, sample_rate_hz)
    return (
        float(np.sqrt(_power_while_on(signal) / noise_power / 10 ** (snr_db / 10)))
        if noise_power > 0
        else 1.0
    )


def _power_while_on(signal: Samples) -> float:
    power = signal.astype(np.float64) ** 2
    loud = power > 1e-4 * power.max()
    # A wave crosses zero even while it sounds: count the samples near a loud one too.
    near = np.convolve(loud, np.ones(33), "same") > 0
    return float(power[near].mean()) if near.any() else 0.0


def telephone(samples: Samples, sample_rate_hz: int) -> Samples:
    """Through a narrow-band channel: 8 kHz, µ-law in 8 bits (ITU-T G.711's curve), and back."""
    narrow = Audio(samples.copy(), sample_rate_hz).resampled(8000).samples
    wide = Audio(mu_law(narrow), 8000).resampled(sample_rate_hz).samples
    return np.asarray(np.pad(wide, (0, max(0, len(samples) - len(wide))))[: len(samples)], np.float32)


def mu_law(samples: Samples) -> Samples:
    """Quantised to the 256 steps of the µ-law curve."""
    squeezed = np.sign(samples) * np.log1p(255 * np.minimum(np.abs(samples), 1)) / np.log(256)
    steps = np.round(squeezed * 127) / 127
    return np.asarray((np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255), np.float32)


def automatic_gain(
    samples: Samples,
    sample_rate_hz: int,
    *,
    target_dbfs: float = -20.0,
    attack_s: float = 0.05,
    release_s: float = 1.0,
    max_gain_db: float = 30.0,
) -> Samples:
    """A camera's gain control, pumping: it ducks after an onset and draws the noise up in the pause."""
    block = sample_rate_hz // 100
    padded = np.pad(samples, (0, -len(samples) % block)).reshape(-1, block)
    level_db = 10 * np.log10(np.mean(padded.astype(np.float64) ** 2, axis=1) + 1e-10)
    wanted_db = np.minimum(target_dbfs - level_db, max_gain_db)
    gain_db = _followed(wanted_db, 0.01 / attack_s, 0.01 / release_s)
    centres = (np.arange(len(gain_db)) + 0.5) * block
    gain = 10 ** (np.interp(np.arange(len(samples)), centres, gain_db) / 20)
    return np.asarray((samples * gain), np.float32)


def _followed(wanted_db: npt.NDArray[np.float64], attack: float, release: float) -> npt.NDArray[np.float64]:
    gain_db = np.empty_like(wanted_db)
    now = float(wanted_db[0]) if len(wanted_db) else 0.0
    for i, target in enumerate(wanted_db):
        now += (target - now) * min(1.0, attack if target < now else release)
        gain_db[i] = now
    return gain_db


def clipped(samples: Samples, over_db: float = 12.0) -> Samples:
    """Overdriven: full scale is `over_db` below the sound's own peak, and the result peaks at 1."""
    peak = max(float(np.abs(samples).max(initial=0)), 1e-9)
    return np.asarray(np.clip(samples * (10 ** (over_db / 20) / peak), -1, 1), np.float32)


def with_lost_packets(
    samples: Samples,
    rng: np.random.Generator,
    sample_rate_hz: int,
    loss: float = 0.05,
    packet_s: float = 0.04,
) -> Samples:
    """Packets of `packet_s` silenced with probability `loss`, as by a decoder without concealment."""
    size = round(packet_s * sample_rate_hz)
    kept = rng.random(-(-len(samples) // size)) >= loss
    return np.asarray((samples * np.repeat(kept, size)[: len(samples)]), np.float32)
