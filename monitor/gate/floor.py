"""The noise floor of a room: the level of its background sound."""

import ctypes

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES
from monitor.gate.level import DIGITAL_SILENCE_BELOW_DBFS

WINDOW_FRAMES = 100
"""The floor comes from the last 3 s. Chosen: with 1.5 s the room would be known too early, with 4.5 s a fan
is followed a second too late (both fail in tests/gate/test_floor.py); it is twice the pause of T3. The kernel
has this number, the next one, and the rank of L90 among the levels, too: nine tenths of the frames are louder
(ISO 1996-2)."""
BLOCK_FRAMES = 10
"""The floor learns 0.3 s at a time. Chosen: it must divide the window; 0.15 s would check for tones twice as
often, and with 0.6 s the floor would fall later after a fan."""

_START_DBFS = -70.0
"""Highest floor before the room is known. Chosen: with -35 a sound that is there from the start opens nothing
(tests/gate/test_floor.py); the floor of a quiet room is at -60 to -80."""
_CHECKED_ABOVE_FLOOR_DB = 3.0
"""A block whose median level is this far above the floor is checked for tones before it is
learned. Chosen: with 0 nearly every block would be checked, for nothing; with more than the 9 dB that open
the gate, a sounder that just opens it would be the floor after 3 s."""
_TONAL_ABOVE_SHARE = 0.4
"""`tonal_share` above which a block is not learned. Noise of any colour has less than 0.25, a vacuum cleaner
0.2-0.35, sounders more than 0.6 (tests/gate/test_tonality.py): lower, the gate would stay open beside
machines; higher, an alarm among noise would be learned."""
_CREEP_DB_PER_S = 0.5 / 60
"""How fast the floor rises while a tonal block is not learned: 0.5 dB a minute. Chosen: an alarm 30 dB above
the floor stays above it for an hour; a whistling microphone keeps the gate open as long. With 2 dB a minute
it would be 15 minutes."""


class NoiseFloor(ctypes.Structure):
    """The level that nine tenths of the last 3 s exceed: L90, the background level of acoustics (ISO 1996-2).

    Like minimum statistics (Martin, IEEE Trans. Speech Audio Proc. 9(5), 2001) it needs no decision about
    what is speech: a sound with pauses does not change it, and a fan becomes the floor within 3.3 s. After
    the fan stops, the floor falls within 0.6 s.

    An alarm without pauses would become the floor just as fast. Blocks of 0.3 s that would raise the floor
    and are tonal (`tonal_share`) are therefore not learned; the floor then rises by 0.5 dB a minute, so that
    an alarm stays audible, and a microphone that whistles does not keep the gate open for ever.

    Until 3 s have been heard, the floor is at most -70 dBFS: a sound that is there from the start opens the
    gate. Digital silence changes nothing. The kernel that hears the frames moves it (struct Floor in
    monitor/native/listen.c). Belongs to one source and one thread.
    """

    _fields_ = [
        *((name, ctypes.c_double) for name in ("quietest_dbfs", "silence_below_dbfs", "checked_above_db")),
        *((name, ctypes.c_double) for name in ("tonal_above_share", "creep_db", "dbfs")),
        ("window", ctypes.c_double * WINDOW_FRAMES),
        ("levels_dbfs", ctypes.c_double * BLOCK_FRAMES),
        ("block", ctypes.c_float * (BLOCK_FRAMES * FRAME_SAMPLES)),
        *((name, ctypes.c_int32) for name in ("at", "heard", "count")),
    ]
    dbfs: float
    """The floor now, in dBFS; never below `quietest_dbfs`."""
    heard: int

    def __init__(self, quietest_dbfs: float) -> None:
        super().__init__(
            quietest_dbfs,
            DIGITAL_SILENCE_BELOW_DBFS,
            _CHECKED_ABOVE_FLOOR_DB,
            _TONAL_ABOVE_SHARE,
            _CREEP_DB_PER_S * BLOCK_FRAMES * FRAME_S,
            max(_START_DBFS, quietest_dbfs),
        )
        np.ctypeslib.as_array(self.window)[:] = self.dbfs

    @property
    def settled(self) -> bool:
        """Whether 3 s have been heard, so that the floor is measured and not assumed."""
        return self.heard >= WINDOW_FRAMES
