"""A small tagger as a TensorFlow Lite file, put together by its schema; it says how loud a sound is."""

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

SAMPLES = 16_000


def tflite_model(folder: Path, classes: int = 3) -> Path:
    """Takes (16000,) and gives (classes,): ten times the mean square, half of it, a quarter and so on."""
    model = schema.ModelT()
    model.version = 3
    model.description = "loudness"
    model.operatorCodes = [
        _operator(schema.BuiltinOperator.MUL), _operator(schema.BuiltinOperator.MEAN)
    ]  # fmt: skip
    gains = (10 / 2 ** np.arange(classes)).astype(np.float32)
    model.buffers = [_buffer(b""), _buffer(np.array([0], np.int32).tobytes()), _buffer(gains.tobytes())]
    graph = schema.SubGraphT()
    graph.name = "main"
    graph.tensors = [
        _tensor("wave", [SAMPLES]), _tensor("power", [SAMPLES]),
        _tensor("axis", [1], buffer=1, kind=schema.TensorType.INT32), _tensor("mean", [1]),
        _tensor("gains", [classes], buffer=2), _tensor("said", [classes]),
    ]  # fmt: skip
    keep = schema.ReducerOptionsT()
    keep.keepDims = True
    mean = schema.BuiltinOptions.ReducerOptions, keep
    times = schema.BuiltinOptions.MulOptions, schema.MulOptionsT()
    graph.operators = [_step(0, [0, 0], 1, times), _step(1, [1, 2], 3, mean), _step(0, [3, 4], 5, times)]
    graph.inputs, graph.outputs = [0], [5]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    file = folder / "tagger.tflite"
    file.write_bytes(bytes(builder.Output()))
    return file


def _operator(code: int) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode = made.deprecatedBuiltinCode = code
    made.version = 1
    return made


def _buffer(content: bytes) -> Any:
    made = schema.BufferT()
    made.data = list(content) or None
    return made


def _tensor(name: str, shape: list[int], buffer: int = 0, kind: int = schema.TensorType.FLOAT32) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.buffer, made.type = name, shape, buffer, kind
    return made


def _step(operator: int, inputs: list[int], output: int, options: tuple[int, Any]) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = operator, inputs, [output]
    made.builtinOptionsType, made.builtinOptions = options
    return made
