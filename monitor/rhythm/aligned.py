"""One channel of the history, divided into the parts of a rhythm.

A channel is a bin, or the strongest bin of a band; prominence is the level of a pitch over the bins around
it, in dB (`monitor.rhythm.spectrum`). Hops are 10 ms. "Trials" are those of `python scripts/bench constants`,
which changes each constant by half and lists what is then found or missed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.rhythm.history import HopRows, Hops, LevelHistory
from monitor.rhythm.parse import Parse
from monitor.rhythm.spectrum import BANDS, BIN_HZ, BINS, FIRST_BIN
from monitor.rhythm.templates import Template

CLEAR_DB, PLAIN_DB = 7.0, 14.0
"""Contrasts from which the edges of tones are seen, and from which nothing hides them. Trials: with 3.5 a
sweep in noise is found a burst later, with 10.5 a microwave oven passes; with 7 as the second, four alarms
near 0 dB are missed or late, with 21 a flute, a bird and a microwave oven pass."""
AUDIBLE_DB = 6.0
"""Prominence from which another pitch counts as a sound. Trials: with 3 an alarm in a room of 0.8 s is found
two bursts late, because noise counts as a tone; 9 changes nothing."""
NEAR_BINS = 4
"""Bins to either side that a vibrato reaches: 125 Hz, a semitone (6 %) at 2.1 kHz. Trials: 2 and 6 change
nothing."""
NOISE_BANDWIDTH_BINS = 1.5
"""Equivalent noise bandwidth of the Hann window (Harris, Proc. IEEE 66(1), 1978)."""


@dataclass(frozen=True)
class View:
    """A parse at its place in the history, with the mean prominences of its tones and gaps."""

    history: LevelHistory
    template: Template
    channel: int
    parse: Parse
    edges: Hops
    """Hops, shape (parts + 1,); part `i` is from `edges[i]` to `edges[i + 1]`."""
    on_db: float
    off_db: float
    """Mean prominence of the tones, and of the later halves of the gaps between them."""

    @property
    def contrast_db(self) -> float:
        """By how much the tones' prominence exceeds the gaps', in dB."""
        return self.on_db - self.off_db

    @property
    def is_moving(self) -> bool:
        """Whether the channel is a band, for sounders whose pitch moves, and not a bin."""
        return self.channel >= BINS

    def lengths(self, parts: tuple[int, ...]) -> Hops:
        """Lengths of some parts in hops, shape (len(parts),)."""
        return np.diff(self.edges)[list(parts)]

    def means_db(self, firsts: Hops, length: int) -> npt.NDArray[np.float64]:
        """Mean prominence of the channel over `length` hops from each of `firsts`; shape (len(firsts),)."""
        return self.history.means(np.full(len(firsts), self.channel), firsts, firsts + length)

    def bins(self, reach: int) -> tuple[int, int]:
        """First and past-last bin of the channel, widened by `reach` bins to either side."""
        return bins_of(self.channel, reach)

    def level_db(self, part: int, low: int, high: int) -> HopRows:
        """Levels of bins `low` to `high` during one part, in dB; shape (hops, high - low)."""
        return self.history.level_db(int(self.edges[part]), int(self.edges[part + 1]), low, high)

    def power(self, part: int, low: int, high: int) -> npt.NDArray[np.float64]:
        """The same as power, 1 for a full-scale sine; shape (hops, high - low)."""
        return np.asarray(10 ** (self.level_db(part, low, high).astype(np.float64) / 10))

    def spectra(self, parts: tuple[int, ...], low: int, high: int) -> npt.NDArray[np.float64]:
        """Mean power of each part but for its first quarter, where a piezo swings in and a room rings on;
        shape (len(parts), high - low)."""
        powers = (self.power(i, low, high) for i in parts)
        return np.stack([power[len(power) // 4 :].mean(axis=0) for power in powers])

    def peaks(
        self, parts: tuple[int, ...], low: int, high: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The strongest pitch of each part in Hz, and how far it stands above the median bin in dB; both of
        shape (len(parts),). Between bins by a parabola through the levels."""
        level_db = 10 * np.log10(self.spectra(parts, low, high))
        peaks = np.clip(np.argmax(level_db, axis=1), 1, high - low - 2)
        rows = np.arange(len(peaks))
        left, middle, right = (level_db[rows, peaks + d] for d in (-1, 0, 1))
        bend = np.minimum(left - 2 * middle + right, -1e-9)
        offset = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
        return (FIRST_BIN + low + peaks + offset) * BIN_HZ, middle - median(level_db)

    def middle_prominence_db(self, part: int) -> npt.NDArray[np.float64]:
        """Mean prominence of every bin over the middle half of a part, in dB; shape (BINS,). The outer
        quarters are left out because the window of a row reaches into the neighbouring parts."""
        start, end = self.edges[part : part + 1], self.edges[part + 1 : part + 2]
        quarter = (end - start) // 4
        return self.history.means(np.arange(BINS), start + quarter, end - quarter)

    def loudness_db(self, first: int, end: int) -> float:
        """Mean level of the channel's strongest bin between two hops, in dB."""
        return float(self.history.level_db(first, end, *self.bins(1)).max(axis=1).mean())

    def tone_level_db(self) -> float:
        """Mean level of the tones, in dB relative to a full-scale sine."""
        edges = self.edges.tolist()
        return float(np.mean([self.loudness_db(edges[i], edges[i + 1]) for i in self.template.full_tones]))


def placed(history: LevelHistory, template: Template, channel: int, parse: Parse, first: int) -> View:
    """The view of a parse whose hop 0 is hop `first` of the history."""
    edges = parse.edges + first
    starts, ends = edges[:-1], edges[1:]
    # The room fills the beginning of a gap; its second half shows whether it is one.
    later = np.where([part.on for part in template.parts], starts, (starts + ends) // 2)
    means = history.means(np.full(len(later), channel), later, ends)
    on_db, off_db = (float(means[list(which)].mean()) for which in (template.full_tones, template.inner_gaps))
    return View(history, template, channel, parse, edges, on_db, off_db)


def bins_of(channel: int, reach: int) -> tuple[int, int]:
    """First and past-last bin of a channel, widened by `reach` bins to either side."""
    if channel >= BINS:
        low, high = BANDS[channel - BINS]
        return max(0, int(low) - reach), min(BINS, int(high) + reach)
    return max(0, channel - reach), min(BINS, channel + reach + 1)


def median(values: npt.NDArray[np.floating[Any]]) -> Any:
    """The median over the last axis: shape (..., values) to (...). numpy's own loads masked arrays first: 60
    ms and 5 MB for nothing."""
    ordered = np.sort(values)
    middle = values.shape[-1] // 2
    return (ordered[..., -middle - 1] + ordered[..., middle]) / 2
