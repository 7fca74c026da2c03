"""What a room sounds like when nothing happens in it."""

from statistics import median

import numpy as np

from monitor.audio import FRAME_S, Samples
from monitor.gate.level import DIGITAL_SILENCE_BELOW_DBFS
from monitor.gate.tonality import tonal_share

WINDOW_FRAMES = 100
BLOCK_FRAMES = 10

_L90 = WINDOW_FRAMES // 10
_START_DBFS = -70.0
_SUSPICIOUS_DB = 3.0
_TONAL_ABOVE = 0.4
_CREEP_DB_PER_S = 0.5 / 60


class NoiseFloor:
    """The level that the last 3 s exceeded for nine tenths of the time: L90, the background level of
    acoustics (ISO 1996-2). Like Martin's minimum statistics (IEEE Trans. Speech Audio Proc. 9(5), 2001) it
    needs no decision about what is speech or sound: anything with pauses leaves it alone, whereas a fan that
    is switched on is the floor after 3 s. It falls within 0.3 s.

    What minimum statistics gets wrong is an alarm that never pauses: it would be the floor just as fast.
    Blocks of 0.3 s that would raise the floor and are tonal (`tonal_share`) are therefore left out, and only
    let it creep up by 0.5 dB a minute: a sounder is not learned away, and a microphone that has come to
    whistle does not keep the gate open for ever.

    Until it has heard 3 s it is at most -70 dBFS: what sounds when we begin to listen is heard as a sound.
    Digital silence says nothing about the room and leaves everything as it was.
    """

    def __init__(self, quietest_dbfs: float) -> None:
        self._quietest_dbfs = quietest_dbfs
        self._window = np.full(WINDOW_FRAMES, max(_START_DBFS, quietest_dbfs))
        self._next = 0
        self._heard = 0
        self._block: list[tuple[float, Samples]] = []
        self.dbfs = float(self._window[0])
        """The floor now."""

    @property
    def settled(self) -> bool:
        """3 s have been heard: the floor is the room's own and no longer a guess."""
        return self._heard >= WINDOW_FRAMES

    def push(self, level_dbfs: float, samples: Samples) -> None:
        """The next frame."""
        if level_dbfs < DIGITAL_SILENCE_BELOW_DBFS:
            return
        self._block.append((level_dbfs, samples))
        if len(self._block) == BLOCK_FRAMES:
            self._learn()
            self._block.clear()

    def _learn(self) -> None:
        levels_dbfs = [level_dbfs for level_dbfs, _ in self._block]
        if median(levels_dbfs) > self.dbfs + _SUSPICIOUS_DB and self._is_tonal():
            self._window += _CREEP_DB_PER_S * BLOCK_FRAMES * FRAME_S
        else:
            self._window[self._next : self._next + BLOCK_FRAMES] = levels_dbfs
            self._next = (self._next + BLOCK_FRAMES) % WINDOW_FRAMES
            self._heard += BLOCK_FRAMES
        self.dbfs = max(self._quietest_dbfs, float(np.partition(self._window, _L90)[_L90]))

    def _is_tonal(self) -> bool:
        return tonal_share(np.concatenate([samples for _, samples in self._block])) > _TONAL_ABOVE
