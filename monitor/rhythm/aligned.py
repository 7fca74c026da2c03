"""A stretch of sound as one channel shows it, divided into the parts of a rhythm."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.rhythm.history import History, Hops, Rows
from monitor.rhythm.parse import Parse
from monitor.rhythm.spectrum import BANDS, BIN_HZ, BINS, FIRST_BIN
from monitor.rhythm.templates import Template

CLEAR_DB, PLAIN_DB = 7.0, 14.0
"""Contrast from which the edges of tones are seen, and from which nothing hides them."""
AUDIBLE_DB = 6.0
"""Prominence from which another pitch sounds at all."""
NEAR_BINS = 4
"""To either side: as far as a vibrato reaches."""
BIN_PER_LOBE = 1.5
"""Noise bandwidth of the Hann window, in bins."""


@dataclass(frozen=True)
class View:
    """A parse in its place, with the prominence of its parts."""

    history: History
    template: Template
    channel: int
    parse: Parse
    edges: Hops
    """Hops; part `i` is from `edges[i]` to `edges[i + 1]`."""
    on_db: float
    off_db: float
    """Mean prominence of the tones, and of the later halves of the gaps between them."""

    @property
    def contrast_db(self) -> float:
        """By how much the tones stand above the gaps."""
        return self.on_db - self.off_db

    @property
    def is_moving(self) -> bool:
        """Whether this is a band, for sounders whose pitch moves, and not a bin."""
        return self.channel >= BINS

    def lengths(self, parts: tuple[int, ...]) -> Hops:
        """Of some parts, in hops."""
        return np.diff(self.edges)[list(parts)]

    def means_db(self, firsts: Hops, length: int) -> npt.NDArray[np.float64]:
        """Mean prominence of the channel over stretches of one length."""
        return self.history.means(np.full(len(firsts), self.channel), firsts, firsts + length)

    def bins(self, reach: int) -> tuple[int, int]:
        """First and past-last bin of the channel, and `reach` more to either side."""
        return bins_of(self.channel, reach)

    def level_db(self, part: int, low: int, high: int) -> Rows:
        """Levels of some bins during one part; shape (hops, high - low)."""
        return self.history.level_db(int(self.edges[part]), int(self.edges[part + 1]), low, high)

    def power(self, part: int, low: int, high: int) -> npt.NDArray[np.float64]:
        """The same as power, 1 for a full-scale sine."""
        return np.asarray(10 ** (self.level_db(part, low, high).astype(np.float64) / 10))

    def spectra(self, parts: tuple[int, ...], low: int, high: int) -> npt.NDArray[np.float64]:
        """Mean power of some parts, less their first quarter, where a piezo swings in and a room rings on."""
        powers = (self.power(i, low, high) for i in parts)
        return np.stack([power[len(power) // 4 :].mean(axis=0) for power in powers])

    def peaks(
        self, parts: tuple[int, ...], low: int, high: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The strongest pitch of each part, between bins by a parabola through the logarithms, and how far it
        stands above the bins around."""
        level_db = 10 * np.log10(self.spectra(parts, low, high))
        peaks = np.clip(np.argmax(level_db, axis=1), 1, high - low - 2)
        rows = np.arange(len(peaks))
        left, middle, right = (level_db[rows, peaks + d] for d in (-1, 0, 1))
        bend = np.minimum(left - 2 * middle + right, -1e-9)
        offset = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
        return (FIRST_BIN + low + peaks + offset) * BIN_HZ, middle - median(level_db)

    def middle_prominence_db(self, part: int) -> npt.NDArray[np.float64]:
        """Of every bin, less the quarters next to the neighbours, into which a row's window reaches."""
        start, end = self.edges[part : part + 1], self.edges[part + 1 : part + 2]
        quarter = (end - start) // 4
        return self.history.means(np.arange(BINS), start + quarter, end - quarter)

    def loudness_db(self, first: int, end: int) -> float:
        """Mean level of the strongest bin of a channel between two hops."""
        return float(self.history.level_db(first, end, *self.bins(1)).max(axis=1).mean())

    def tone_level_db(self) -> float:
        """Mean level of the tones."""
        edges = self.edges.tolist()
        return float(np.mean([self.loudness_db(edges[i], edges[i + 1]) for i in self.template.full_tones]))


def placed(history: History, template: Template, channel: int, parse: Parse, first: int) -> View:
    """A parse of sound that began at hop `first`."""
    edges = parse.edges + first
    starts, ends = edges[:-1], edges[1:]
    # The room fills the beginning of a gap; its second half is what tells.
    later = np.where([part.on for part in template.parts], starts, (starts + ends) // 2)
    means = history.means(np.full(len(later), channel), later, ends)
    on_db, off_db = (float(means[list(which)].mean()) for which in (template.full_tones, template.inner_gaps))
    return View(history, template, channel, parse, edges, on_db, off_db)


def bins_of(channel: int, reach: int) -> tuple[int, int]:
    """First and past-last bin of a channel, and so many to either side."""
    if channel >= BINS:
        low, high = BANDS[channel - BINS]
        return max(0, int(low) - reach), min(BINS, int(high) + reach)
    return max(0, channel - reach), min(BINS, channel + reach + 1)


def median(values: npt.NDArray[np.floating[Any]]) -> Any:
    """Over the last axis. numpy's own first loads its masked arrays: 60 ms and 5 MB for nothing."""
    ordered = np.sort(values)
    middle = values.shape[-1] // 2
    return (ordered[..., -middle - 1] + ordered[..., middle]) / 2
