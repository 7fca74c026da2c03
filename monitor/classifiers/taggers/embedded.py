"""The sound model that ships with earwitness: made by scripts/train_tagger, described in docs/model-card.md.

The contract of its file, for anyone who trains another: ONNX, waveform in (`wave`, float32, shape (batch,
samples), 16 kHz, any length from 25 ms), and out `scores` (batch, labels) and `frames` (batch, frames,
labels), probabilities; `emotion` (batch, emotions), probabilities that sum to 1; `embedding` (batch, n).
A JSON file of the same name beside it (`Sidecar`) names labels, emotions, window and hop, and pins the
model by its SHA-256. A graph that train_tagger wrote is computed by our own kernels
(`monitor/classifiers/network/`), any other by onnxruntime.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, ValidationError

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.network.network import SoundNetwork
from monitor.classifiers.network.onnx_file import NotOurs
from monitor.classifiers.taggers.forming import like
from monitor.classifiers.taggers.session import open_session
from monitor.classifiers.taggers.sharing import SecondThread
from monitor.classifiers.taggers.windows import Window, batches, cut
from monitor.errors import ClassifyError, ModelError
from monitor.labels import VOICED
from monitor.schema import Score, Slug, Switched, read_file
from monitor.types import Detection, Segment

Scores = npt.NDArray[np.float32]

MOST_SAMPLES = 8 * SAMPLE_RATE_HZ
"""Judged in one call: two full windows, or six early looks. Its weights are read once for all of them: so a
look takes a fifth less than alone; of 16 s no less, and 16 MB more for a moment."""
VOICE_SCORE = 0.3
"""If every voiced label scores less, there is no voice, and an emotion would be invented."""


class Sidecar(BaseModel):
    """What is known of a model file without opening it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    sha256: str
    labels: tuple[str, ...]
    emotions: tuple[str, ...]
    window_s: float
    hop_s: float
    frame_hop_s: float
    onsets: dict[str, Score] = {}
    """Onset thresholds for the tracker, chosen on held-out recordings."""
    hits: dict[str, int] = {}
    """Hits for these scores, where others than the table's serve a label better."""
    second_look: dict[str, tuple[Score, Score]] = {}
    """Scores between which the model is unsure of a label."""
    embedding_of: str | None = None
    """SHA-256 of the earlier model whose embedding it gives, bit for bit, if it does."""

    @property
    def embedding_id(self) -> str:
        """SHA-256 of the model that this embedding was first of: what was taught on it can be heard on it."""
        return self.embedding_of or self.sha256


class EmbeddedConfig(Switched):
    """The sound model that ships with earwitness, or a model that you trained."""

    type: Literal["embedded"]
    name: Slug = "embedded"
    """Name of this classifier in events (`confirmed_by`) and logs."""
    model: Path | None = None
    """Another model file from scripts/train_tagger. Its JSON file must be in the same folder."""

    def build(self) -> "EmbeddedClassifier":
        """The classifier, not yet loaded. ModelError when its JSON is missing or wrong."""
        return EmbeddedClassifier(self)


@dataclass(frozen=True, slots=True)
class _WindowScores:
    """The model's scores of one window."""

    scores: Scores
    """(labels,)"""
    frames: Scores
    """(frames, labels)"""
    emotion: Scores
    """(emotions,)"""
    embedding: Scores


class EmbeddedClassifier(ClassifierDefaults):
    """The embedded sound model. Labels and thresholds are known before `load`; one thread at a time."""

    def __init__(self, block: EmbeddedConfig) -> None:
        self.name = block.name
        self.file = block.model or shipped_model()
        self._session: Any = None
        self._threads = SecondThread()

    @cached_property
    def sidecar(self) -> Sidecar:
        """The JSON beside the model. ModelError when it is missing or wrong."""
        return read_sidecar(self.file)

    @property
    def labels(self) -> frozenset[str]:
        """What it can hear."""
        return frozenset(self.sidecar.labels)

    @property
    def window_s(self) -> float:
        """The length of sound that it judges at once."""
        return self.sidecar.window_s

    @property
    def hop_s(self) -> float:
        """Time from one window of a long segment to the next."""
        return self.sidecar.hop_s

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """Onsets and hits for its own scores, in the form of the configuration's `labels:`."""
        hits = {label: {"hits": count} for label, count in self.sidecar.hits.items()}
        return {label: {"onset": onset} | hits.get(label, {}) for label, onset in self.sidecar.onsets.items()}

    @property
    def dates(self) -> bool:
        """By its frames, of a third of a second."""
        return True

    @property
    def second_look(self) -> Mapping[str, tuple[float, float]]:
        """For each label the scores between which a second opinion is worth asking."""
        return self.sidecar.second_look

    def load(self) -> None:
        """Open the model after checking that it is the one the JSON describes. ModelError otherwise."""
        try:
            content = read_file(self.file)
        except OSError as error:
            raise ModelError(
                f"{self.name}: {self.file} cannot be read ({error.strerror}); {_REINSTALL}"
            ) from error
        if hashlib.sha256(content).hexdigest() != self.sidecar.sha256:
            raise ModelError(
                f"{self.name}: {self.file} is damaged or not the model of its JSON; {_REINSTALL}"
            )
        try:
            self._session = SoundNetwork(content)
        except NotOurs:
            # By its path: onnxruntime keeps what it is opened from, and these would be 6 MB for ever.
            self._session = open_session(self.file, self.name)

    def close(self) -> None:
        """Let the model go."""
        self._session = None
        self._threads.close()

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Every label of every segment with the highest score of its windows; onset and length by frames.

        Silence, a constant, and segments too short for a window score 0 or what their padding lets through;
        NaN counts as silence. Voiced labels carry an emotion when there is a voice. Raises ClassifyError.
        """
        windows, judged = self._judged(segments)
        found: list[Detection] = []
        for number, segment in enumerate(segments):
            own = [(w, j) for w, j in zip(windows, judged, strict=True) if w.segment == number]
            found += self._detections(segment, own)
        return found

    def embed(self, segments: Sequence[Segment]) -> Scores:
        """What each segment sounds like, shape (segments, n), mean over windows. Raises ClassifyError."""
        windows, judged = self._judged(segments)
        return np.stack(
            [
                _embedding([(w, j) for w, j in zip(windows, judged, strict=True) if w.segment == number])
                for number in range(len(segments))
            ]
        )

    def _judged(self, segments: Sequence[Segment]) -> tuple[list[Window], list[_WindowScores]]:
        window, hop, grain = (
            round(length_s * SAMPLE_RATE_HZ)
            for length_s in (self.window_s, self.hop_s, self.sidecar.frame_hop_s)
        )
        windows = cut(segments, SAMPLE_RATE_HZ, window, hop, grain)
        judged: dict[int, _WindowScores] = {}

        def judge(positions: list[int]) -> None:
            judged.update(zip(positions, self._run([windows[p] for p in positions]), strict=True))

        together = [*batches(windows, MOST_SAMPLES)]
        is_much = sum(len(window.samples) for window in windows) > MOST_SAMPLES  # somebody waits for it
        self._threads.share(judge, together, alone=not is_much)
        return windows, [judged[position] for position in range(len(windows))]

    def _run(self, windows: Sequence[Window]) -> list[_WindowScores]:
        if self._session is None:
            raise ClassifyError(f"{self.name}: asked before its model was loaded")
        wave: Samples = np.stack([window.samples for window in windows])
        try:
            outputs = self._session.run(["scores", "frames", "emotion", "embedding"], {"wave": wave})
        except Exception as error:
            # Of onnxruntime's arithmetic, whose exceptions derive from Exception directly, or of our own.
            raise ClassifyError(
                f"{self.name}: {len(windows)} windows could not be judged: {error}"
            ) from error
        heard = np.array([not window.silent for window in windows], np.float32)
        scores, frames = outputs[0] * heard[:, None], outputs[1] * heard[:, None, None]
        return [_WindowScores(*row) for row in zip(scores, frames, *outputs[2:], strict=True)]

    def _detections(
        self, segment: Segment, judged: Sequence[tuple[Window, _WindowScores]]
    ) -> list[Detection]:
        best = np.max([j.scores for _, j in judged], axis=0).tolist()
        starts_s, ends_s = self._spans_s(segment, judged)
        lengths_s, starts_s = (ends_s - starts_s).tolist(), starts_s.tolist()
        began = {start_s: segment.started_at + timedelta(seconds=start_s) for start_s in set(starts_s)}
        emotion = self._emotion(judged)
        model = Detection(
            label="",
            score=0.0,
            classifier=self.name,
            source=segment.source,
            started_at=segment.started_at,
            duration_s=0.0,
            segment_id=segment.id,
            dated=self.dates,
            embedding=_embedding(judged).astype("<f2").tobytes(),
        )
        return [
            like(model, label, score, began[at_s], for_s, emotion if label in VOICED else None)
            for label, score, at_s, for_s in zip(self.sidecar.labels, best, starts_s, lengths_s, strict=True)
        ]

    def _spans_s(
        self, segment: Segment, judged: Sequence[tuple[Window, _WindowScores]]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """From the first to past the last frame at half of each label's best, in seconds of the segment."""
        hop_s = self.sidecar.frame_hop_s
        count = max(1, int(np.ceil(segment.audio.duration_s / hop_s)))
        timeline = np.zeros((count, len(self.sidecar.labels)), np.float32)
        for window, one in judged:
            first = round(window.start / SAMPLE_RATE_HZ / hop_s)
            stretch = timeline[first : first + len(one.frames)]
            np.maximum(stretch, one.frames[: len(stretch)], out=stretch)
        above = timeline >= timeline.max(axis=0) / 2
        starts = above.argmax(axis=0)
        ends = count - above[::-1].argmax(axis=0)
        return starts * hop_s, np.minimum(ends * hop_s, max(segment.audio.duration_s, hop_s))

    def _emotion(self, judged: Sequence[tuple[Window, _WindowScores]]) -> dict[str, float] | None:
        """The windows' emotions, each weighed by how sure a voice is in it; nothing where nobody is heard."""
        voiced = [n for n, label in enumerate(self.sidecar.labels) if label in VOICED]
        if not voiced or not self.sidecar.emotions:
            return None
        weights = np.array([one.scores[voiced].max() for _, one in judged])
        if weights.max() < VOICE_SCORE:
            return None
        mean = np.average([one.emotion for _, one in judged], axis=0, weights=weights)
        return {emotion: float(score) for emotion, score in zip(self.sidecar.emotions, mean, strict=True)}


def _embedding(judged: Sequence[tuple[Window, _WindowScores]]) -> Scores:
    """What a segment sounds like, (n,): the mean over its windows."""
    if len(judged) == 1:
        return judged[0][1].embedding
    mean: Scores = np.mean([one.embedding for _, one in judged], axis=0)
    return mean


_REINSTALL = "reinstall earwitness, or name a model with its JSON under `model:`"


def shipped_model() -> Path:
    """Where the package keeps its model."""
    return Path(str(files("monitor").joinpath("models", "earwitness.onnx")))


def read_sidecar(model: Path) -> Sidecar:
    """The JSON beside a model file. Raises ModelError when it is missing or does not fit."""
    file = model.with_suffix(".json")
    try:
        return Sidecar.model_validate(json.loads(read_file(file)))
    except OSError as error:
        raise ModelError(f"{file} cannot be read ({error.strerror}); {_REINSTALL}") from error
    except (ValueError, ValidationError) as error:
        raise ModelError(f"{file} does not describe a model ({error}); {_REINSTALL}") from error
