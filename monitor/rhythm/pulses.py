"""Steady tones as they begin and end: onset, length and pitch of every clear beep."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.rhythm.history import Rows
from monitor.rhythm.spectrum import BIN_HZ, FIRST_BIN

BEGINS_DB = 13.0
"""Prominence at which a tone begins."""
_GOES_ON_DB = 6.0
_BRIDGED_HOPS = 2
_WINDOW_HOPS = 4  # a row averages 52 ms and sees a tone for that much longer than it sounds
_SIDE_DB = 1.5  # two neighbouring bins share a pitch between them; noise tips the balance to and fro


@dataclass(frozen=True)
class Pulse:
    """A tone that has ended, or one so long that it is told of while it sounds."""

    onset: int
    end: int
    """Hops."""
    pitch_hz: float
    prominence_db: float
    level_dbfs: float
    """The loudest, relative to a full-scale sine."""
    ended: bool = True

    @property
    def on_s(self) -> float:
        """Length in seconds."""
        return (self.end - self.onset) / 100


@dataclass
class _Tone:
    """What now sounds in a bin."""

    onset: int
    last: int
    """Newest hop at which it was heard."""
    told: int
    """Hop at which it began, or was last told of while it sounds."""
    peak_db: float = 0.0
    level_db: float = -110.0


class PulseFinder:
    """Follows every bin from where a tone begins to where it ends, with hysteresis."""

    def __init__(self, long_hops: int) -> None:
        self._long_hops = long_hops
        self.clear()

    def clear(self) -> None:
        """Forget the tones that now sound."""
        self._tones: dict[int, _Tone] = {}

    @property
    def is_following(self) -> bool:
        """Whether a tone now sounds."""
        return bool(self._tones)

    def find(self, level_db: Rows, prominence_db: Rows, first_hop: int) -> list[Pulse]:
        """Tones that ended in these rows, and long ones that still sound, each `long_hops` anew; in the order
        in which that came about. There are fewer rows than long hops."""
        clear = prominence_db >= BEGINS_DB
        if clear.any():
            clear &= _is_peak(level_db)
        bins = sorted({*self._tones, *np.flatnonzero(clear.any(axis=0)).tolist()})
        # Few bins have tones, and each another story: from here on lists are quicker than arrays.
        columns = zip(*(array[:, bins].T.tolist() for array in (clear, prominence_db, level_db)), strict=True)
        found: list[tuple[int, Pulse]] = []
        for k, (begins, prominences, levels) in zip(bins, columns, strict=True):
            follower = _Bin(k, begins, prominences, levels, first_hop, self._long_hops)
            tone = follower.followed(self._tones.pop(k, None))
            found += follower.found
            if tone is not None:
                self._tones[k] = tone
        found.sort(key=lambda told: (told[0], not told[1].ended))
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
            self._tell_long(tone, min(end, rows))
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

    def _tell_long(self, tone: _Tone, end: int) -> None:
        row = tone.told + self._long_hops - self._first_hop
        if row < end:
            self.found.append((row, self._pulse(tone, min(tone.last, self._first_hop + row), ended=False)))
            tone.told += self._long_hops

    def _pulse(self, tone: _Tone, last: int, *, ended: bool) -> Pulse:
        return Pulse(
            onset=tone.onset,
            end=last + 1 - _WINDOW_HOPS,
            pitch_hz=self._pitch_hz,
            prominence_db=tone.peak_db,
            level_dbfs=tone.level_db,
            ended=ended,
        )


def _is_peak(level_db: Rows) -> npt.NDArray[np.bool_]:
    """Bins not lower than their four nearest, but for what noise does to two that share a pitch."""
    around = np.full_like(level_db, -np.inf)
    for reach in (1, 2):
        low, high = around[:, :-reach], around[:, reach:]
        np.maximum(low, level_db[:, reach:], out=low)
        np.maximum(high, level_db[:, :-reach], out=high)
    return np.asarray(level_db >= around - _SIDE_DB)
