"""The front end of a model of ours, log-mel, found in its graph and made one step of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.classifiers.network.onnx_file import Array, NotOurs, Operation
from monitor.native.tables import turns

Floats = npt.NDArray[np.float32]
FFT, FRAME, HOP, BLOCK = 512, 400, 160, 80
_KINDS = (
    *("ReduceMean", "Sub", "Shape", "Gather", "Div", "Mul", "Slice", "Reshape", *["Slice"] * 5, "Concat"),
    *("Slice", "Slice", "Add", "MatMul", "Sub", "MatMul", "Mul", "Mul", "Add", "MatMul"),
    *("ReduceMean", "Add", "Mul", "Div", "Add", "Log", "Add", "Mul", "Transpose", "Unsqueeze"),
)
"""The nodes that scripts/train_tagger/onnx_graph.py writes for it."""
NODES = len(_KINDS)
_COSINES, _SINES, _FILTERS = 17, 19, 23
"""Which of them hold the weights."""
_NUMBERS = 25, 26, 28, 31, 30
"""And these: absolute floor, one by the mean power, relative floor, scale, shift."""
_FIRST_BIN = 1
"""No filter looks at the offset."""


@dataclass(frozen=True, slots=True)
class Front:
    """What the step needs, as `put_log_mel` in monitor/native/network.c reads it."""

    weights: Floats
    numbers: Floats
    mels: int


def lowered_front(nodes: Sequence[Operation], constants: Mapping[str, Array]) -> tuple[Front, str]:
    """The step, and the name of what it gives. `constants`: weights by name, of any shape. Raises NotOurs
    where the graph begins otherwise."""
    own = nodes[:NODES]
    if tuple(node.kind for node in own) != _KINDS:
        raise NotOurs("another front end")
    hann = 0.5 - 0.5 * np.cos(2 * np.pi / FRAME * np.arange(FRAME))
    _check(constants[own[_COSINES].inputs[1]], constants[own[_SINES].inputs[1]], hann)
    spans, filters = list[int](), list[Floats]()
    for each in np.asarray(constants[own[_FILTERS].inputs[1]], np.float32).T:
        at = np.flatnonzero(each)
        first, end = (int(at[0]), int(at[-1]) + 1) if len(at) else (0, 0)
        spans += [_FIRST_BIN + first, end - first]
        filters.append(each[first:end])
    numbers = np.array([constants[own[at].inputs[1]] for at in _NUMBERS], np.float32)
    numbers[4] *= numbers[3]  # the graph shifts, then scales
    weights = np.concatenate([hann.astype(np.float32), turns(2 * FFT), *filters])
    numbers = np.concatenate([numbers, np.array(spans, np.int32).view(np.float32)])
    return Front(weights, numbers, len(filters)), own[-1].output


def frames_of(samples: int) -> int:
    """How many frames a window has: one every HOP, the last ends inside whole blocks."""
    return max(0, (samples // BLOCK * BLOCK - FRAME) // HOP + 1)


def _check(cosines: Array, sines: Array, hann: npt.NDArray[np.float64]) -> None:
    """That the bases are Fourier's, windowed, from the middle of a frame on."""
    bins = _FIRST_BIN + np.arange(cosines.shape[1])
    circle = np.exp(2j * np.pi / FFT * np.arange(FFT))
    wanted = circle[np.arange(FRAME // 2)[:, None] * bins % FFT] * hann[FRAME // 2 :, None]
    wanted[0] /= 2
    given = np.asarray(cosines, np.float64) + 1j * np.asarray(sines, np.float64)
    if given.shape != wanted.shape or bins[-1] > FFT // 2 or np.abs(given - wanted).max() > 1e-5:
        raise NotOurs("another transform")
