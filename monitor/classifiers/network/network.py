"""A model of ours, ready to be asked as an onnxruntime session is."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from monitor.classifiers.network.front import Floats, frames_of
from monitor.classifiers.network.lowering import lowered
from monitor.classifiers.network.onnx_file import read_graph
from monitor.classifiers.network.rest import Rest
from monitor.classifiers.network.steps import Layout, Shape, in_whole_lines, laid_out, size
from monitor.native.kernels import network_kernels, variant

_LAYOUTS = 68
"""Shapes of input whose layouts are kept, 20 kB each: windows come in ten lengths, in batches of as many as
8 s hold (`MOST_SAMPLES`), which makes 68. To lay one out takes as long as two looks."""


class SoundNetwork:
    """The network of an ONNX file that `scripts/train_tagger` wrote. Several threads may call it at once."""

    def __init__(self, content: bytes, machine: str = "") -> None:
        """`machine`: whose library, this machine's by default. Raises NotOurs where the file holds another
        kind of model."""
        kernels = network_kernels(machine or variant())
        self._hear = kernels.hear
        halves, panel = bool(kernels.takes_halves()), kernels.panel_columns()
        self._lowered = lowered(read_graph(content), halves=halves, panel=panel)
        self._rest = Rest(self._lowered.rest, self._lowered.constants)
        self._lowered.constants.clear()
        self._arenas = list[Floats]()
        """Those that no call uses."""
        self._layout = lru_cache(_LAYOUTS)(self._laid_out)

    def run(self, wanted: Sequence[str], inputs: Mapping[str, Floats]) -> list[Any]:
        """Outputs by name, of `wave`, shape (windows, samples). ValueError where a window has no frame."""
        wave = inputs["wave"]
        layout, arena = self._layout(*wave.shape), self._taken_arena()
        if len(arena) < layout.floats:
            arena = in_whole_lines(np.zeros(layout.floats, np.float32))
        at, _ = layout.places["wave"]
        arena[at : at + wave.size] = wave.reshape(-1)
        self._hear(layout.steps.ctypes.data, len(layout.steps), arena.ctypes.data)
        values = {name: _read(arena, *layout.places[name]) for name in self._lowered.wanted}
        self._arenas.append(arena)
        self._rest.put_into(values)
        return [values[name] for name in wanted]

    def _taken_arena(self) -> Floats:
        try:
            return self._arenas.pop()
        except IndexError:  # others use all there are
            return np.zeros(0, np.float32)

    def _laid_out(self, windows: int, samples: int) -> Layout:
        if windows < 1 or frames_of(samples) < 1:
            raise ValueError(f"{windows} windows of {samples} samples hold no frame")
        return laid_out(self._lowered.steps, self._lowered.wanted, (windows, samples))


def _read(arena: Floats, at: int, shape: Shape) -> Floats:
    """A copy, of that shape."""
    return arena[at : at + size(shape)].reshape(shape).copy()
