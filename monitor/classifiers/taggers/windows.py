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
        return float(np.std(self.samples, dtype=np.float64)) < SILENCE_RMS


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
    return np.pad(samples, (0, length - len(samples)))


def centred(samples: Samples) -> Samples:
    """Without its offset, which zeros after it would turn into a click; NaN and infinity become silence, for
    one broken sample would spoil every score of a batch."""
    if not np.isfinite(samples).all():
        samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
    return samples - samples.mean(dtype=np.float64).astype(np.float32) if len(samples) else samples


def batches(windows: Sequence[Window], most_samples: int) -> Iterator[list[int]]:
    """Positions of windows of one length, so many together as `most_samples` allow, for memory grows with
    them and speed hardly."""
    by_length: dict[int, list[int]] = {}
    for position, window in enumerate(windows):
        by_length.setdefault(len(window.samples), []).append(position)
    for length, positions in by_length.items():
        most = max(1, most_samples // length)
        yield from (positions[i : i + most] for i in range(0, len(positions), most))
