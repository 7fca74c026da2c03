"""AudioSet taggers as TensorFlow Lite files (YAMNet as it is published), through LiteRT.

What the file must be is what `onnx.py` says; the interpreter is `ai-edge-litert` (Apache-2.0), which is not
installed by itself: `pip install 'earwitness[tflite]'`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from monitor.classifiers.taggers.onnx import OnnxConfig
from monitor.errors import ModelError
from monitor.schema import Slug


class TfliteConfig(OnnxConfig):
    """Your own AudioSet tagger: a TensorFlow Lite file that takes a waveform, for example YAMNet."""

    type: Literal["tflite"]  # type: ignore[assignment]
    name: Slug = "tflite"
    """Name of this classifier in events (`confirmed_by`) and logs."""

    def open(self) -> Any:
        """The model behind the face of an onnxruntime session. ModelError when it cannot be opened."""
        return _Interpreter(str(self.model), self.name)


@dataclass(frozen=True, slots=True)
class _Tensor:
    """What onnxruntime says of an input or output."""

    name: str
    shape: list[int | str]


class _Interpreter:
    """A LiteRT interpreter, asked as an onnxruntime session is. One thread."""

    def __init__(self, file: str, name: str) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(
                f"{name}: TensorFlow Lite models need the package ai-edge-litert: "
                "pip install 'earwitness[tflite]'"
            ) from error
        try:
            self._model: Any = Interpreter(file, num_threads=1)
            self._model.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{name}: not a model that LiteRT can open ({error})") from error

    def get_inputs(self) -> list[_Tensor]:
        """Name and shape of what goes in; an axis of -1 in the signature is free."""
        return [_described(each) for each in self._model.get_input_details()]

    def get_outputs(self) -> list[_Tensor]:
        """Name and shape of what comes out."""
        return [_described(each) for each in self._model.get_output_details()]

    def run(self, outputs: Sequence[str], given: Mapping[str, Any]) -> list[Any]:
        """The outputs by name."""
        for entrance in self._model.get_input_details():
            wave = np.asarray(given[entrance["name"]], np.float32)
            if tuple(entrance["shape"]) != wave.shape:
                self._model.resize_tensor_input(entrance["index"], wave.shape)
                self._model.allocate_tensors()
            self._model.set_tensor(entrance["index"], wave)
        self._model.invoke()
        index = {each["name"]: each["index"] for each in self._model.get_output_details()}
        return [self._model.get_tensor(index[name]).copy() for name in outputs]


def _described(details: Mapping[str, Any]) -> _Tensor:
    signature = details.get("shape_signature", details["shape"])
    return _Tensor(details["name"], ["any" if axis < 0 else int(axis) for axis in signature])
