"""Any other AudioSet tagger as ONNX (YAMNet, EfficientAT, CED): waveform in, scores of its classes out.

Its classes are mapped to ours by the AudioSet names of labels.csv. What the file must be: one input of
float32 samples, shape (samples), (batch, samples) or (batch, 1, samples), free or fixed; an output whose last
axis is the classes, with axes before it for batch and frames. Models that want spectrograms do not fit.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.taggers.audioset import ClassMap, read_class_map
from monitor.classifiers.taggers.calibration import Calibration, calibrated, read_calibration
from monitor.classifiers.taggers.session import open_session
from monitor.classifiers.taggers.windows import Window, batches, cut, padded
from monitor.errors import ClassifyError, ModelError
from monitor.schema import Slug, Switched, unreadable
from monitor.types import Detection, Segment

Scores = npt.NDArray[np.float32]
MOST_S = 32.0
"""Judged in one call, where the model takes a batch."""


class OnnxConfig(Switched):
    """Your own AudioSet tagger: an ONNX file that takes a waveform."""

    type: Literal["onnx"]
    name: Slug = "onnx"
    """Name of this classifier in events (`confirmed_by`) and logs."""
    model: Path
    """The model file."""
    classes: Path
    """CSV of its classes in the order of its scores, with AudioSet names in a column `display_name`."""
    sample_rate_hz: Annotated[int, Field(ge=8_000, le=48_000)] = 16_000
    """The rate that the model was trained on."""
    window_s: Annotated[float, Field(ge=0.1, le=30)] = 2.0
    """How much sound the model gets at once. A model with a fixed input length uses its own."""
    hop_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    """Time from one window of a long segment to the next."""
    output: str | None = None
    """Name of the output with the scores. By default the first output with as many classes as the CSV."""
    scores: Literal["probability", "logit"] = "probability"
    """logit: the scores of the model are before the sigmoid."""
    calibration: Path | None = None
    """File that turns the scores into probabilities. `earwitness eval --calibration` writes it from your
    own recordings. Without it the scores are used as they are."""

    def open(self) -> Any:
        """The model, to be asked as an onnxruntime session is. ModelError when it cannot be opened."""
        return open_session(self.model, self.name)

    def build(self) -> "OnnxClassifier":
        """The classifier, not yet loaded. ModelError when the list of classes cannot be used."""
        return OnnxClassifier(self)


class OnnxClassifier(ClassifierDefaults):
    """A foreign tagger as a classifier. Labels are known from the CSV; one thread at a time."""

    def __init__(self, block: OnnxConfig) -> None:
        self.name = block.name
        self.window_s = block.window_s
        self.hop_s = block.hop_s
        self._block = block
        self._session: Any = None
        self._output = ""

    @cached_property
    def _map(self) -> ClassMap:
        return read_class_map(self._block.classes)

    @cached_property
    def _calibration(self) -> Calibration:
        return {} if self._block.calibration is None else read_calibration(self._block.calibration)

    @property
    def labels(self) -> frozenset[str]:
        """Those of ours that a class of it means."""
        return frozenset(self._map.columns)

    def load(self) -> None:
        """Open the model and classify one window of silence. ModelError when it differs from the block."""
        if reason := unreadable(self._block.model):
            raise ModelError(f"{self.name}: {reason}")
        assert self._calibration is not None
        self._session = self._block.open()
        self._check_input()
        self._output = self._chosen_output()
        if self._input_samples:
            self.window_s = self._input_samples / self._block.sample_rate_hz
            self.hop_s = min(self.hop_s, self.window_s)
        try:
            self._run([Window(0, 0, np.zeros(round(self.window_s * self._block.sample_rate_hz), np.float32))])
        except ClassifyError as error:
            self._session = None
            raise ModelError(f"{self._block.model} does not fit: {error}") from error

    def close(self) -> None:
        """Let the model go."""
        self._session = None

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Every label of every segment with the highest score of its windows. Silence scores 0; NaN counts as
        silence. Without frames, the onset is the start of the best window or the segment's own, the later of
        the two. Raises ClassifyError.
        """
        rate_hz = self._block.sample_rate_hz
        window, hop = round(self.window_s * rate_hz), round(self.hop_s * rate_hz)
        windows = cut(segments, rate_hz, window, hop, grain=window)
        scores = np.zeros((len(windows), len(self._map.columns)), np.float32)
        for positions in batches(windows, round(MOST_S * rate_hz)):
            scores[positions] = self._run([windows[position] for position in positions])
        return [
            detection
            for number, segment in enumerate(segments)
            for detection in self._detections(
                segment, [(w, s) for w, s in zip(windows, scores, strict=True) if w.segment == number]
            )
        ]

    def _detections(self, segment: Segment, judged: Sequence[tuple[Window, Scores]]) -> Iterable[Detection]:
        best = np.argmax([scores for _, scores in judged], axis=0)
        for n, label in enumerate(self._map.columns):
            window, scores = judged[best[n]]
            onset_s = max(segment.onset_s, window.start / self._block.sample_rate_hz)
            yield Detection(
                label=label,
                score=float(scores[n]),
                classifier=self.name,
                source=segment.source,
                started_at=segment.started_at + timedelta(seconds=onset_s),
                duration_s=max(0.0, min(self.window_s, segment.audio.duration_s - onset_s)),
                segment_id=segment.id,
            )

    def _run(self, windows: Sequence[Window]) -> Scores:
        """Scores of our labels, shape (windows, labels)."""
        if self._session is None:
            raise ClassifyError(f"{self.name}: asked before its model was loaded")
        wave = np.stack([window.samples for window in windows])
        try:
            of_classes = np.concatenate([self._ask(part) for part in self._parts(wave)])
        except Exception as error:
            # onnxruntime's exceptions derive from Exception directly.
            raise ClassifyError(
                f"{self.name}: {len(windows)} windows could not be judged: {error}"
            ) from error
        heard = np.array([not window.silent for window in windows], np.float32)
        by_label = self._map.scores(self._as_probability(of_classes))
        columns = [calibrated(label, own, self._calibration) for label, own in by_label.items()]
        return np.asarray(np.stack(columns, axis=1) * heard[:, None], np.float32)

    def _parts(self, wave: Scores) -> list[Scores]:
        """One call for all windows where the model takes a batch, else one for each."""
        shape = self._session.get_inputs()[0].shape
        takes_batch = len(shape) > 1 and not isinstance(shape[0], int)
        return [wave] if takes_batch else list(wave[:, None])

    def _ask(self, wave: Scores) -> Scores:
        """(windows, samples) to (windows, classes), the highest of a window's frames."""
        entrance = self._session.get_inputs()[0]
        wave = padded_to(wave, self._input_samples)
        given = {1: wave[0], 2: wave, 3: wave[:, None]}[len(entrance.shape)]
        (output,) = self._session.run([self._output], {entrance.name: given})
        frames = np.asarray(output, np.float32).reshape(len(wave), -1, self._map.classes)
        return np.asarray(np.nan_to_num(frames.max(axis=1)), np.float32)

    def _as_probability(self, scores: Scores) -> Scores:
        if self._block.scores == "logit":
            return np.asarray(1 / (1 + np.exp(-scores.clip(-60, 60))), np.float32)
        return scores.clip(0, 1)

    @property
    def _input_samples(self) -> int | None:
        """The one length of input that the model takes, or None when any will do."""
        shape = self._session.get_inputs()[0].shape
        return shape[-1] if shape and isinstance(shape[-1], int) else None

    def _check_input(self) -> None:
        inputs = self._session.get_inputs()
        shape = inputs[0].shape
        if len(inputs) != 1 or len(shape) not in (1, 2, 3) or (len(shape) == 3 and shape[1] != 1):
            raise ModelError(
                f"{self.name}: {self._block.model} does not take a waveform: its inputs have the shapes "
                f"{[entrance.shape for entrance in inputs]}; it needs one, (batch, samples)"
            )

    def _chosen_output(self) -> str:
        outputs: dict[str, list[Any]] = {o.name: o.shape for o in self._session.get_outputs()}
        if self._block.output is not None:
            if self._block.output not in outputs:
                raise ModelError(
                    f"{self.name}: no output {self._block.output!r}; there are: {', '.join(outputs)}"
                )
            return self._block.output
        fitting = [name for name, shape in outputs.items() if shape and shape[-1] == self._map.classes]
        if not fitting:
            raise ModelError(
                f"{self.name}: {self._block.classes} has {self._map.classes} classes, but the outputs of the "
                f"model have the shapes {list(outputs.values())}; name one under `output:` or another CSV"
            )
        return fitting[0]


def padded_to(wave: Scores, samples: int | None) -> Scores:
    """(windows, any) to (windows, samples) with zeros."""
    if samples is None or wave.shape[1] == samples:
        return wave
    return np.stack([padded(row, samples) for row in wave])
