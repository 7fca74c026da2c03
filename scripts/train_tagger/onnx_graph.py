"""The student as an ONNX graph, written node by node: no exporter, nothing in the file that is not meant.

Batch norms are folded into convolutions. The front end is a product of frames with a windowed Fourier basis;
the graph takes a waveform of any length.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from scripts.train_tagger.network import (
    ABSOLUTE_FLOOR,
    FFT,
    HOP,
    LOOK,
    MEAN_POWER,
    RELATIVE_FLOOR,
    WINDOW,
    Convolution,
    InvertedResidual,
    Student,
    mel_filters,
)

OPSET = 17
BLOCK = 80
"""Samples that divide both window and hop."""
END = 2**31 - 1
"""Of a slice that reaches the end."""
Array = npt.NDArray[np.float32]


@dataclass
class Graph:
    """Nodes and weights in the making. Weights are kept as float16 where `compact`, and widened at load."""

    compact: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, kind: str, *inputs: str, out: str = "", **attributes: object) -> str:
        """One node; the name of its output."""
        name = out or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def constant(self, value: npt.ArrayLike, *, exact: bool = False) -> str:
        """A float32 weight of any shape, or a list of ints."""
        array = np.asarray(value)
        name = f"w{len(self.weights)}"
        if array.dtype.kind == "i":
            self.weights.append(numpy_helper.from_array(array.astype(np.int64), name))
            return name
        if not self.compact or exact or array.size < 256:
            self.weights.append(numpy_helper.from_array(array.astype(np.float32), name))
            return name
        self.weights.append(numpy_helper.from_array(array.astype(np.float16), name))
        return self.add("Cast", name, to=TensorProto.FLOAT)

    def convolution(self, x: str, conv: nn.Conv2d, norm: nn.BatchNorm2d | None = None) -> str:
        """A convolution with its batch norm folded in."""
        folded = nn.utils.fuse_conv_bn_eval(conv, norm) if norm is not None else conv
        inputs = [x, self.constant(folded.weight.detach().numpy())]
        if folded.bias is not None:
            inputs.append(self.constant(folded.bias.detach().numpy(), exact=True))
        return self.add(
            "Conv", *inputs, kernel_shape=list(conv.kernel_size), strides=list(conv.stride),
            group=conv.groups, pads=[int(pad) for pad in conv.padding] * 2,
        )  # fmt: skip

    def linear(self, x: str, layer: nn.Linear) -> str:
        """A matrix product over the last axis, with bias."""
        product = self.add("MatMul", x, self.constant(layer.weight.detach().numpy().T))
        return self.add("Add", product, self.constant(layer.bias.detach().numpy(), exact=True))


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores are sigmoid(scale * logit + shift), each per label (Platt)."""

    scale: Array
    shift: Array


@dataclass(frozen=True, slots=True)
class Blend:
    """How much each head counts in a label's log odds; every array has shape (labels,)."""

    label: Array
    first: Array
    """The guess at the first teacher, of its likeliest class that means the label."""
    second: Array


@dataclass(frozen=True, slots=True)
class Heads:
    """What the heads' guesses at the teachers' classes mean, and what counts how much."""

    first: Sequence[Sequence[int]]
    """For every label the first teacher's classes that mean it."""
    second: Sequence[Sequence[int]]
    blend: Blend


def student_graph(
    student: Student, calibration: Calibration, heads: Heads, *, compact: bool = True
) -> onnx.ModelProto:
    """wave (batch, samples) to scores, frames, emotion and embedding, for
    `monitor/classifiers/taggers/embedded.py`."""
    student = student.eval()
    graph = Graph(compact)
    frames = _frames(graph, student, _log_mel(graph))
    embedding = graph.add("ReduceMean", frames, out="embedding", axes=[1], keepdims=0)
    hidden = _hard_swish(graph, graph.linear(frames, student.hidden))
    logits = graph.linear(hidden, student.label)
    weights = graph.add("Softmax", graph.linear(hidden, student.attention), axis=1)
    pooled = graph.add("Mul", weights, graph.add("Sigmoid", logits))
    clips = graph.add("ReduceSum", pooled, graph.constant([1]), keepdims=0)
    whole = _hard_swish(graph, graph.linear(embedding, student.hidden))
    first = _likeliest(graph, _guess(graph, whole, student.to_teacher, heads.first), heads.first)
    looks = _looks(graph, _guess(graph, hidden, student.to_second, heads.second))
    looks = _likeliest(graph, looks, heads.second)
    loudest = graph.add("ReduceMax", looks, axes=[1], keepdims=0)
    blend = heads.blend
    _calibrated(graph, _blended(graph, blend, _logit(graph, clips), first, loudest), calibration, "scores")
    throughout = graph.add("Unsqueeze", first, graph.constant([1]))
    _calibrated(graph, _blended(graph, blend, logits, throughout, looks), calibration, "frames")
    graph.add("Softmax", graph.linear(embedding, student.emotion), out="emotion", axis=1)
    return _model(graph, len(calibration.scale), student)


def _blended(graph: Graph, blend: Blend, label: str, first: str, second: str) -> str:
    parts = [
        graph.add("Mul", part, graph.constant(weight, exact=True))
        for part, weight in ((label, blend.label), (first, blend.first), (second, blend.second))
    ]
    return graph.add("Add", graph.add("Add", parts[0], parts[1]), parts[2])


def _kept(classes: Sequence[Sequence[int]]) -> list[int]:
    return sorted({number for each in classes for number in each})


def _guess(graph: Graph, hidden: str, layer: nn.Linear, classes: Sequence[Sequence[int]]) -> str:
    """A head's logits of the classes that mean a label; no other is kept in the file."""
    kept = _kept(classes)
    only = nn.Linear(layer.in_features, len(kept))
    only.weight.data, only.bias.data = layer.weight.data[kept], layer.bias.data[kept]
    return graph.linear(hidden, only)


def _likeliest(graph: Graph, logits: str, classes: Sequence[Sequence[int]]) -> str:
    """Of a head's classes the likeliest of each label, the labels last. A label without a class has that of
    another, which must not count."""
    kept, most = _kept(classes), max(len(each) for each in classes)
    at = [[kept.index(number) for number in (each or kept[:1])] for each in classes]
    columns = np.array([each + each[:1] * (most - len(each)) for each in at], np.int64)
    gathered = graph.add("Gather", logits, graph.constant(columns), axis=-1)
    return graph.add("ReduceMax", gathered, axes=[-1], keepdims=0)


def _looks(graph: Graph, frames: str) -> str:
    """(batch, frames, labels), each frame the mean of itself and its neighbours."""
    turned = graph.add("Transpose", frames, perm=[0, 2, 1])
    mean = graph.add(
        "AveragePool", turned, kernel_shape=[LOOK], pads=[LOOK // 2] * 2, strides=[1], count_include_pad=0
    )
    return graph.add("Transpose", mean, perm=[0, 2, 1])


def _log_mel(graph: Graph) -> str:
    wave = graph.add("Sub", "wave", graph.add("ReduceMean", "wave", axes=[1], keepdims=1))
    frames = _cut(graph, wave)
    later = _slice(graph, frames, WINDOW // 2, WINDOW, axis=2)
    sooner = _slice(graph, frames, WINDOW // 2, 0, axis=2, step=-1)
    cosines, sines, filters = _half_fourier_mel()
    real = graph.add("MatMul", graph.add("Add", later, sooner), graph.constant(cosines, exact=True))
    imaginary = graph.add("MatMul", graph.add("Sub", later, sooner), graph.constant(sines, exact=True))
    power = graph.add("Add", graph.add("Mul", real, real), graph.add("Mul", imaginary, imaginary))
    mels = graph.add("MatMul", power, graph.constant(filters, exact=True))
    mean = graph.add("ReduceMean", mels, axes=[1, 2], keepdims=1)
    above = graph.add("Add", mean, graph.constant(np.float32(ABSOLUTE_FLOOR)))
    level = graph.add("Mul", above, graph.constant(np.float32(1 / MEAN_POWER)))
    relative = graph.add("Add", graph.add("Div", mels, level), graph.constant(np.float32(RELATIVE_FLOOR)))
    shifted = graph.add("Add", graph.add("Log", relative), graph.constant(np.float32(4.5)))
    scaled = graph.add("Mul", shifted, graph.constant(np.float32(0.2)))
    return graph.add("Unsqueeze", graph.add("Transpose", scaled, perm=[0, 2, 1]), graph.constant([1]))


def _cut(graph: Graph, wave: str) -> str:
    """(batch, samples) to (batch, frames, WINDOW), a frame every HOP: matrix products are several times as
    fast as a convolution with so wide a kernel of one channel."""
    samples = graph.add("Gather", graph.add("Shape", wave), graph.constant([1]))
    size = graph.constant([BLOCK])
    whole = graph.add("Mul", graph.add("Div", samples, size), size)
    trimmed = graph.add("Slice", wave, graph.constant([0]), whole, graph.constant([1]))
    blocks = graph.add("Reshape", trimmed, graph.constant([0, -1, BLOCK]))
    count = WINDOW // BLOCK
    parts = [_slice(graph, blocks, n, n + 1 - count or END, axis=1, step=HOP // BLOCK) for n in range(count)]
    return graph.add("Concat", *parts, axis=2)


def _slice(graph: Graph, x: str, start: int, end: int, *, axis: int, step: int = 1) -> str:
    return graph.add("Slice", x, *(graph.constant([number]) for number in (start, end, axis, step)))


def _half_fourier_mel() -> tuple[Array, Array, Array]:
    """Cosines and sines of the bins that any mel filter looks at, over half a window, and the filters.

    The window is symmetric about its middle, and so are cosines and (but for the sign) sines counted from
    there. So each basis is applied to the sum or difference of the frame's two halves, one of them reversed:
    half the work. The power is the same wherever phases are counted from.
    """
    filters = mel_filters()
    bins = np.flatnonzero(filters.any(axis=0))
    after_middle = np.arange(WINDOW // 2)
    phase = 2 * np.pi * after_middle[:, None] * bins[None] / FFT
    hann = torch.hann_window(WINDOW).numpy().astype(np.float64)[WINDOW // 2 :, None]
    cosines, sines = np.cos(phase) * hann, np.sin(phase) * hann
    cosines[0] /= 2  # the middle itself is in both halves
    return cosines.astype(np.float32), sines.astype(np.float32), filters[:, bins].T.copy()


def _frames(graph: Graph, student: Student, x: str) -> str:
    """(batch, frames, embedding)."""
    for stage in student.stages:
        x = (
            _inverted(graph, stage, x)
            if isinstance(stage, InvertedResidual)
            else _activated(graph, cast(Convolution, stage), x)
        )
    return graph.add("Transpose", graph.add("ReduceMean", x, axes=[2], keepdims=0), perm=[0, 2, 1])


def _activated(graph: Graph, layer: Convolution, x: str) -> str:
    y = graph.convolution(x, layer.conv, layer.norm)
    if layer.act == "hard_swish":
        return _hard_swish(graph, y)
    return graph.add("Relu", y) if layer.act == "relu" else y


def _hard_swish(graph: Graph, x: str) -> str:
    gate = graph.add("HardSigmoid", x, alpha=1 / 6, beta=0.5)
    return graph.add("Mul", x, gate)


def _inverted(graph: Graph, block: InvertedResidual, x: str) -> str:
    y = _activated(graph, block.depthwise, x if block.widen is None else _activated(graph, block.widen, x))
    if block.squeeze is not None and block.excite is not None:
        squeezed = graph.add("Relu", graph.convolution(graph.add("GlobalAveragePool", y), block.squeeze))
        y = graph.add("Mul", y, graph.add("Sigmoid", graph.convolution(squeezed, block.excite)))
    y = _activated(graph, block.narrow, y)
    return graph.add("Add", x, y) if block.shortcut else y


def _logit(graph: Graph, probability: str) -> str:
    low, high = (graph.constant(np.float32(limit)) for limit in (1e-6, 1 - 1e-6))
    inside = graph.add("Clip", probability, low, high)
    against = graph.add("Sub", graph.constant(np.float32(1)), inside)
    return graph.add("Log", graph.add("Div", inside, against))


def _calibrated(graph: Graph, logits: str, calibration: Calibration, out: str) -> None:
    scaled = graph.add("Mul", logits, graph.constant(calibration.scale, exact=True))
    graph.add("Sigmoid", graph.add("Add", scaled, graph.constant(calibration.shift, exact=True)), out=out)


def _model(graph: Graph, labels: int, student: Student) -> onnx.ModelProto:
    def value(name: str, *shape: str | int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    outputs = [
        value("scores", "batch", labels),
        value("frames", "batch", "frames", labels),
        value("emotion", "batch", student.emotion.out_features),
        value("embedding", "batch", student.hidden.in_features),
    ]
    made = helper.make_graph(
        graph.nodes, "earwitness", [value("wave", "batch", "samples")], outputs, graph.weights
    )
    model = helper.make_model(
        made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9, producer_name="earwitness"
    )
    onnx.checker.check_model(model, full_check=True)
    return model
