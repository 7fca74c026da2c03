"""Steady tones as they begin and end: onset, length and pitch of every clear beep.

Hops are 10 ms. "Trials" are those of `python scripts/bench constants`.
"""

from dataclasses import dataclass

import numpy as np

from monitor.rhythm.history import HopRows
from monitor.rhythm.spectrum import BIN_HZ, FIRST_BIN

BEGINS_DB = 13.0
"""Prominence at which a tone begins. Trials: with 6.5 a failing battery is no longer found, 19.5 changes
nothing."""
_GOES_ON_DB = 6.0
"""Prominence down to which a tone goes on. Trials: 3 changes nothing, with 9 a metronome is found 4 s
later."""
_BRIDGED_HOPS = 2
"""Hops without the tone that do not end it. Trials: with 1 a metronome is found 4 s later, 3 changes
nothing."""
_SPREAD_HOPS = 4
"""A row averages 52 ms and shows a tone for that much longer than it sounds: it is shortened by 40 ms, the
whole hops in it but one. Trials: 2 and 6 change nothing; only the lengths in the evidence depend on it."""
_SIDE_DB = 1.5
"""By how much a tone's bin may be lower than its four nearest: two bins share a pitch between them, and noise
decides which is higher. Trials: with 0.75 a metronome, with 2.25 the beeps of electronic music are found
later."""


@dataclass(frozen=True)
class Pulse:
    """A tone that has ended, or a long one that still sounds."""

    onset: int
    end: int
    """Hops; `end` is the one after the last."""
    pitch_hz: float
    prominence_db: float
    level_dbfs: float
    """Greatest prominence, and greatest level relative to a full-scale sine."""
    ended: bool = True
    """False while a long tone still sounds."""

    @property
    def on_s(self) -> float:
        """Length in seconds."""
        return (self.end - self.onset) / 100


@dataclass
class _Tone:
    """The tone that sounds in a bin now."""

    onset: int
    last: int
    """Newest hop at which it sounded."""
    reported: int
    """Hop of its onset, or of its last report while it sounds."""
    peak_db: float = 0.0
    level_db: float = -110.0


class PulseFinder:
    """Follows every bin from where a tone begins to where it ends, with hysteresis. Belongs to one thread."""

    def __init__(self, long_hops: int) -> None:
        self._long_hops = long_hops
        self.clear()

    def clear(self) -> None:
        """Forget the tones that sound now."""
        self._tones: dict[int, _Tone] = {}

    @property
    def is_following(self) -> bool:
        """Whether a tone sounds now."""
        return bool(self._tones)

    def find(self, level_db: HopRows, prominence_db: HopRows, first_hop: int) -> list[Pulse]:
        """Tones that ended in these rows, and long ones that still sound, again each `long_hops`; in order of
        time.

        `level_db`, `prominence_db`: shape (rows, BINS), fewer rows than `long_hops`. `first_hop`: hop of row
        0.
        """
        loud = np.flatnonzero(prominence_db.max(axis=0) >= BEGINS_DB)
        bins = sorted({*self._tones, *loud.tolist()})
        if not bins:
            return []
        around_db = _around_db(level_db, bins)
        prominence_db, level_db = prominence_db.take(bins, axis=1), level_db.take(bins, axis=1)
        clear = (prominence_db >= BEGINS_DB) & (level_db >= around_db - _SIDE_DB)
        # Few bins have tones, and each another story: from here on lists are quicker than arrays.
        columns = zip(*(array.T.tolist() for array in (clear, prominence_db, level_db)), strict=True)
        found: list[tuple[int, Pulse]] = []
        for k, (begins, prominences, levels) in zip(bins, columns, strict=True):
            if k not in self._tones and not any(begins):
                continue
            follower = _Bin(k, begins, prominences, levels, first_hop, self._long_hops)
            tone = follower.followed(self._tones.pop(k, None))
            found += follower.found
            if tone is not None:
                self._tones[k] = tone
        found.sort(key=lambda item: (item[0], not item[1].ended))
        return [pulse for _, pulse in found if pulse.end > pulse.onset]


class _Bin:
    """One bin in some rows: where its tone ends and where the next begins."""

    def __init__(
        self,
        k: int,
        clear: list[bool],
        prominence_db: list[float],
        level_db: list[float],
        first_hop: int,
        long_hops: int,
    ) -> None:
        self._pitch_hz = (FIRST_BIN + k) * BIN_HZ
        self._onsets = [row for row, is_clear in enumerate(clear) if is_clear]
        self._heard = [row for row, db in enumerate(prominence_db) if db >= _GOES_ON_DB]
        self._prominence_db, self._level_db = prominence_db, level_db
        self._first_hop, self._long_hops = first_hop, long_hops
        self.found: list[tuple[int, Pulse]] = []
        """With the row at which it came about."""

    def followed(self, tone: _Tone | None) -> _Tone | None:
        """What sounds after the last row, given what sounded before the first."""
        rows, at = len(self._level_db), 0
        while at < rows:
            if tone is None:
                at = next((row for row in self._onsets if row >= at), rows)
                if at == rows:
                    return None
                tone = _Tone(self._first_hop + at, self._first_hop + at, self._first_hop + at)
            end = self._end(tone)
            self._measure(tone, at, min(end + 1, rows))
            self._report_long(tone, min(end, rows))
            if end >= rows:
                return tone
            self.found.append((end, self._pulse(tone, tone.last, ended=True)))
            tone, at = None, end + 1
        return tone

    def _end(self, tone: _Tone) -> int:
        """The first row at which the tone has been unheard for too long; it also learns when it was heard."""
        last = tone.last - self._first_hop
        for row in self._heard:
            if row - last > _BRIDGED_HOPS + 1:
                break
            last = max(last, row)
        tone.last = self._first_hop + last
        return last + _BRIDGED_HOPS + 1

    def _measure(self, tone: _Tone, first: int, end: int) -> None:
        tone.peak_db = max(tone.peak_db, *self._prominence_db[first:end])
        tone.level_db = max(tone.level_db, *self._level_db[first:end])

    def _report_long(self, tone: _Tone, end: int) -> None:
        row = tone.reported + self._long_hops - self._first_hop
        if row < end:
            self.found.append((row, self._pulse(tone, min(tone.last, self._first_hop + row), ended=False)))
            tone.reported += self._long_hops

    def _pulse(self, tone: _Tone, last: int, *, ended: bool) -> Pulse:
        return Pulse(
            onset=tone.onset,
            end=last + 1 - _SPREAD_HOPS,
            pitch_hz=self._pitch_hz,
            prominence_db=tone.peak_db,
            level_dbfs=tone.level_db,
            ended=ended,
        )


def _around_db(level_db: HopRows, bins: list[int]) -> HopRows:
    """The highest level of the four bins nearest to some bins: of so many as there are, at the edge."""
    last = level_db.shape[1] - 1
    near = [level_db.take([min(max(0, k + reach), last) for k in bins], axis=1) for reach in (-2, -1, 1, 2)]
    return np.asarray(np.maximum.reduce(near))
