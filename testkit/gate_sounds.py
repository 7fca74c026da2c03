"""Sounds for the gate, and what it makes of them."""

import ctypes
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples
from monitor.gate.config import GateConfig
from monitor.gate.faults import MicrophoneFaults
from monitor.gate.gate import Gate
from monitor.gate.habit import Habit
from monitor.gate.listening import FrameMarker
from monitor.gate.tonality import tonality
from monitor.native.kernels import kernels
from monitor.types import Detection, Level, Problem, ProblemKind, Segment
from testkit.builders import START, frames, noise, tone

T = TypeVar("T")


def heard(gate: Gate, *parts: Samples) -> list[Segment | Detection | Level | Problem]:
    """All that the gate makes of the parts, one after the other."""
    pushed = [gate.push(frame) for frame in frames(np.concatenate(parts))]
    return [one for out in pushed for one in (*out.segments, *out.detections, *out.notices)]


def only(kind: type[T], said: Sequence[object]) -> list[T]:
    """What is of that kind."""
    return [one for one in said if isinstance(one, kind)]


def silence(duration_s: float) -> Samples:
    """Digital silence."""
    return np.zeros(round(duration_s * SAMPLE_RATE_HZ), np.float32)


def smoke_alarm(cycles: int) -> Samples:
    """The temporal-three pattern of ISO 8201 at 3100 Hz, -20 dBFS, 4 s a cycle, without any noise."""
    beep = np.concatenate((tone(3100, 0.5), silence(0.5)))
    return np.tile(np.concatenate((beep, beep, beep, silence(1.0))), cycles)


def siren(duration_s: float) -> Samples:
    """A yelp: 500 to 1500 Hz and back, three times a second, -20 dBFS."""
    t = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    frequency_hz = 500 + 1000 * np.abs(2 * ((3 * t) % 1) - 1)
    return np.asarray(0.141 * np.sin(2 * np.pi * np.cumsum(frequency_hz) / SAMPLE_RATE_HZ), np.float32)


def horn(duration_s: float) -> Samples:
    """Many equal harmonics of 130 Hz above 500 Hz, around -20 dBFS."""
    t = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.asarray(sum(0.02 * np.sin(2 * np.pi * 130 * k * t + k * k) for k in range(4, 50)), np.float32)


def voice(duration_s: float, pitch_hz: float = 120.0, level_dbfs: float = -25.0) -> Samples:
    """Glottal pulses through three formants, in syllables four times a second."""
    count = round(duration_s * SAMPLE_RATE_HZ)
    t = np.arange(count) / SAMPLE_RATE_HZ
    pitch = np.cumsum(pitch_hz * (1 + 0.05 * np.sin(2 * np.pi * 0.7 * t))) / SAMPLE_RATE_HZ
    pulses = np.diff(np.floor(pitch), prepend=0.0)
    frequency_hz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    formants = sum(1 / (1 + ((frequency_hz - f) / 90) ** 2) for f in (600.0, 1200.0, 2500.0))
    vowel = np.fft.irfft(np.fft.rfft(pulses) * formants, count)
    spoken = vowel * np.clip(np.sin(2 * np.pi * 4 * t) + 0.6, 0, 1)
    return np.asarray(spoken * 10 ** (level_dbfs / 20) / np.sqrt(np.mean(spoken**2)), np.float32)


def in_a_room(samples: Samples, level_dbfs: float = -60.0) -> Samples:
    """The sound in a room with that noise."""
    return samples + noise(len(samples) / SAMPLE_RATE_HZ + 1, level_dbfs, seed=7)[: len(samples)]


Kinds = tuple[ProblemKind, ...]


class Microphone:
    """A microphone whose faults are looked for."""

    def __init__(self, habit: Habit | None = None) -> None:
        self._marker = FrameMarker(GateConfig())
        self._condition = MicrophoneFaults(habit)

    @property
    def kinds(self) -> Kinds:
        """What is wrong with it now."""
        return self._condition.kinds

    def course(self, sound: Samples) -> list[tuple[float, Kinds]]:
        """When what is wrong changes, in seconds from the sound's start."""
        changes, first, frames = list[tuple[float, Kinds]](), 0, len(sound) // FRAME_SAMPLES
        while first < frames:
            count = min(self._marker.frames_wanted, frames - first)
            heard = self._marker.hear(sound, first, count)
            at = START + timedelta(seconds=first * FRAME_S)
            found = self._condition.hear(heard, self._marker.recent, at)
            changes += [((index + 1) * FRAME_S, kinds) for index, kinds in found]
            first += count
        return changes


def tonal_share(block: Samples) -> float:
    """The share of a block's power, 0-1, that is in narrow lines above 400 Hz, as the kernel finds it for the
    noise floor. `block`: ten frames at 16 kHz, shape (4800,)."""
    whole = np.ascontiguousarray(block)
    return float(kernels().tonal_share(ctypes.addressof(tonality()), whole.ctypes.data))
