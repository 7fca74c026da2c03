"""Sound as a value: mono float32 samples that never travel without their rate; frames, pieces, minutes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
"""Mono sound, shape (samples,), float32 in -1..1; wherever a signature has it, it has this shape."""
SAMPLE_RATE_HZ = 16_000
"""The rate at which everything behind the sources works."""
CLIPPED_FROM_AMPLITUDE = 0.985
"""Share of full scale (-0.13 dBFS) from which a sample counts as clipped. Chosen: at 1 a lossy codec, which
leaves clipped peaks a little short of full scale, would hide the fault; speech and alarms peak far below."""
PCM16_STEP = 1 / 32768
"""One step of 16 bits, as a share of full scale: all that moves less is a dead input."""
OFFSET_FROM_AMPLITUDE = 0.05
"""Mean of a frame, as a share of full scale (-26 dBFS), that counts as an offset. Chosen: at 0.02 a converter
with a small offset, which harms nothing, would be a fault; the offset of 0.1 in the tests must be one."""
FRAME_SAMPLES = 480
"""A frame is 30 ms: the longest that webrtcvad takes, and a third of the calls of 10 ms."""
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ
_FRAME_TIME = timedelta(seconds=FRAME_S)


@dataclass(frozen=True, eq=False)
class Audio:
    """A stretch of mono sound. `samples` is one-dimensional float32 in -1..1 and made read-only.

    Values beyond full scale are kept (a resampler overshoots); NaN and infinity must not come in: sources
    replace them (`from_float`).
    """

    samples: Samples
    sample_rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.dtype != np.float32 or self.samples.ndim != 1:
            raise TypeError(f"audio is mono float32, not {self.samples.dtype} of shape {self.samples.shape}")
        self.samples.flags.writeable = False

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def duration_s(self) -> float:
        """Length in seconds, from the sample count."""
        return len(self.samples) / self.sample_rate_hz

    @cached_property
    def rms_dbfs(self) -> float:
        """Root-mean-square level relative to a full-scale square wave; -inf for silence or no samples."""
        if not len(self.samples):
            return -np.inf
        return _power_db(float(np.dot(self.samples, self.samples)) / len(self.samples))

    @cached_property
    def peak_dbfs(self) -> float:
        """Largest magnitude relative to full scale; -inf for silence or no samples."""
        if not len(self.samples):
            return -np.inf
        return _power_db(float(max(self.samples.max(), -self.samples.min())) ** 2)

    def slice(self, start_s: float, end_s: float) -> "Audio":
        """The part between two times, rounded to samples and clipped to what is there. No copy."""
        start, end = (max(0, round(t * self.sample_rate_hz)) for t in (start_s, end_s))
        return Audio(self.samples[start:end], self.sample_rate_hz)

    def resampled(self, sample_rate_hz: int) -> "Audio":
        """The whole at another rate, anti-aliased (soxr HQ). Itself if the rate is already right."""
        if sample_rate_hz == self.sample_rate_hz:
            return self
        import soxr

        resampled = soxr.resample(self.samples, self.sample_rate_hz, sample_rate_hz)
        return Audio(resampled.astype(np.float32), sample_rate_hz)

    def to_pcm16(self) -> bytes:
        """Little-endian 16-bit PCM, clipped at full scale."""
        return (np.clip(self.samples, -1, 32767 / 32768) * 32768).astype("<i2").tobytes()

    @staticmethod
    def from_pcm16(data: bytes, sample_rate_hz: int = SAMPLE_RATE_HZ) -> "Audio":
        """From little-endian 16-bit PCM; an odd last byte is dropped, for a read can end mid-sample."""
        usable = len(data) & ~1
        return Audio(
            np.frombuffer(data[:usable], "<i2").astype(np.float32) / np.float32(32768), sample_rate_hz
        )

    @staticmethod
    def from_float(samples: npt.NDArray[Any], sample_rate_hz: int) -> "Audio":
        """From floating-point samples of any width, shape (samples,); NaN and infinity become silence."""
        return Audio(
            np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32), sample_rate_hz
        )

    @staticmethod
    def join(parts: Iterable["Audio"]) -> "Audio":
        """Parts of one rate, one after the other; ValueError when there are none or the rates differ."""
        all_parts = list(parts)
        rates = {part.sample_rate_hz for part in all_parts}
        if len(rates) != 1:
            raise ValueError(f"cannot join audio of rates {sorted(rates)}")
        return Audio(np.concatenate([part.samples for part in all_parts]), rates.pop())


def _power_db(power: float) -> float:
    return float(10 * np.log10(power)) if power > 0 else -np.inf


@dataclass(frozen=True, slots=True)
class Frame:
    """30 ms of one source at 16 kHz (480 samples): one webrtcvad window."""

    source: str
    captured_at: datetime  # UTC of the first sample, from sample counts
    audio: Audio
    follows_gap: bool = False  # samples are missing before it (also true of the first)

    @property
    def ends_at(self) -> datetime:
        """UTC just after the last sample."""
        return self.captured_at + timedelta(seconds=self.audio.duration_s)


@dataclass(frozen=True, slots=True)
class Piece:
    """Successive frames of one source that came together, in one array. A daemon hears hundreds of frames a
    second: as long as nothing goes on, none of them becomes a value of its own."""

    source: str
    captured_at: datetime  # UTC of the first sample, from sample counts
    audio: Audio  # one frame or several, whole, at 16 kHz
    follows_gap: bool = False  # samples are missing before its first frame

    def __len__(self) -> int:
        """How many frames."""
        return len(self.audio.samples) // FRAME_SAMPLES

    def begins(self, index: int) -> datetime:
        """UTC of the first sample of one of its frames."""
        return self.captured_at + index * _FRAME_TIME

    def frame(self, index: int) -> Frame:
        """One of its frames, counted from 0. No copy."""
        samples = self.audio.samples[index * FRAME_SAMPLES : (index + 1) * FRAME_SAMPLES]
        audio = Audio(samples, self.audio.sample_rate_hz)
        return Frame(self.source, self.begins(index), audio, self.follows_gap and index == 0)

    def frames(self) -> list[Frame]:
        """All of them."""
        return [self.frame(index) for index in range(len(self))]

    def until(self, index: int) -> datetime:
        """UTC just after the last sample of one of its frames."""
        return self.captured_at + (index + 1) * _FRAME_TIME

    @property
    def ends_at(self) -> datetime:
        """UTC just after the last sample."""
        return self.captured_at + len(self) * _FRAME_TIME

    @classmethod
    def of(cls, frame: Frame) -> "Piece":
        """A single frame."""
        return cls(frame.source, frame.captured_at, frame.audio, frame.follows_gap)


@dataclass(frozen=True, slots=True)
class SoundLevel:
    """How loud one minute of a source was: LAeq, its A-weighted equivalent continuous sound level
    (IEC 61672-1). A measure of loudness without sound."""

    source: str
    started_at: datetime  # the full minute, UTC
    laeq_dbfs: float  # A-weighted, relative to full scale as every level here
    covered_s: float  # how much of the minute was measured, 45-60
    clipped_s: float = 0.0  # how much of that was at full scale: it was at least as loud
    calibration_db: float | None = None  # dB(A) in the room at 0 dBFS; None: nobody has calibrated the source

    @property
    def ends_at(self) -> datetime:
        """The end of the minute, UTC."""
        return self.started_at + timedelta(minutes=1)

    @property
    def laeq_dba(self) -> float | None:
        """In dB(A), relative to 20 µPa; None where nobody has calibrated the source."""
        return None if self.calibration_db is None else self.laeq_dbfs + self.calibration_db
