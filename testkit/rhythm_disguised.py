"""T3 that no longer looks like T3, and what resembles it: for the rhythm detector's tests and benchmarks.

Samples are mono, of shape (samples,), at 16 kHz.
"""

from collections.abc import Callable

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.synthesis.room import coloured_noise
from testkit.alarms import steady_pulses
from testkit.cadences.sounds import spoken
from testkit.rhythm_trials import impostor_samples

LAGS_S = (0.4, 0.5, 0.65, 0.8, 1.0, 1.2, 1.5, 1.75, 2.0, 2.6, 3.0)
"""Between two alarms; whole seconds apart they are beeps in even succession, but for their loudness."""
LAGS_IN_NOISE = (
    (0.5, -10), (0.75, -10), (1.0, -6), (1.25, -10), (1.5, -10), (1.75, -10), (2.0, -6),
)  # fmt: skip
"""Seconds between two alarms, and the SNR in dB at which they are still found: whole seconds apart only the
loudness tells, which noise hides sooner."""
CUT_TONES_S = (0.05, 0.1, 0.15)
"""What is left of a beep."""
WORDS_S = (2.0, 4.0, 6.0)
"""How long an alarm speaks between its groups of beeps."""


def t3() -> Samples:
    """Six cycles of T3; shape (samples,)."""
    return played(piezo(3100), temporal_three(6), SAMPLE_RATE_HZ)


def out_of_step(lag_s: float) -> Samples:
    """Two alarms of one make in one room, the second so much later; shape (samples,)."""
    first, lag = t3(), round(lag_s * SAMPLE_RATE_HZ)
    both = np.concatenate((first, np.zeros(lag, np.float32)))
    both[lag:] += t3()
    return both


def in_a_room(sound: Samples, snr_db: float = 40, seed: int = 3) -> Samples:
    """Between two seconds of noise, in white noise of this SNR; shape (samples,)."""
    padded = np.pad(sound, 2 * SAMPLE_RATE_HZ)
    rms = float(np.sqrt(np.mean(sound**2))) * 10 ** (-snr_db / 20)
    noise = np.random.default_rng(seed).normal(scale=rms, size=len(padded))
    return np.asarray(0.4 * (padded + noise), np.float32)


def cut(sound: Samples, tone_s: float) -> Samples:
    """What a camera's noise suppressor leaves: it takes a steady tone for noise after a moment; shape
    (samples,), as `sound`."""
    left = sound.copy()
    for cycle in range(6):
        for beep in range(3):
            start = 4 * cycle + beep
            left[round((start + tone_s) * SAMPLE_RATE_HZ) : round((start + 0.52) * SAMPLE_RATE_HZ)] = 0
    return left


def speaking(beeps: int, words_s: float, gain: float = 0.6, lasts: int = 4) -> Samples:
    """So many beeps of T3 each time, and then words, all with the same voice; shape (samples,)."""
    once = played(piezo(3100), [(0.5, 0.5)] * beeps, SAMPLE_RATE_HZ)
    words = gain * spoken(np.random.default_rng(4), words_s)
    return np.tile(np.concatenate([once, words, np.zeros(SAMPLE_RATE_HZ // 4, np.float32)]), lasts)


def television() -> Samples:
    """An oven that beeps three times, again and again, and a television; shape (samples,)."""
    oven = speaking(3, 4.0, gain=0.0)
    return oven + 0.5 * np.resize(spoken(np.random.default_rng(4), 5.0), len(oven))


def nearing_truck() -> Samples:
    """It changes its loudness, but not every four beeps alike; shape (samples,)."""
    truck = played(piezo(1200), steady_pulses(24), SAMPLE_RATE_HZ)
    noise = 1e-4 * coloured_noise(np.random.default_rng(1), len(truck))
    return np.asarray(truck * np.geomspace(0.05, 1, len(truck)) + noise, np.float32)


def _beeps(*rhythm: tuple[float, float], times: int = 6) -> Samples:
    return played(piezo(2000), [*rhythm] * times, SAMPLE_RATE_HZ)


def _click(pitch_hz: float) -> Samples:
    return played(piezo(pitch_hz), [(0.06, 0.94)], SAMPLE_RATE_HZ)


RESEMBLING: dict[str, Callable[[], Samples]] = {
    "truck": lambda: played(piezo(2000), steady_pulses(24), SAMPLE_RATE_HZ),
    "three and a longer pause": lambda: _beeps((0.5, 0.5), (0.5, 0.5), (0.5, 2.5)),
    "long tones": lambda: _beeps((3.0, 2.0)),
    "four": lambda: _beeps((0.1, 0.9), (0.1, 0.9), (0.1, 0.9), (0.1, 1.9), times=5),
    "accented metronome": lambda: np.tile(np.concatenate([_click(2600), *[_click(2000)] * 3]), 7),
    "louder fourth click": lambda: np.tile(np.concatenate([2 * _click(2000), *[_click(2000)] * 3]), 7),
}
"""Beeps of another period or another order, and clicks whose fourth is accented."""


def disguised() -> dict[str, Samples]:
    """All of them, by name: two alarms, beeps that were cut, voice alarms, and what is none."""
    alarms = {f"two alarms, {lag_s:g} s": in_a_room(out_of_step(lag_s)) for lag_s in LAGS_S}
    for lag_s, snr_db in LAGS_IN_NOISE:
        alarms[f"two alarms, {lag_s:g} s, {snr_db} dB"] = in_a_room(out_of_step(lag_s), snr_db)
    for tone_s in CUT_TONES_S:
        alarms |= {f"cut to {tone_s:g} s, {db} dB": in_a_room(cut(t3(), tone_s), db) for db in (40, 0)}
    for words_s in WORDS_S:
        alarms[f"voice alarm, {words_s:g} s"] = in_a_room(speaking(3, words_s, gain=0.3), snr_db=20)
    return (
        alarms
        | {name: in_a_room(sound()) for name, sound in RESEMBLING.items()}
        | {
            "three beeps and quiet": in_a_room(speaking(3, 4.0, 0.0)),
            "four beeps and words": in_a_room(speaking(4, 4.0)),
            "two beeps and words": in_a_room(speaking(2, 4.0)),
            "oven and television": in_a_room(television()),
            "truck that comes nearer": nearing_truck(),
            "truck in noise": impostor_samples("reversing_truck", 400_046),
        }
    )
