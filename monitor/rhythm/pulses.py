"""Steady tones as they begin and end: onset, length and pitch of every clear beep."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.rhythm.spectrum import BIN_HZ, BINS, FIRST_BIN, Rows

_BEGINS_DB = 13.0
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


class PulseFinder:
    """Follows every bin from where a tone begins to where it ends, with hysteresis."""

    def __init__(self, long_hops: int) -> None:
        self._long_hops = long_hops
        self.clear()

    def clear(self) -> None:
        """Forget the tones that now sound."""
        self._onset = np.full(BINS, -1)
        self._last = np.full(BINS, -1)
        self._told = np.full(BINS, -1)
        self._peak_db = np.zeros(BINS)
        self._level_db = np.full(BINS, -110.0)

    def find(self, level_db: Rows, prominence_db: Rows, first_hop: int) -> list[Pulse]:
        """Tones that ended in these rows, and long ones that still sound, each `long_hops` anew."""
        prominence_db = prominence_db[:, :BINS]
        if not (self._onset >= 0).any() and prominence_db.max() < _BEGINS_DB:
            return []
        found: list[Pulse] = []
        peaks = _is_peak(level_db)
        for i, row in enumerate(prominence_db):
            found += self._hop(first_hop + i, row, level_db[i], peaks[i])
        return found

    def _hop(self, hop: int, row: Rows, level_db: Rows, is_peak: npt.NDArray[np.bool_]) -> list[Pulse]:
        sounds = self._onset >= 0
        begins = ~sounds & is_peak & (row >= _BEGINS_DB)
        goes_on = sounds & (row >= _GOES_ON_DB)
        self._onset[begins] = self._told[begins] = hop
        self._peak_db[begins] = self._level_db[begins] = -110.0
        self._last[begins | goes_on] = hop
        np.maximum(self._peak_db, row, out=self._peak_db, where=sounds | begins)
        np.maximum(self._level_db, level_db, out=self._level_db, where=sounds | begins)
        ends = sounds & (hop - self._last > _BRIDGED_HOPS)
        is_long = sounds & ~ends & (hop - self._told >= self._long_hops)
        if not ends.any() and not is_long.any():
            return []
        found = [self._pulse(k, level_db, ended=True) for k in np.flatnonzero(ends)]
        found += [self._pulse(k, level_db, ended=False) for k in np.flatnonzero(is_long)]
        self._onset[ends] = -1
        self._told[is_long] = hop
        return [pulse for pulse in found if pulse.end > pulse.onset]

    def _pulse(self, k: np.intp, level_db: Rows, *, ended: bool) -> Pulse:
        return Pulse(
            onset=int(self._onset[k]),
            end=int(self._last[k]) + 1 - _WINDOW_HOPS,
            pitch_hz=float(FIRST_BIN + k) * BIN_HZ,
            prominence_db=float(self._peak_db[k]),
            level_dbfs=float(self._level_db[k]),
            ended=ended,
        )


def _is_peak(level_db: Rows) -> npt.NDArray[np.bool_]:
    """Bins not lower than their four nearest, but for what noise does to two that share a pitch."""
    padded = np.pad(level_db, ((0, 0), (2, 2)), mode="edge")
    around = np.maximum.reduce([padded[:, i : i + BINS] for i in (0, 1, 3, 4)])
    return np.asarray(level_db >= around - _SIDE_DB)
