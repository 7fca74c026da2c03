"""Small taggers built with onnx.helper, which say how loud a sound is and where."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

GRAIN = 2_560
LABELS = ("dog_bark", "speech", "knock")
EMOTIONS = ("neutral", "angry")


def embedded_model(folder: Path, *, emotion: Sequence[float] = (0.25, 0.75), **sidecar: object) -> Path:
    """A model of the embedded contract. dog_bark is ten times the mean square of a 0.16 s frame, at most
    1; speech is half of it; knock is always 0."""
    nodes = [
        helper.make_node("Reshape", ["wave", "split"], ["pieces"]),
        helper.make_node("Mul", ["pieces", "pieces"], ["power"]),
        helper.make_node("ReduceMean", ["power"], ["mean"], axes=[2], keepdims=1),
        helper.make_node("Mul", ["mean", "gains"], ["raw"]),
        helper.make_node("Clip", ["raw", "zero", "one"], ["frames"]),
        helper.make_node("ReduceMax", ["frames"], ["scores"], axes=[1], keepdims=0),
        helper.make_node("Mul", ["scores", "zero"], ["nothing"]),
        helper.make_node("ReduceSum", ["nothing", "axis"], ["none"], keepdims=1),
        helper.make_node("Add", ["none", "feeling"], ["emotion"]),
        helper.make_node("Identity", ["scores"], ["embedding"]),
    ]
    weights: dict[str, npt.ArrayLike] = {
        "split": np.array([0, -1, GRAIN], np.int64),
        "gains": np.array([10, 5, 0], np.float32),
        "zero": np.float32(0),
        "one": np.float32(1),
        "axis": np.array([1], np.int64),
        "feeling": np.array([emotion], np.float32),
    }
    outputs: dict[str, list[int | str]] = {
        "scores": ["b", len(LABELS)], "frames": ["b", "f", len(LABELS)],
        "emotion": ["b", len(EMOTIONS)], "embedding": ["b", len(LABELS)],
    }  # fmt: skip
    file = folder / "tagger.onnx"
    file.write_bytes(_model(nodes, weights, {"wave": ["b", "n"]}, outputs))
    known = {
        "version": "test", "sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "labels": LABELS,
        "emotions": EMOTIONS, "window_s": 3.2, "hop_s": 1.6, "frame_hop_s": 0.16,
    }  # fmt: skip
    file.with_suffix(".json").write_text(json.dumps(known | sidecar))
    return file


def foreign_model(
    folder: Path, shape: Sequence[int | str], classes: int = 3, *, frames: bool = False, logit: bool = False
) -> Path:
    """A tagger whose classes score ten times the mean square, then half of it, then a quarter and so on."""
    rank = len(shape)
    nodes = [
        helper.make_node("Mul", ["wave", "wave"], ["power"]),
        helper.make_node("ReduceMean", ["power"], ["mean"], axes=[rank - 1], keepdims=1),
        helper.make_node("Mul", ["mean", "gains"], ["raw"]),
    ]
    if rank == 3:
        nodes.append(helper.make_node("Squeeze", ["raw", "axis"], ["flat"]))
    else:
        nodes.append(helper.make_node("Identity", ["raw"], ["flat"]))
    nodes.append(
        helper.make_node("Unsqueeze" if frames else "Identity", ["flat", "axis"][: 1 + frames], ["wide"])
    )
    nodes.append(helper.make_node("Log" if logit else "Identity", ["wide"], ["said"]))
    weights: dict[str, npt.ArrayLike] = {
        "gains": (10 / 2 ** np.arange(classes)).astype(np.float32),
        "axis": np.array([0 if rank == 1 else 1], np.int64),
    }
    out: list[int | str] = [
        *([] if rank == 1 and not frames else ["b"]),
        *(["f"] if frames and rank > 1 else []),
        classes,
    ]
    file = folder / "foreign.onnx"
    file.write_bytes(_model(nodes, weights, {"wave": shape}, {"said": out}))
    return file


def class_list(
    folder: Path, names: Sequence[str] = ("Bark", "Speech", "Dog"), column: str = "display_name"
) -> Path:
    """A CSV as YAMNet and AudioSet have it."""
    file = folder / "classes.csv"
    rows = [f'{number},/m/{number},"{name}"' for number, name in enumerate(names)]
    file.write_text("\n".join([f"index,mid,{column}", *rows]) + "\n")
    return file


def _model(
    nodes: list[onnx.NodeProto],
    weights: Mapping[str, npt.ArrayLike],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Mapping[str, Sequence[int | str]],
) -> bytes:
    used = {name for node in nodes for name in node.input}
    kept = [numpy_helper.from_array(np.asarray(v), k) for k, v in weights.items() if k in used]
    ins, outs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in values.items()]
        for values in (inputs, outputs)
    )
    graph = helper.make_graph(nodes, "loudness", ins, outs, kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
