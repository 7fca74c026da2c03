"""Cutting segments into windows that a tagger judges in batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.audio import Samples
from monitor.types import Segment

SILENCE_RMS = 1e-5
"""-100 dBFS, under the last of 16 bits: a window below it holds no sound to judge."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one segment, ready to be judged."""

    segment: int
    """Which of the batch's segments."""
    start: int
    """Its first sample in that segment."""
    samples: Samples
    """Finite, without offset, zero-padded at the end."""

    @property
    def silent(self) -> bool:
        """Whether there is nothing in it but silence."""
        # Two samples so far apart make a deviation of at least this. Mostly that is enough, in a fifth of the
        # time.
        least = float(np.ptp(self.samples)) / (2 * len(self.samples)) ** 0.5
        return least < 2 * SILENCE_RMS and float(np.std(self.samples, dtype=np.float64)) < SILENCE_RMS


def cut(segments: Sequence[Segment], rate_hz: int, window: int, hop: int, grain: int) -> list[Window]:
    """Windows of every segment, at `rate_hz`, in order; every segment has at least one.

    A segment up to `window` samples long gives one window, padded to a multiple of `grain`; a longer one
    gives windows of `window` samples every `hop`, of which the last is padded.
    """
    return [
        piece
        for number, segment in enumerate(segments)
        for piece in _cut_one(number, centred(segment.audio.resampled(rate_hz).samples), window, hop, grain)
    ]


def _cut_one(number: int, samples: Samples, window: int, hop: int, grain: int) -> Iterator[Window]:
    if len(samples) <= window:
        yield Window(number, 0, padded(samples, max(1, -(-len(samples) // grain)) * grain))
        return
    for start in range(0, len(samples) - window + hop, hop):
        yield Window(number, start, padded(samples[start : start + window], window))


def padded(samples: Samples, length: int) -> Samples:
    """With zeros behind it up to `length` samples; it is no longer than that."""
    if len(samples) == length:
        return samples
    whole = np.zeros(length, samples.dtype)
    whole[: len(samples)] = samples
    return whole


def centred(samples: Samples) -> Samples:
    """Without its offset, which zeros after it would turn into a click; NaN and infinity become silence, for
    one broken sample would spoil every score of a batch."""
    if not len(samples):
        return samples
    with np.errstate(invalid="ignore"):
        offset = samples.mean(dtype=np.float64)
    if not np.isfinite(offset):
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        offset = samples.mean(dtype=np.float64)
    return np.asarray(samples - np.float32(offset))


def batches(windows: Sequence[Window], most_samples: int) -> Iterator[list[int]]:
    """Positions of windows of one length, so many together as `most_samples` allow, for memory grows with
    them and speed hardly."""
    by_length: dict[int, list[int]] = {}
    for position, window in enumerate(windows):
        by_length.setdefault(len(window.samples), []).append(position)
    for length, positions in by_length.items():
        most = max(1, most_samples // length)
        yield from (positions[i : i + most] for i in range(0, len(positions), most))
