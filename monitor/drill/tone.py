"""The tones of an alarm alone, out of a recording with the noise of its room. Pure.

A recording that is made quieter takes its own noise down with it. With steady noise this does not matter, for
as much is added again. Where dishes rattle it does: the pauses of the noise that is added, in which a quiet
alarm is still heard, are then filled with what rattled in the recording.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Samples

Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]

_WINDOW, _HOP = 512, 128
"""32 ms, as good as the shortest gap between beeps needs, every 8 ms."""
_HZ = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE_HZ)
_OWN_HZ, _OWN_SHARE = 50.0, 0.025
"""How far from its pitch a tone is, at least and as a share of it: alarms drift by a hundredth."""
_BEEPS_FROM = {"co_alarm": 96.0}
_BEEPS_FROM_ELSE = 78.0
"""The percentile of a recording above which its looks are in a beep: with what is recorded around it, T4
beeps for 6 % of the time, T3 for 27 % and more."""
_SOUNDS_DB = 10.0
"""A beep is no more than this below that."""
_RARE, _CLEAR = 95.0, 4.0
"""Beeps are looked for at the pitches at which they have so many times the power of the noise, but for its
loudest twentieth."""
_PRESENT, _MOST = 10.0, 4.0
"""An overtone is the alarm's if it has so many times the power of the noise in the median, and no look at it
has more than four times the median of the beeps: the rest is what rattled meanwhile."""
_LEAST_BEEP = 7
"""Looks: 56 ms. Plates ring for less at one pitch, or fade."""
_RINGS = 75
"""Looks: for 0.6 s after a beep a room rings on."""
_NEAR = 2.0
"""After each beep a room rings in the same way: what has more than twice the median power, so long after its
beep, is what rattled. A room's ringing swells and fades. Held to fade, the gaps of T4 at 520 Hz are too
clear, and such an alarm is found down to where the true one is not."""
_RANGE, _LEAST = 1e-9, 1e-12
"""The share of the loudest power, and the power, below which nothing is told from silence."""
_RATTLES_DB = 12.0
"""Noise that is so much louder for a twentieth of the time than in the median comes in bursts: with dishes it
is 30 dB and more at any pitch, with steady noise 5."""


def rattles(noise: Samples, pitch_hz: float) -> bool:
    """Whether a room's noise, 16 kHz, comes in bursts at an alarm's pitch."""
    level = (np.abs(_spectra(noise)) ** 2)[:, _own(pitch_hz)].sum(axis=1)
    rare, usual = np.percentile(level, [_RARE, 50.0])
    return bool(rare > usual * 10 ** (_RATTLES_DB / 10))


def tones_alone(
    samples: Samples, noise: Samples, pitch_hz: float, label: str, *, fades: bool = False
) -> Samples:
    """What sounds at the alarm's pitches while it beeps and while the room rings after that; 16 kHz, of the
    same length. `noise` is the room without it. `fades`: after a beep nothing is more than twice what it has
    fallen to. Nothing where no beep is clear."""
    looks, others = _spectra(samples), np.abs(_spectra(noise)) ** 2
    power, least = np.abs(looks) ** 2, _RANGE * float(np.abs(looks).max() ** 2) + _LEAST
    rare = np.percentile(others, _RARE, axis=0) + least
    from_there = _BEEPS_FROM.get(label, _BEEPS_FROM_ELSE)
    own = _own(pitch_hz)
    clear = own & (np.percentile(power, from_there, axis=0) >= _CLEAR * rare)
    lowest = clear & (1.5 * pitch_hz > _HZ)  # a plate that rings at some overtone is clear by chance
    clear = lowest if lowest.any() else clear
    level = (power[:, clear] / rare[clear]).sum(axis=1)
    beeps = _beeps(level, float(np.percentile(level, from_there)))
    if not clear.any() or not beeps.any():
        return np.zeros_like(samples)
    usual = np.median(power[beeps], axis=0)
    pitches = own & (usual >= _PRESENT * (np.median(others, axis=0) + least))
    left = _left(power, _MOST * usual, beeps, fades=fades)
    return _sound(looks * np.sqrt(left / (power + least)) * pitches, len(samples))


def _own(pitch_hz: float) -> Flags:
    """Which bins are near the pitch or an overtone of it."""
    nearest_hz = np.maximum(np.round(_HZ / pitch_hz), 1) * pitch_hz
    return np.asarray(np.abs(_HZ - nearest_hz) <= max(_OWN_HZ, _OWN_SHARE * pitch_hz))


def _beeps(level: Floats, sounding: float) -> Flags:
    """Which looks are of a beep: those in a row that is long enough."""
    on = level >= max(sounding, 1e-9) * 10 ** (-_SOUNDS_DB / 10)
    edges = np.flatnonzero(np.diff(on, prepend=False, append=False))
    for first, end in edges.reshape(-1, 2).tolist():
        on[first:end] = end - first >= _LEAST_BEEP
    return np.asarray(on)


def _left(power: Floats, most: Floats, beeps: Flags, *, fades: bool) -> Floats:
    """What of the power of each look and bin is the alarm's: in a beep no more than `most`, after it no more
    than is usual so long after a beep."""
    left = np.where(beeps[:, None], np.minimum(power, most), 0.0)
    ends = np.flatnonzero(beeps[:-1] & ~beeps[1:]) + 1
    begins = np.append(np.flatnonzero(~beeps[:-1] & beeps[1:]) + 1, len(beeps))
    nexts = begins[np.searchsorted(begins, ends)]
    fallen = left[ends - 1]
    for after in range(_RINGS):
        goes_on = ends + after < nexts
        if goes_on.any():
            at = (ends + after)[goes_on]
            rings = np.minimum(power[at], most)
            fallen[goes_on] = np.minimum(fallen[goes_on], rings)
            usual = np.median(power[at], axis=0)
            left[at] = np.minimum(rings, _NEAR * (np.minimum(usual, fallen[goes_on]) if fades else usual))
    return left


def _spectra(samples: Samples) -> npt.NDArray[np.complexfloating[Any, Any]]:
    """The spectrum of every look, shape (looks, bins)."""
    padded = np.pad(samples, (_WINDOW, 2 * _WINDOW))
    looks = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    return np.asarray(np.fft.rfft(looks * _shape(), axis=1))


def _sound(spectra: npt.NDArray[np.complexfloating[Any, Any]], length: int) -> Samples:
    """The sound that has these spectra: looks are added where they overlap."""
    looks = np.fft.irfft(spectra, _WINDOW, axis=1) * _shape()
    out = np.zeros(len(looks) * _HOP + _WINDOW)
    for part in range(_WINDOW // _HOP):
        columns = looks[:, part * _HOP : (part + 1) * _HOP]
        out[part * _HOP : part * _HOP + columns.size] += columns.ravel()
    return np.asarray(out[_WINDOW : _WINDOW + length], np.float32)


def _shape() -> Floats:
    """Applied twice, four looks of it add up to 1 everywhere."""
    return np.asarray(np.sqrt(np.hanning(_WINDOW + 1)[:-1] / 2))
