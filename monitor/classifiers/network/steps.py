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
    """Places in one arena for every value: most lie where others have lain that nobody needs any more."""
    last = {name: number for number, step in enumerate(steps) for name in step.takes}
    kept, room = wanted | {step.takes[1] for step in steps if step.kind == Kind.SCALE}, _Arena()
    shapes, places = {"wave": wave}, {"wave": room.take(size(wave))}
    made = np.zeros(len(steps), _STEP)
    for number, step in enumerate(steps):
        if step.kind == Kind.SCALE:  # where it lies
            shapes[step.gives], places[step.gives] = shapes[step.takes[1]], places[step.takes[1]]
        else:
            shapes[step.gives] = step.shape(shapes[step.takes[0]])
            if any(shapes[beside] != shapes[step.gives] for beside in step.takes[1:]):
                raise ValueError(f"{step.gives}: shapes do not fit")
            places[step.gives] = room.take(size(shapes[step.gives]))
        made[number] = _told(step, shapes, places)
        for name in {*step.takes} - kept:
            if last[name] == number:
                room.give_back(places[name], size(shapes[name]))
    return Layout(made, room.most, {name: (places[name], shapes[name]) for name in (*wanted, "wave")})


def _told(step: KernelStep, shapes: Mapping[str, Shape], places: Mapping[str, int]) -> tuple[Any, ...]:
    n = step.numbers(shapes[step.takes[0]], shapes[step.gives])
    beside = places[step.takes[1]] if step.kind == Kind.PRODUCT and len(step.takes) > 1 else -1
    weights, bias = (0 if each is None else each.ctypes.data for each in (step.weights, step.bias))
    filled = (*n, *[0] * (10 - len(n)))
    return (step.kind, step.act, filled, weights, bias, places[step.takes[0]], beside, places[step.gives])


def size(shape: Shape) -> int:
    """How many numbers an array of that shape has."""
    product = 1
    for each in shape:
        product *= each
    return product


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
