"""Two networks in one graph: what is equal in both is computed once, and each label is heard by one of them.

An earlier model and what it became share their first stages. The later one knows more sounds of homes it
has never been in; the earlier one loses fewer among other sounds. So alert labels and voices, with the
emotion and the embedding, are those of the first, bit for bit; all other labels are those of the second.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from monitor.evidence.privacy import SPOKEN
from monitor.labels import VOICED
from scripts.scenes.kinds import ALERTS

OF_THE_FIRST = frozenset(ALERTS) | SPOKEN | VOICED
"""Labels that raise alerts, or say whether somebody speaks."""
BOTH, FIRST_ALONE = ("scores", "frames"), ("emotion", "embedding")


class _Graph:
    """Nodes and weights, each kept once whatever it is called."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._known: dict[tuple[Any, ...], list[str]] = {}

    def take_in(self, graph: onnx.GraphProto) -> dict[str, str]:
        """Add another's nodes and weights; the names that its outputs have here."""
        here = {each.name: each.name for each in graph.input}
        for weight in graph.initializer:
            here[weight.name] = self._weight(weight)
        for node in graph.node:
            outputs = self._node(node, [here[name] for name in node.input])
            here |= zip(node.output, outputs, strict=True)
        return {each.name: here[each.name] for each in graph.output}

    def constant(self, array: np.ndarray) -> str:
        """A weight of this graph's own, of any shape."""
        return self._weight(numpy_helper.from_array(array))

    def add(self, kind: str, inputs: Sequence[str], out: str) -> None:
        """A node with an output of that name."""
        self.nodes.append(helper.make_node(kind, list(inputs), [out], out))

    def _weight(self, weight: onnx.TensorProto) -> str:
        array = numpy_helper.to_array(weight)
        key = ("weight", array.dtype.str, array.shape, array.tobytes())
        if key not in self._known:
            self._known[key] = [f"w{len(self.weights)}"]
            self.weights.append(numpy_helper.from_array(array, self._known[key][0]))
        return self._known[key][0]

    def _node(self, node: onnx.NodeProto, inputs: Sequence[str]) -> list[str]:
        attributes = tuple(sorted(each.SerializeToString() for each in node.attribute))
        key = ("node", node.op_type, tuple(inputs), attributes)
        if key not in self._known:
            made = onnx.NodeProto()
            made.CopyFrom(node)
            made.name = f"{node.op_type.lower()}_{len(self.nodes)}"
            outputs = [f"{made.name}_{n}" for n in range(len(node.output))]
            del made.input[:], made.output[:]
            made.input.extend(inputs)
            made.output.extend(outputs)
            self.nodes.append(made)
            self._known[key] = outputs
        return self._known[key]


def joined(first: onnx.ModelProto, second: onnx.ModelProto, of_the_first: np.ndarray) -> onnx.ModelProto:
    """One graph. `of_the_first`, shape (labels,), is true for labels that the first hears."""
    graph = _Graph()
    one, other = graph.take_in(first.graph), graph.take_in(second.graph)
    mask = graph.constant(of_the_first)
    for name in BOTH:
        graph.add("Where", [mask, one[name], other[name]], name)
    for name in FIRST_ALONE:
        graph.add("Identity", [one[name]], name)
    nodes, weights = _needed(graph)
    made = helper.make_graph(nodes, "earwitness", first.graph.input, first.graph.output, weights)
    model = helper.make_model(
        made, opset_imports=first.opset_import, ir_version=first.ir_version, producer_name="earwitness"
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _needed(graph: _Graph) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """What any output comes from."""
    wanted, nodes = {*BOTH, *FIRST_ALONE}, []
    for node in reversed(graph.nodes):
        if wanted.intersection(node.output):
            wanted |= set(node.input)
            nodes.append(node)
    return nodes[::-1], [weight for weight in graph.weights if weight.name in wanted]


def join(first: Path, second: Path, model: Path) -> None:
    """Write both as one model, with its JSON. Onsets are each network's own."""
    about, other = (json.loads(file.with_suffix(".json").read_text()) for file in (first, second))
    labels = about["labels"]
    mask = np.array([label in OF_THE_FIRST for label in labels])
    content = joined(onnx.load(str(first)), onnx.load(str(second)), mask).SerializeToString()
    about |= {
        "onsets": _by_label(labels, about["onsets"], other["onsets"]),
        "second_look": _by_label(labels, about["second_look"], other["second_look"]),
        "calibration": {
            key: np.where(mask, about["calibration"][key], other["calibration"][key]).tolist()
            for key in ("scale", "shift")
        },
        "training": _training(about, other),
        "embedding_of": about.get("embedding_of") or about["sha256"],
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    model.write_bytes(content)
    model.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _by_label(labels: Sequence[str], one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {label: (one if label in OF_THE_FIRST else other)[label] for label in labels}


def _training(about: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The second network's, which was taught by all that taught the first, and what is the first's."""
    own, its = about["training"], other["training"]
    of_the_first = [label for label in about["labels"] if label in OF_THE_FIRST]
    training: dict[str, Any] = its | {
        "clips_by_label": _by_label(about["labels"], own["clips_by_label"], its["clips_by_label"]),
        "joined": {"sha256": about["sha256"], "clips": own["clips"], "labels": of_the_first},
    }
    return training
