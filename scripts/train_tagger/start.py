"""A student that begins with the weights of an earlier model of ours instead of random ones.

A released file has its batch norms folded into the convolutions. They are taken apart again so that training
can go on: each norm gets the mean and the spread that its convolution's output has on real features, and
undoes them, which leaves the function as it was. What the student has beyond the earlier model stays random,
and begins without a say in what the earlier model's channels are.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from scripts.train_tagger.network import SETTLED_STAGES, Convolution, InvertedResidual, Student

Array = npt.NDArray[np.float32]


def begin_with(student: Student, model: Path, guesses: Sequence[Sequence[int]] = ()) -> None:
    """Copy the weights of a released model; of two that share a file, those of the later one, with the
    emotion of the earlier. `guesses`: of each teacher the classes whose guesses the model keeps, for one that
    was taught by two. ValueError when it has more of anything than the student."""
    nodes = _Weights(onnx.load(str(model)))
    for conv, norm in _convolutions(student):
        weight, bias = nodes.convolution()
        _fill(conv.weight, weight)
        if norm is None:
            if conv.bias is None:
                raise ValueError("a convolution without norm has no bias")
            _fill(conv.bias, bias)
            continue
        count = len(bias)
        with torch.no_grad():
            norm.weight[:count] = float(np.sqrt(1 + norm.eps))
            norm.bias[:count] = torch.from_numpy(bias.copy())
    _fill(student.hidden.weight, (hidden := nodes.linear())[0])
    _fill(student.hidden.bias, hidden[1])
    for layer in (student.label, student.attention):
        _fill_linear(layer, nodes.linear(layer.out_features))
    for layer, kept in zip((student.to_teacher, student.to_second), guesses, strict=False):
        _fill_rows(layer, kept, nodes.linear(len(kept)))
    _fill_linear(student.emotion, nodes.linear(student.emotion.out_features))


@torch.no_grad()
def renormed(student: Student, settled: Tensor) -> None:
    """Let every norm after the settled stages hold the mean and spread that it meets on real maps of these,
    and undo them; what the student says stays as it was. `settled` has the shape (batch, channels, bands,
    frames)."""
    student.eval()
    earlier = sum(1 for _ in _convolutions_of(student.stages[:SETTLED_STAGES]))
    norms = [norm for _, norm in [*_convolutions(student)][earlier:] if norm is not None]
    seen: dict[nn.BatchNorm2d, tuple[Tensor, Tensor]] = {}

    def look(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        seen[norm] = (inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3)))

    hooks = [norm.register_forward_pre_hook(look) for norm in norms]
    student.maps_after(SETTLED_STAGES, settled)
    for hook in hooks:
        hook.remove()
    for norm in norms:
        mean, variance = seen[norm]
        had_mean, had_variance = cast(Tensor, norm.running_mean), cast(Tensor, norm.running_var)
        scale = norm.weight / torch.sqrt(had_variance + norm.eps)
        norm.bias.add_((mean - had_mean) * scale)
        norm.weight[:] = scale * torch.sqrt(variance + norm.eps)
        had_mean[:], had_variance[:] = mean, variance


def _convolutions(student: Student) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """In the order in which a released graph has them."""
    yield from _convolutions_of(student.stages)


def _convolutions_of(stages: Iterable[nn.Module]) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    for stage in stages:
        if isinstance(stage, Convolution):
            yield stage.conv, stage.norm
        elif isinstance(stage, InvertedResidual):
            if stage.widen is not None:
                yield stage.widen.conv, stage.widen.norm
            yield stage.depthwise.conv, stage.depthwise.norm
            if stage.squeeze is not None and stage.excite is not None:
                yield stage.squeeze, None
                yield stage.excite, None
            yield stage.narrow.conv, stage.narrow.norm


def _fill(into: Tensor, weight: Array) -> None:
    """The first of each axis; new rows stay random, new columns are 0 for old rows."""
    if any(had > has for had, has in zip(weight.shape, into.shape, strict=True)):
        raise ValueError(
            f"the earlier model has weights of shape {weight.shape}, the student {tuple(into.shape)}"
        )
    with torch.no_grad():
        into[: len(weight)] = 0
        into[tuple(slice(0, size) for size in weight.shape)] = torch.from_numpy(weight.astype(np.float32))


def _fill_linear(layer: nn.Linear, weights: tuple[Array, Array]) -> None:
    _fill(layer.weight, weights[0])
    _fill(layer.bias, weights[1])


@torch.no_grad()
def _fill_rows(layer: nn.Linear, rows: Sequence[int], weights: tuple[Array, Array]) -> None:
    layer.weight[list(rows)] = torch.from_numpy(weights[0].astype(np.float32))
    layer.bias[list(rows)] = torch.from_numpy(weights[1].astype(np.float32))


def _of_the_later(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Of two networks in a file (join.py) the later one's nodes, then what else the emotion comes from; of a
    network by itself all nodes."""
    later = {node.input[2] for node in graph.node if node.op_type == "Where"}
    if not later:
        return [*graph.node]
    nodes = _behind(graph, later)
    names = {node.name for node in nodes}
    return nodes + [node for node in _behind(graph, {"emotion"}) if node.name not in names]


def _behind(graph: onnx.GraphProto, outputs: set[str]) -> list[onnx.NodeProto]:
    wanted, nodes = set(outputs), []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted |= set(node.input)
            nodes.append(node)
    return nodes[::-1]


class _Weights:
    """A released graph's weights, one layer after the other."""

    def __init__(self, model: onnx.ModelProto) -> None:
        nodes = _of_the_later(model.graph)
        kept = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
        for node in nodes:
            if node.op_type == "Cast" and node.input[0] in kept:
                kept[node.output[0]] = kept[node.input[0]].astype(np.float32)
        self._convolutions = iter(
            [kept[name] for name in node.input[1:]] for node in nodes if node.op_type == "Conv"
        )
        after = {node.input[0]: node for node in nodes if node.op_type == "Add"}
        self._linear = iter(
            (kept[node.input[1]].T, kept[after[node.output[0]].input[1]])
            for node in nodes
            if node.op_type == "MatMul" and node.output[0] in after and after[node.output[0]].input[1] in kept
        )

    def convolution(self) -> tuple[Array, Array]:
        weight, bias = next(self._convolutions)
        return weight, bias

    def linear(self, outputs: int = 0) -> tuple[Array, Array]:
        """The next layer, or the next of so many outputs: guesses at the teachers stand between labels and
        emotions, and only part of each is kept."""
        return next(each for each in self._linear if not outputs or len(each[1]) == outputs)
