"""Sound of any rate in, pieces of whole frames of 480 samples at 16 kHz out. Pure: it asks no clock."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Piece, Samples
from monitor.logs import get_logger

log = get_logger()

LOWEST_RATE_HZ = 4_000
HIGHEST_RATE_HZ = 768_000
SMALL_GAP_S = 0.5
"""Over a gap of up to this length the sound on both sides is one room's; jitter and clocks that are set move
dates by less."""
LOUDEST = 16.0
"""A decoder's float can be anything; +24 dB over full scale is more than any real overshoot."""

_NO_SAMPLES: Samples = np.zeros(0, np.float32)


class Framer:
    """Cuts one source's sound into pieces of whole frames, resampling it (soxr HQ, linear phase) where its
    rate asks for it.

    A *stretch* is sound without a gap: `begin` starts one, and its first frame has `follows_gap`. Within a
    stretch no sample is lost or invented and the frames are the same however the sound is cut into pushes.
    The resampler's delay only postpones frames: sample i of the output was heard i / 16 kHz after `begin`.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._resampler: Any = None
        self._rest = _NO_SAMPLES
        self._captured_at: datetime | None = None
        self._follows_gap = True
        self._rate_hz = SAMPLE_RATE_HZ
        self.unreal_s = 0.0
        """How much of the sound were no numbers, and is heard as silence."""

    def begin(self, captured_at: datetime, sample_rate_hz: int) -> list[Piece]:
        """Start a stretch whose first sample is heard at `captured_at`: what the one before still gives.

        An incomplete frame (under 30 ms) survives a small gap, or a source with many of them would give no
        frame at all: the frame that holds the seam is dated by what follows it. Before a long gap it is let
        go: filled up with silence it would ring like a click. Raises ValueError for a rate that no
        microphone has.
        """
        if not LOWEST_RATE_HZ <= sample_rate_hz <= HIGHEST_RATE_HZ:
            raise ValueError(f"a sample rate of {sample_rate_hz} Hz")
        left = self.drain()
        self._resampler, self._rate_hz = _resampler(sample_rate_hz), sample_rate_hz
        rest_s = len(self._rest) / SAMPLE_RATE_HZ
        moved_s = (captured_at - (self._captured_at or captured_at)).total_seconds() - rest_s
        if self._captured_at is None or abs(moved_s) > SMALL_GAP_S:
            self._rest, rest_s = _NO_SAMPLES, 0.0
        self._captured_at = captured_at - timedelta(seconds=rest_s)
        self._follows_gap = True
        return left

    def push(self, samples: Samples) -> list[Piece]:
        """The frames that are complete with these mono samples of the stretch's rate, as one piece, or none.

        It may be a view of the array: the caller does not write into it again.
        """
        samples = self._clean(samples)
        return self._cut(samples if self._resampler is None else self._resample(samples))

    def finish(self) -> list[Piece]:
        """The end of the sound: the last frames, the very last filled up with silence."""
        pieces = self.drain()
        if len(self._rest):
            pieces += self._cut(np.zeros(FRAME_SAMPLES - len(self._rest), np.float32))
        self._captured_at = None
        return pieces

    def shift(self, seconds: float) -> None:
        """Date the frames to come later by so much: how drift is corrected, a little at a time."""
        if self._captured_at is not None:
            self._captured_at += timedelta(seconds=seconds)

    def drain(self) -> list[Piece]:
        """The frames that the resampler still held; ends the stretch."""
        if self._captured_at is None or self._resampler is None:
            return []
        resampler, self._resampler = self._resampler, None
        return self._cut(resampler.resample_chunk(_NO_SAMPLES, last=True))

    def close(self) -> None:
        """Let the resampler go, and what it still holds: soxr's library complains at the process's end of
        one that is left."""
        self._resampler = None

    def _clean(self, samples: Samples) -> Samples:
        """One NaN would live in a resampler's and a filter's memory for ever."""
        # One pass, not three: the energy of sound that is loud, infinite or no number at all is not small.
        with np.errstate(over="ignore"):  # of samples whose square is past every float
            is_small = np.dot(samples, samples) <= LOUDEST**2
        if is_small:
            return samples
        if float(samples.min(initial=0)) >= -LOUDEST and float(samples.max(initial=0)) <= LOUDEST:
            return samples
        self._note_unreal(len(samples) - int(np.isfinite(samples).sum()))
        finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.clip(finite, -LOUDEST, LOUDEST), np.float32)

    def _note_unreal(self, count: int) -> None:
        """Said once: silence in its place would look like a quiet room."""
        if count and not self.unreal_s:
            log.info("samples are not numbers (NaN, infinite); they become silence", source=self._source)
        self.unreal_s += count / self._rate_hz

    def _resample(self, samples: Samples) -> Samples:
        resampled: Samples = self._resampler.resample_chunk(samples)
        return resampled

    def _cut(self, samples: Samples) -> list[Piece]:
        if self._captured_at is None:
            raise ValueError("push needs a stretch: call begin first")
        if len(self._rest):
            samples = np.concatenate((self._rest, samples))
        whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = samples[whole:]
        if not whole:
            return []
        audio = Audio(samples[:whole], SAMPLE_RATE_HZ)
        piece = Piece(self._source, self._captured_at, audio, self._follows_gap)
        self._captured_at, self._follows_gap = piece.ends_at, False
        return [piece]


def as_float(samples: npt.NDArray[Any]) -> Samples:
    """Decoded sound of any shape, integers or floating point, as float32 in -1..1."""
    as_float32: Samples = samples.astype(np.float32)
    if samples.dtype.kind == "f":
        return as_float32
    half_range = 2 ** (8 * samples.dtype.itemsize - 1)
    if samples.dtype.kind == "u":
        as_float32 -= half_range
    as_float32 /= half_range
    return as_float32


def _resampler(sample_rate_hz: int) -> Any:
    if sample_rate_hz == SAMPLE_RATE_HZ:
        return None
    import soxr

    return soxr.ResampleStream(sample_rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
