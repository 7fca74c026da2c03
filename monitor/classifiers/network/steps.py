"""Steps of a model: what the kernels of `monitor/native/network.c` are told, and where everything lies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classifiers.network.front import Floats, frames_of
from monitor.classifiers.network.onnx_file import Array

Shape = tuple[int, ...]
Kind = IntEnum("Kind", ["LOG_MEL", "STEM", "DEPTHWISE", "PRODUCT", "MEAN", "SCALE", "ACTIVATE"], start=0)
Act = IntEnum("Act", ["NONE", "RECTIFIED", "HARD_SWISH", "SIGMOID"], start=0)
_STEP = np.dtype(
    [
        *(("kind", "<i4"), ("act", "<i4"), ("n", "<i4", 10), ("weights", "<u8"), ("bias", "<u8")),
        *(("from", "<i8"), ("beside", "<i8"), ("to", "<i8")),
    ]
)
"""As network.c has it."""
_LINE = 16
"""Floats of a line of the caches: every value begins with one."""
_FEW_BYTES = 16_384
"""Weights up to here stay in the caches from one window to the next."""


@dataclass(frozen=True, slots=True)
class KernelStep:
    """One call of a kernel."""

    kind: Kind
    takes: tuple[str, ...]
    """Names of its inputs."""
    gives: str
    channels: int
    """Of what it gives."""
    act: Act = Act.NONE
    weights: Array | None = None
    bias: Floats | None = None
    kernel: int = 1
    stride: int = 1
    over: int = 0
    """A mean's: how many axes before the last go."""

    def shape(self, taken: Shape) -> Shape:
        """Of what it gives."""
        match self.kind:
            case Kind.LOG_MEL:
                return (taken[0], frames_of(taken[1]), self.channels, 1)
            case Kind.STEM | Kind.DEPTHWISE:
                return (taken[0], *(-(-size // self.stride) for size in taken[1:3]), self.channels)
            case Kind.MEAN:
                left = taken[: len(taken) - 1 - self.over]
                return (*left, 1, 1, taken[-1]) if self.over == 2 else (*left, taken[-1])
            case _:
                return (*taken[:-1], self.channels)

    def numbers(self, taken: Shape, given: Shape) -> tuple[int, ...]:
        """What network.c calls `n`, for these shapes."""
        match self.kind:
            case Kind.LOG_MEL:
                return (*taken, given[1], given[2])
            case Kind.STEM | Kind.DEPTHWISE:
                return (*taken[:3], self.channels, self.kernel, self.stride, *given[1:3])
            case Kind.PRODUCT:
                assert self.weights is not None
                return (size(taken[:-1]), taken[-1], self.channels, int(self.weights.dtype == np.float16))
            case Kind.MEAN:
                return (size(given[:-1]), size(taken) // size(given), self.channels)
            case Kind.ACTIVATE:
                return (size(given),)
            case _:
                return (given[0], size(given[1:-1]), self.channels)


@dataclass(frozen=True, slots=True)
class Layout:
    """Every step with its numbers and places, for one shape of input."""

    steps: npt.NDArray[np.void]
    floats: int
    """Size of the arena."""
    places: Mapping[str, tuple[int, Shape]]
    """Where the waveform goes, and what is read later lies, with its shape."""


def laid_out(steps: Sequence[KernelStep], wanted: set[str], wave: Shape) -> Layout:
    """Places in one arena for every value: most lie where others have lain that nobody needs any more.

    Of several windows, each goes alone through steps of few weights: the maps of all together, megabytes,
    would not fit the caches. Steps of many weights take all windows at once and read the weights once.
    """
    laying = _Laying(steps, wanted, wave)
    for first, end, is_light in _runs(steps):
        laying.put(first, end, wave[0] if is_light else 1)
    return laying.layout()


def _runs(steps: Sequence[KernelStep]) -> list[tuple[int, int, bool]]:
    """Successive steps of few weights, or of many: first, past the last, whether few. A step without weights
    goes with those before it."""
    runs = list[tuple[int, int, bool]]()
    for number, step in enumerate(steps):
        is_light = step.weights is None or step.weights.nbytes <= _FEW_BYTES
        if runs and (step.weights is None or is_light == runs[-1][2]):
            runs[-1] = (runs[-1][0], number + 1, runs[-1][2])
        else:
            runs.append((number, number + 1, is_light))
    return runs


class _Laying:
    """One pass over the steps."""

    def __init__(self, steps: Sequence[KernelStep], wanted: set[str], wave: Shape) -> None:
        self._steps, self._wanted = steps, wanted
        self._room = _Arena()
        self._made = list[tuple[Any, ...]]()
        self._shapes = {"wave": wave}
        self._owner = {"wave": "wave"}
        """In whose place a value lies: what is scaled stays where it is."""
        self._places = {"wave": self._room.take(size(wave))}
        self._last = dict[str, int]()
        """The step that reads a place last; past all of them if it is read later."""
        for number, step in enumerate(steps):
            in_place = step.kind == Kind.SCALE
            self._owner[step.gives] = self._owner[step.takes[1]] if in_place else step.gives
            self._last |= {self._owner[name]: number for name in step.takes}
        self._last |= {self._owner[name]: len(steps) for name in wanted}

    def put(self, first: int, end: int, parts: int) -> None:
        """Steps from `first` to before `end`, one part of the windows after the other."""
        run = self._steps[first:end]
        for step in run:
            self._shapes[step.gives] = self._shape(step)
        if parts > 1:  # what is read later has room for all windows, before the first of them needs any
            self._take({step.gives for step in run if self._last.get(self._owner[step.gives], 0) >= end}, 1)
        whole = {*self._places}
        for part in range(parts):
            for number, step in enumerate(run, first):
                if part == 0:
                    self._take({step.gives}, parts)
                self._made.append(self._told(step, part, parts, whole))
                over = [name for name in self._read_last(number) if parts == 1 or name not in whole]
                if part == 0:
                    self._give_back(over, parts)
        if parts > 1:
            self._give_back([n for i in range(first, end) for n in self._read_last(i) if n in whole], 1)

    def layout(self) -> Layout:
        """What was put."""
        places = {name: (self._places[self._owner[name]], self._shapes[name]) for name in self._wanted}
        made = np.array(self._made, _STEP)
        return Layout(made, self._room.most, places | {"wave": (0, self._shapes["wave"])})

    def _shape(self, step: KernelStep) -> Shape:
        taken = [self._shapes[name] for name in step.takes]
        if step.kind == Kind.SCALE:
            return taken[1]
        given = step.shape(taken[0])
        if any(beside != given for beside in taken[1:]):
            raise ValueError(f"{step.gives}: shapes do not fit")
        return given

    def _take(self, names: set[str], parts: int) -> None:
        for name in sorted({self._owner[name] for name in names} - self._places.keys()):
            self._places[name] = self._room.take(size(self._shapes[name]) // parts)

    def _give_back(self, names: Sequence[str], parts: int) -> None:
        for name in names:
            self._room.give_back(self._places[name], size(self._shapes[name]) // parts)

    def _read_last(self, number: int) -> list[str]:
        owners = sorted({self._owner[name] for name in self._steps[number].takes})
        return [name for name in owners if self._last[name] == number]

    def _told(self, step: KernelStep, part: int, parts: int, whole: set[str]) -> tuple[Any, ...]:
        """The step for one part of the windows. In `whole` lie all of them."""

        def shape(name: str) -> Shape:
            windows, *others = self._shapes[name]
            return (windows // parts, *others)

        def place(name: str) -> int:
            owner = self._owner[name]
            return self._places[owner] + (part * size(shape(name)) if owner in whole else 0)

        n = step.numbers(shape(step.takes[0]), shape(step.gives))
        beside = place(step.takes[1]) if step.kind == Kind.PRODUCT and len(step.takes) > 1 else -1
        weights, bias = (0 if each is None else each.ctypes.data for each in (step.weights, step.bias))
        filled = (*n, *[0] * (10 - len(n)))
        return (step.kind, step.act, filled, weights, bias, place(step.takes[0]), beside, place(step.gives))


def size(shape: Shape) -> int:
    """How many numbers an array of that shape has."""
    product = 1
    for each in shape:
        product *= each
    return product


def in_whole_lines(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A copy, of any shape, that begins with a line of the caches: a register that lies in two lines is read
    at half the speed."""
    line_bytes = _LINE * 4
    room = np.empty(array.nbytes + line_bytes, np.uint8)
    at = -room.ctypes.data % line_bytes
    copy = room[at : at + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[:] = array
    return copy


class _Arena:
    """Places in an arena: each goes where it fits first."""

    def __init__(self) -> None:
        self._free: list[tuple[int, int]] = [(0, 1 << 60)]
        self.most = 0

    def take(self, floats: int) -> int:
        """Room for so many floats."""
        needed = _whole_lines(floats)
        index, (at, length) = next((i, free) for i, free in enumerate(self._free) if free[1] >= needed)
        self._free[index] = (at + needed, length - needed)
        self.most = max(self.most, at + needed)
        return at

    def give_back(self, at: int, floats: int) -> None:
        """What `take` gave."""
        joined = list[tuple[int, int]]()
        for begin, length in sorted([*self._free, (at, _whole_lines(floats))]):
            if joined and sum(joined[-1]) == begin:
                joined[-1] = (joined[-1][0], joined[-1][1] + length)
            else:
                joined.append((begin, length))
        self._free = joined


def _whole_lines(floats: int) -> int:
    return -(-floats // _LINE) * _LINE
