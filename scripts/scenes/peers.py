"""YAMNet as others run it, on the same scenes: the user's own copy of the model, through ai-edge-litert."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.classifiers.taggers.audioset import read_class_map
from monitor.recordings.rows import ResultRow

WINDOW = 15_600
"""Samples of YAMNet's input: 0.975 s."""


@dataclass(frozen=True, slots=True)
class Use:
    """How a project runs the model."""

    name: str
    onset: float
    least_rms: float
    """16-bit RMS below which the model is not asked."""
    hold_s: float
    """An event ends when its label was not seen for so long."""
    overlap: bool


FRIGATE = Use("YAMNet as Frigate runs it", onset=0.8, least_rms=500, hold_s=30, overlap=False)
"""frigate/events/audio.py and its defaults: min_volume 500, threshold 0.8, max_not_heard 30."""
OPEN = Use("YAMNet, no volume limit, 0.3", onset=0.3, least_rms=0, hold_s=5, overlap=True)


class Yamnet:
    """The model, loaded; `models` holds yamnet.tflite and yamnet_class_map.csv."""

    def __init__(self, models: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._classes = read_class_map(models / "yamnet_class_map.csv")
        self._model: Any = Interpreter(str(models / "yamnet.tflite"), num_threads=1)
        self._model.allocate_tensors()
        self._input = self._model.get_input_details()[0]["index"]
        self._output = self._model.get_output_details()[0]["index"]

    def windows(self, samples: Samples) -> Iterator[tuple[float, float, dict[str, float]]]:
        """Every half window: where it starts, its 16-bit RMS, and our labels' scores."""
        for start in range(0, len(samples) - WINDOW + 1, WINDOW // 2):
            wave = np.ascontiguousarray(samples[start : start + WINDOW], np.float32)
            self._model.set_tensor(self._input, wave)
            self._model.invoke()
            scores = self._model.get_tensor(self._output).reshape(-1)
            by_label = {label: float(score) for label, score in self._classes.scores(scores).items()}
            yield start / SAMPLE_RATE_HZ, float(np.sqrt(np.mean(wave**2))) * 32768, by_label


def events(windows: list[tuple[float, float, dict[str, float]]], use: Use) -> list[ResultRow]:
    """What a project that uses the model so would report. Pure."""
    last_s: dict[str, float] = {}
    rows: list[ResultRow] = []
    for start_s, level, scores in windows if use.overlap else windows[::2]:
        if level < use.least_rms:
            continue
        for label, score in scores.items():
            if score < use.onset:
                continue
            if start_s - last_s.get(label, -1e9) > use.hold_s:
                rows.append(
                    {
                        "type": "event",
                        "label": label,
                        "start_s": start_s,
                        "decided_s": start_s + WINDOW / SAMPLE_RATE_HZ,
                        "score": score,
                        "classifier": use.name,
                    }
                )
            last_s[label] = start_s
    return rows
