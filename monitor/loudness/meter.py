"""LAeq, the A-weighted equivalent continuous sound level, of each minute of a source."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.audio import CLIPPED_FROM_AMPLITUDE, SAMPLE_RATE_HZ, Piece
from monitor.loudness.weighting import HOP, samples_for, weighted_energies
from monitor.types import SoundLevel

LEAST_COVERED_S = 45.0
"""A minute of which less was measured is none: three quarters, as noise outdoors is averaged. A
camera that comes back after half a minute does not turn the end of a song into a minute."""
LOWEST_DBFS = -120.0
"""Finite, because it is published and compared."""
_BLOCKS = 16
"""Measured at once, 3.6 s of sound: one by one, between other work, each spectrum costs twice as much."""
SILENCE_POWER = 1e-11
"""-110 dBFS(A), less than the rounding to 16 bits: no recorded sound but a dead or switched off microphone,
which knows nothing of the room."""
_STEP = timedelta(seconds=HOP / SAMPLE_RATE_HZ)


@dataclass(slots=True)
class _OpenMinute:
    """What was measured of one minute."""

    started_at: datetime
    energy: float = 0.0
    blocks: int = 0
    clipped: int = 0

    def level(self, source: str) -> SoundLevel:
        power = self.energy / (self.blocks * HOP)
        laeq_dbfs = max(LOWEST_DBFS, 10 * math.log10(power)) if power > 0 else LOWEST_DBFS
        covered_s, clipped_s = _seconds(self.blocks), _seconds(self.clipped)
        return SoundLevel(source, self.started_at, laeq_dbfs, covered_s, clipped_s)


class MinuteMeter:
    """Measures one source. Synchronous; one thread, no clock: minutes are those of the samples' own dates.

    A minute is returned when sound of a later one comes, some seconds after its end. Digital silence and
    what lies next to a gap are not measured; a minute with less than 45 s that were is left out.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._samples = np.zeros(samples_for(_BLOCKS), np.float32)
        self._count = 0
        self._ends_at = datetime.fromtimestamp(0, UTC)
        self._minute: _OpenMinute | None = None

    def hear(self, piece: Piece) -> list[SoundLevel]:
        """Take the next frames, at 16 kHz: the minutes that are over, mostly none. It does not matter how the
        sound is cut into pieces."""
        found = self._measured() if piece.follows_gap else []
        samples, taken = piece.audio.samples, 0
        while taken < len(samples):
            part = samples[taken : taken + len(self._samples) - self._count]
            self._samples[self._count : self._count + len(part)] = part
            self._count += len(part)
            taken += len(part)
            self._ends_at = piece.captured_at + timedelta(seconds=taken / SAMPLE_RATE_HZ)
            if self._count == len(self._samples):
                found += self._measured(goes_on=True)
        return found

    def finish(self) -> list[SoundLevel]:
        """The sound stops here: the minute that was under way, if enough of it was measured."""
        return [*self._measured(), *self._over()]

    def _measured(self, *, goes_on: bool = False) -> list[SoundLevel]:
        """Measure what was collected; keep what the next block begins with, if the sound goes on."""
        samples = self._samples[: self._count]
        found: list[SoundLevel] = []
        begins_at = self._ends_at - timedelta(seconds=len(samples) / SAMPLE_RATE_HZ)
        clips = len(samples) > 0 and bool(max(samples.max(), -samples.min()) >= CLIPPED_FROM_AMPLITUDE)
        for index, energy in enumerate(weighted_energies(samples)):
            if energy > SILENCE_POWER * HOP:
                part = samples[index * HOP : (index + 1) * HOP] if clips else samples[:0]
                clipped = clips and bool((np.abs(part) >= CLIPPED_FROM_AMPLITUDE).any())
                found += self._counted(begins_at + index * _STEP, energy, clipped)
        rest = samples[_BLOCKS * HOP :] if goes_on else samples[:0]
        self._count = len(rest)
        self._samples[: len(rest)] = rest
        return found

    def _counted(self, at: datetime, energy: float, clipped: bool) -> list[SoundLevel]:
        starts_at = at.replace(second=0, microsecond=0)
        over = [] if self._minute is None or self._minute.started_at == starts_at else self._over()
        if self._minute is None:
            self._minute = _OpenMinute(starts_at)
        self._minute.energy += energy
        self._minute.blocks += 1
        self._minute.clipped += clipped
        return over

    def _over(self) -> list[SoundLevel]:
        minute, self._minute = self._minute, None
        if minute is None:
            return []
        level = minute.level(self._source)
        return [level] if level.covered_s >= LEAST_COVERED_S else []


def _seconds(blocks: int) -> float:
    """At most a minute: a block counts for the minute in which it begins."""
    return min(60.0, round(blocks * HOP / SAMPLE_RATE_HZ, 1))
