"""Nodes and weights of an ONNX file, read without a library: what a model of ours consists of, no more."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
_TYPES = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16, 11: np.float64}
"""What TensorProto.DataType numbers so."""


class NotOurs(ValueError):
    """The file is no ONNX, or holds what our own arithmetic does not know."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Numbers, or tuples of integers."""


@dataclass(frozen=True, slots=True)
class OnnxGraph:
    """Operations in an order in which they can be computed."""

    nodes: list[Operation]
    weights: dict[str, Array]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_graph(content: bytes) -> OnnxGraph:
    """Raises NotOurs where this is no ONNX file, or one whose weights lie elsewhere."""
    try:
        (graph,) = (value for number, value in _fields(memoryview(content)) if number == 7)
        return _graph(graph)
    except (AttributeError, IndexError, KeyError, TypeError, struct.error) as error:
        raise NotOurs(f"cannot be read ({error!r})") from error
    except ValueError as error:
        raise NotOurs(str(error)) from error


def _graph(message: memoryview) -> OnnxGraph:
    nodes, weights = list[Operation](), dict[str, Array]()
    ends: dict[int, list[str]] = {11: [], 12: []}
    for number, value in _fields(message):
        if number == 1:
            nodes.append(_node(value))
        elif number == 5:
            name, array = _tensor(value)
            weights[name] = array
        elif number in ends:
            ends[number] += [_text(v) for n, v in _fields(value) if n == 1]
    return OnnxGraph(nodes, weights, tuple(ends[11]), tuple(ends[12]))


def _node(message: memoryview) -> Operation:
    kind, inputs, outputs, attributes = "", list[str](), list[str](), dict[str, Any]()
    for number, value in _fields(message):
        if number == 1:
            inputs.append(_text(value))
        elif number == 2:
            outputs.append(_text(value))
        elif number == 4:
            kind = _text(value)
        elif number == 5:
            name, held = _attribute(value)
            attributes[name] = held
    (output,) = outputs
    return Operation(kind, tuple(inputs), output, attributes)


def _attribute(message: memoryview) -> tuple[str, Any]:
    name, single, several = "", None, list[int]()
    for number, value in _fields(message):
        if number == 1:
            name = _text(value)
        elif number == 2:
            single = struct.unpack("<f", value)[0]
        elif number == 3:
            single = _signed(value)
        elif number == 8:
            several += _integers(value)
    return name, tuple(several) if single is None else single


def _tensor(message: memoryview) -> tuple[str, Array]:
    name, kind, shape, raw = "", 0, list[int](), None
    for number, value in _fields(message):
        if number == 1:
            shape += _integers(value)
        elif number == 2:
            kind = value
        elif number == 8:
            name = _text(value)
        elif number == 9:
            raw = value
    if raw is None or kind not in _TYPES:
        raise NotOurs(f"weight {name} is not kept as raw numbers")
    return name, np.frombuffer(raw, _TYPES[kind]).reshape(shape)


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protobuf message: an int, or the bytes of whatever it is."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        match key & 7:
            case 0:
                value, at = _varint(message, at)
                yield key >> 3, value
                continue
            case 2:
                size, at = _varint(message, at)
            case 5:
                size = 4
            case 1:
                size = 8
            case _:
                raise NotOurs("not an ONNX file")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = message[at]
    at += 1
    if value < 128:
        return value, at
    value, shift = value & 127, 7
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _integers(value: Any) -> list[int]:
    """One number, or several packed into one field."""
    if isinstance(value, int):
        return [_signed(value)]
    numbers, at = list[int](), 0
    while at < len(value):
        number, at = _varint(value, at)
        numbers.append(_signed(number))
    return numbers


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _text(value: memoryview) -> str:
    return value.tobytes().decode()
