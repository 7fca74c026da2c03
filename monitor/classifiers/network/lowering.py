"""An ONNX graph of ours as steps for the kernels, and what little is left of it for numpy.

Fused on the way: the whole front end into one step; an activation, a bias and a shortcut into the convolution
or matrix product before it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from monitor.classifiers.network.front import NODES, Floats, lowered_front
from monitor.classifiers.network.onnx_file import Array, NotOurs, OnnxGraph, Operation
from monitor.classifiers.network.steps import Act, KernelStep, Kind, in_whole_lines

EIGHT, MOST_INNER = 8, 1024
"""Channels of a map come in eights; the longest sum."""
MAP, FRAMES, WINDOWS = 4, 3, 2
"""Axes of a value: (window, frame, band, channel), (window, frame, channel), (window, channel)."""


@dataclass(slots=True)
class Lowered:
    """What the kernels compute, then what numpy does with it."""

    constants: dict[str, Array]
    steps: list[KernelStep] = field(default_factory=list)
    rest: list[Operation] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    """Values of the kernels that numpy, or who asks, reads."""


def lowered(graph: OnnxGraph, *, halves: bool, panel: int) -> Lowered:
    """`halves`: whether weights that are kept as float16 stay so. `panel`: columns of a product that lie
    together. Raises NotOurs where the graph is another than `scripts/train_tagger` writes."""
    try:
        return _Lowering(graph, halves, panel).all()
    except NotOurs:
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise NotOurs(f"another graph ({error!r})") from error


class _Lowering:
    """One pass over the nodes."""

    def __init__(self, graph: OnnxGraph, halves: bool, panel: int) -> None:
        self._graph, self._halves, self._panel = graph, halves, panel
        self._made = Lowered(_constants(graph))
        self._nodes = [node for node in graph.nodes if node.kind != "Cast"]
        self._readers: dict[str, list[Operation]] = {}
        for node in self._nodes:
            for name in set(node.inputs):
                self._readers.setdefault(name, []).append(node)
        self._axes: dict[str, int] = {}
        self._widths: dict[str, int] = {}
        self._pooled: set[str] = set()
        """Values of one number for each channel, in the shape of a map."""
        self._done: set[str] = set()
        self._kinds: dict[str, Callable[[Operation], None]] = {
            "Conv": self._convolution,
            "MatMul": self._product,
            "GlobalAveragePool": self._pool,
            "ReduceMean": self._mean,
            "Mul": self._scale,
        }

    def all(self) -> Lowered:
        """Every node in turn."""
        front, log_mel = lowered_front(self._nodes, self._made.constants)
        self._add(
            KernelStep(
                Kind.LOG_MEL, ("wave",), log_mel, front.mels, weights=front.weights, bias=front.numbers
            ),
            MAP,
        )
        self._widths[log_mel] = 1
        for node in self._nodes[NODES:]:
            if node.output in self._done:
                continue
            if node.kind in self._kinds and self._is_made(node):
                self._kinds[node.kind](node)
            else:
                self._leave(node)
        self._made.wanted |= self._axes.keys() & set(self._graph.outputs)
        return self._made

    def _is_made(self, node: Operation) -> bool:
        """Whether the kernels have made what it takes: of Mul both."""
        takes = node.inputs if node.kind == "Mul" else node.inputs[:1]
        return all(name in self._axes for name in takes)

    def _leave(self, node: Operation) -> None:
        mine = self._axes.keys() & set(node.inputs)
        if any(self._axes[name] == MAP for name in mine):
            raise NotOurs(f"{node.kind} of a map")
        self._made.wanted |= mine
        self._made.rest.append(node)

    def _convolution(self, node: Operation) -> None:
        takes, weights, bias = node.inputs[0], self._constant(node.inputs[1]), self._floats(node.inputs[2])
        out, into, height, width = weights.shape
        group, strides = node.attributes["group"], node.attributes["strides"]
        if (
            strides not in {(1, 1), (2, 2)}
            or node.attributes["pads"] != (height // 2,) * 4
            or height != width
        ):
            raise NotOurs("a convolution of another shape")
        stride = 1 if strides == (1, 1) else 2
        act, gives, beside = self._after(node)
        plain = out % EIGHT == 0 and into == 1 and beside is None and act != Act.SIGMOID
        if height == 1 and group == 1 and stride == 1 and out % EIGHT == 0:
            self._put_product(takes, weights[:, :, 0, 0].T, bias, act, gives, beside)
        elif plain and (group == out == self._widths[takes] or (group, out, height) == (1, 8, 3)):
            kind = Kind.STEM if group == 1 else Kind.DEPTHWISE
            # Frames before bands.
            turned = in_whole_lines(weights[:, 0].transpose(2, 1, 0).astype(np.float32))
            self._add(
                KernelStep(kind, (takes,), gives, out, act, turned, bias, kernel=height, stride=stride), MAP
            )
        else:
            raise NotOurs("a convolution of another shape")

    def _product(self, node: Operation) -> None:
        weights = self._constant(node.inputs[1])
        (adding,) = self._readers[node.output]
        bias = self._floats(adding.inputs[1])
        if adding.kind != "Add" or weights.ndim != 2 or bias.shape != weights.shape[1:]:
            raise NotOurs("a matrix product of another shape")
        self._done.add(adding.output)
        act, gives, _ = self._after(adding, shortcuts=False)
        if act != Act.NONE and (twin := self._of_the_mean(node, adding, weights, bias)):
            self._put_product(node.inputs[0], weights, bias, Act.NONE, adding.output, None)
            self._put_mean(adding.output, twin.output, 1, WINDOWS)
            self._put_activation(adding.output, gives, act)
            act, gives, _ = self._after(twin, shortcuts=False)
            if act != Act.NONE:
                self._put_activation(twin.output, gives, act)
            return
        self._put_product(node.inputs[0], weights, bias, act, gives, None)

    def _of_the_mean(
        self, node: Operation, adding: Operation, weights: Array, bias: Floats
    ) -> Operation | None:
        """What adds the bias to the product of the same weights and the frames' mean, if that is asked, too:
        it is the mean of the frames' products, and the weights need not be read again."""
        means = [other for other in self._readers[node.inputs[0]] if other.kind == "ReduceMean"]
        if self._axes[node.inputs[0]] != FRAMES or len(means) != 1 or means[0].attributes["axes"] != (1,):
            return None
        for other in self._readers.get(means[0].output, ()):
            if other.kind == "MatMul" and np.array_equal(self._constant(other.inputs[1]), weights):
                (twin,) = self._readers[other.output]
                if twin.kind == "Add" and np.array_equal(self._floats(twin.inputs[1]), bias):
                    self._done |= {other.output, twin.output}
                    return twin
        return None

    def _put_activation(self, takes: str, gives: str, act: Act) -> None:
        self._add(KernelStep(Kind.ACTIVATE, (takes,), gives, self._widths[takes], act), self._axes[takes])

    def _put_product(
        self, takes: str, weights: Array, bias: Floats, act: Act, gives: str, beside: str | None
    ) -> None:
        inner, columns = weights.shape
        if self._widths[takes] != inner or inner > MOST_INNER:
            raise NotOurs("a matrix product of another width")
        panel = self._panel
        panels = -(-columns // panel)
        halves = self._halves and weights.dtype == np.float16
        whole = np.zeros((inner, panels * panel), np.float16 if halves else np.float32)
        whole[:, :columns] = weights
        packed = in_whole_lines(whole.reshape(inner, panels, panel).transpose(1, 0, 2))
        filled = np.zeros(panels * panel, np.float32)
        filled[:columns] = bias
        inputs = (takes,) if beside is None else (takes, beside)
        self._add(KernelStep(Kind.PRODUCT, inputs, gives, columns, act, packed, filled), self._axes[takes])
        if takes in self._pooled:
            self._pooled.add(gives)

    def _after(self, node: Operation, *, shortcuts: bool = True) -> tuple[Act, str, str | None]:
        """What can be done as a product is stored: an activation, or the shortcut that is added to it. The
        name of what comes out, and of what is added."""
        readers = self._readers.get(node.output, [])
        kinds = Counter(reader.kind for reader in readers)
        if len(readers) == 1 and readers[0].kind in ("Relu", "Sigmoid"):
            self._done.add(readers[0].output)
            return (Act.RECTIFIED if readers[0].kind == "Relu" else Act.SIGMOID), readers[0].output, None
        if kinds == {"HardSigmoid": 1, "Mul": 1}:
            gate, product = sorted(readers, key=lambda reader: reader.kind)
            ours = abs(gate.attributes["alpha"] - 1 / 6) < 1e-6
            if ours and {*product.inputs} == {node.output, gate.output}:
                self._done |= {gate.output, product.output}
                return Act.HARD_SWISH, product.output, None
        if shortcuts and kinds == {"Add": 1}:
            others = [name for name in readers[0].inputs if name != node.output]
            if len(others) == 1 and others[0] in self._axes:
                self._done.add(readers[0].output)
                return Act.NONE, readers[0].output, others[0]
        return Act.NONE, node.output, None

    def _pool(self, node: Operation) -> None:
        self._put_mean(node.inputs[0], node.output, 2, MAP)
        self._pooled.add(node.output)

    def _mean(self, node: Operation) -> None:
        """Over the bands of a map, or over the frames of what is left."""
        axes, takes = node.attributes["axes"], node.inputs[0]
        if node.attributes["keepdims"] != 0:
            raise NotOurs("a mean that keeps its axis")
        if self._axes[takes] == FRAMES and axes == (1,):
            self._put_mean(takes, node.output, 1, WINDOWS)
            return
        (turning,) = self._readers[node.output]
        if self._axes[takes] != MAP or axes != (2,) or turning.attributes.get("perm") != (0, 2, 1):
            raise NotOurs("a mean over other axes")
        self._done.add(turning.output)
        self._put_mean(takes, turning.output, 1, FRAMES)

    def _put_mean(self, takes: str, gives: str, over: int, axes: int) -> None:
        self._add(KernelStep(Kind.MEAN, (takes,), gives, self._widths[takes], over=over), axes)

    def _scale(self, node: Operation) -> None:
        """A map times a number for each channel, where it lies: nothing else may read it from then on."""
        scaled, factors = node.inputs
        made = self._axes.keys() | self._done
        later = [reader for reader in self._readers[scaled] if reader.output not in made]
        fits = factors in self._pooled and self._widths[scaled] == self._widths[factors]
        if self._axes[scaled] != MAP or not fits or later != [node]:
            raise NotOurs("a product of two values")
        self._add(KernelStep(Kind.SCALE, (factors, scaled), node.output, self._widths[scaled]), MAP)

    def _add(self, step: KernelStep, axes: int) -> None:
        self._made.steps.append(step)
        self._axes[step.gives], self._widths[step.gives] = axes, step.channels

    def _floats(self, name: str) -> Floats:
        return np.array(self._constant(name), np.float32)  # a copy: a view would keep the whole file

    def _constant(self, name: str) -> Array:
        return self._made.constants[name]


def _constants(graph: OnnxGraph) -> dict[str, Array]:
    """The weights, also under the names by which they are widened."""
    constants = dict(graph.weights)
    for node in graph.nodes:
        if node.kind == "Cast":
            constants[node.output] = constants[node.inputs[0]]
    return constants
