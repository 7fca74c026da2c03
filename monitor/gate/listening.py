"""The next frames of a source, heard by the compiled kernel: levels, the room's floor, what stands out."""

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from monitor.audio import (
    CLIPPED_FROM_AMPLITUDE,
    FRAME_SAMPLES,
    OFFSET_FROM_AMPLITUDE,
    PCM16_STEP,
    Samples,
)
from monitor.gate.floor import NoiseFloor
from monitor.gate.level import MOSTLY_SLOW_SHARE, SLOW_COSINES
from monitor.gate.loops import LOOK_FRAMES, LoopWatch
from monitor.gate.loudness import LEAST_ABOVE_FLOOR_DB, LOUD_ANYWHERE_DBFS
from monitor.gate.tonality import tonality
from monitor.native.kernels import kernels

if TYPE_CHECKING:
    from monitor.gate.config import GateConfig  # scripts/check-arm has no pydantic

OPENS, SOUNDS, LOUD = 1, 2, 4
"""Marks of a frame (bits as in monitor/native/listen.c): it is far enough above the floor to open a segment,
to keep one open, to be a `loud_noise`."""
SILENT, STUCK, CLIPPED, OFFSET = 8, 16, 32, 64
"""And of what may be a fault of the microphone (as in monitor/native/listen.c): samples that do not move,
around zero or elsewhere; full scale; a mean far from zero."""
FAULTY = SILENT | STUCK | CLIPPED | OFFSET


class Second(ctypes.Structure):
    """A second of frames (struct Second in monitor/native/listen.c)."""

    _fields_ = [
        *((name, ctypes.c_double) for name in ("highest_dbfs", "power", "moving", "least", "most")),
        ("frames", ctypes.c_int32),
    ]
    highest_dbfs: float
    """Level of the loudest frame above 100 Hz."""
    power: float
    """Sum of the frames' mean squares above 100 Hz; full scale is 1."""
    moving: float
    """The same of all that was recorded, without offset; and of the frames with the least and the most."""
    least: float
    most: float
    frames: int


class _Listening(ctypes.Structure):
    """What the kernel knows of a source and says of the latest frames (struct Listening there)."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("cosines", "tonality")),
        *((name, ctypes.c_double) for name in ("mostly_slow", "open_db", "close_db", "loud_db")),
        *((name, ctypes.c_double) for name in ("loud_dbfs", "least_loud_db")),
        *((name, ctypes.c_double) for name in ("step", "clipped_from", "offset_from")),
        *(("floor", NoiseFloor), ("second", Second), ("power", ctypes.c_double)),
        *((name, ctypes.c_double * LOOK_FRAMES) for name in ("levels_dbfs", "floors_dbfs")),
        ("marks", ctypes.c_ubyte * (LOOK_FRAMES + 1)),
    ]
    power: float


class MarkedFrames(NamedTuple):
    """Successive frames of a piece: of each its level, the floor then, and its marks."""

    first: int
    """Which frame of the piece is the first."""
    levels_dbfs: list[float]
    floors_dbfs: list[float]
    marks: list[int]
    seen: int
    """All marks together."""
    power: float = 0.0
    """Sum of the frames' mean squares above 100 Hz; full scale is 1."""
    second: Second | None = None
    """The last 33 frames, where the last of these ends a second. Valid until the next frames are heard."""

    @property
    def last(self) -> int:
        """Which frame of the piece is the last."""
        return self.first + len(self.marks) - 1

    def each(self) -> Iterator["MarkedFrames"]:
        """Frame by frame, without power and second."""
        frames = zip(self.levels_dbfs, self.floors_dbfs, self.marks, strict=True)
        for index, (level_dbfs, floor_dbfs, marks) in enumerate(frames, self.first):
            yield MarkedFrames(index, [level_dbfs], [floor_dbfs], [marks], marks)


class FrameMarker:
    """Measures the frames of one source, in order, and marks them. Belongs to one thread.

    Levels and floor do not depend on what is made of them: the kernel takes some frames in one call, and
    where it marks none of them there is nothing to decide.
    """

    def __init__(self, config: "GateConfig", library: ctypes.PyDLL | None = None) -> None:
        self.floor = NoiseFloor(config.quietest_floor_dbfs)
        self._state = _Listening(
            SLOW_COSINES.ctypes.data, ctypes.addressof(tonality()),
            MOSTLY_SLOW_SHARE, config.open_above_floor_db, config.close_above_floor_db,
            config.loud_noise_above_floor_db, LOUD_ANYWHERE_DBFS, LEAST_ABOVE_FLOOR_DB,
            PCM16_STEP, CLIPPED_FROM_AMPLITUDE, OFFSET_FROM_AMPLITUDE, self.floor,
        )  # fmt: skip
        # Views of the one state: whoever asks for a field of a field makes one each time.
        self.floor, self._second = self._state.floor, self._state.second
        self._outputs = self._state.levels_dbfs, self._state.floors_dbfs, self._state.marks
        self._listen = (library or kernels()).listen
        self._address = ctypes.addressof(self._state)
        self._frames_wanted = LOOK_FRAMES
        self.recent = LoopWatch()
        """The latest seconds of sound."""

    @property
    def frames_wanted(self) -> int:
        """Frames until a second is over: no more can be heard at once."""
        return self._frames_wanted

    def hear(self, samples: Samples, first: int, count: int) -> MarkedFrames:
        """The next frames, of a piece's samples, shape (480 n,), values in -1..1; no more than are wanted."""
        address = self.recent.push(samples[first * FRAME_SAMPLES : (first + count) * FRAME_SAMPLES])
        seen = self._listen(self._address, address, count)
        levels_dbfs, floors_dbfs, marks = self._outputs
        self._frames_wanted -= count
        second = None
        if not self._frames_wanted:
            self._frames_wanted, second = LOOK_FRAMES, self._second
        power = self._state.power
        return MarkedFrames(
            first, levels_dbfs[:count], floors_dbfs[:count], marks[:count], seen, power, second
        )
