"""YAMNet, the second teacher and a baseline: 521 AudioSet classes, windows of 0.975 s at 16 kHz."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CLASSES = 521
SAMPLES = 15_600


class Yamnet:
    """The published TensorFlow Lite model, one window at a time. Not shared between threads."""

    def __init__(self, models: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._model: Any = Interpreter(str(models / "yamnet.tflite"), num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]["index"]
        self._output = self._model.get_output_details()[0]["index"]

    def scores(self, samples: Floats) -> Floats:
        """Probabilities of a window, shape (521,); a shorter one is zero-padded, a longer one cut."""
        wave = np.zeros(SAMPLES, np.float32)
        wave[: min(len(samples), SAMPLES)] = samples[:SAMPLES]
        self._model.set_tensor(self._input, wave)
        self._model.invoke()
        scores: Floats = self._model.get_tensor(self._output).reshape(-1).copy()
        return scores
