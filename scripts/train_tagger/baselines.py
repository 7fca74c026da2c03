"""Others to compare with, behind the same protocol: the teacher, and YAMNet as other home projects use it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.taggers.audioset import ClassMap, class_map, read_class_map
from monitor.recordings.evaluation.evaluate import evaluate
from monitor.types import Detection, Segment
from scripts.train_tagger.teacher import (
    TEACHER_RATE_HZ,
    TeacherNetwork,
    load_teacher,
    padded,
    read_class_names,
)
from scripts.train_tagger.yamnet import Yamnet

Floats = npt.NDArray[np.float32]


def judge_baselines(models: Path, manifest: Path) -> list[dict[str, Any]]:
    """Their mAP on the recordings of a manifest."""
    reports = [evaluate(manifest, baseline) for baseline in (TeacherBaseline(models), YamnetBaseline(models))]
    return [
        {"classifier": r.classifier, "mean_average_precision": r.conditions[0].mean_average_precision}
        for r in reports
    ]


class Baseline(ClassifierDefaults):
    """A classifier of AudioSet classes that scores one window at a time."""

    def __init__(self, name: str, classes: ClassMap, window_s: float, hop_s: float) -> None:
        self.name = name
        self.labels = frozenset(classes.columns)
        self.window_s = window_s
        self.hop_s = hop_s
        self._classes = classes

    def load(self) -> None:
        """Already loaded."""

    def close(self) -> None:
        """Nothing to let go."""

    def score(self, segments: Sequence[Segment]) -> Floats:
        """Probabilities of its classes, shape (segments, classes)."""
        raise NotImplementedError

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Its classes mapped to our labels."""
        by_label = self._classes.scores(self.score(segments))
        return [
            Detection(label, float(scores[n]), self.name, s.source, s.started_at, s.audio.duration_s, s.id)
            for label, scores in by_label.items()
            for n, s in enumerate(segments)
        ]


class TeacherBaseline(Baseline):
    """EfficientAT mn04 on windows of 3 s."""

    def __init__(self, models: Path) -> None:
        names = read_class_names(models / "audioset_class_labels_indices.csv")
        super().__init__("EfficientAT mn04", class_map(names), 3.0, 1.0)
        self._teacher: TeacherNetwork = load_teacher(models / "mn04_as_mAP_432.pt")

    def score(self, segments: Sequence[Segment]) -> Floats:
        """Shape (segments, classes)."""
        waves = [segment.audio.resampled(TEACHER_RATE_HZ).samples for segment in segments]
        logits, _ = self._teacher(padded(waves, int(self.window_s * TEACHER_RATE_HZ)))
        return torch.sigmoid(logits).numpy()


class YamnetBaseline(Baseline):
    """YAMNet on its windows of 0.975 s."""

    def __init__(self, models: Path) -> None:
        super().__init__("YAMNet", read_class_map(models / "yamnet_class_map.csv"), 0.975, 0.4875)
        self._yamnet = Yamnet(models)

    def score(self, segments: Sequence[Segment]) -> Floats:
        """Shape (segments, classes)."""
        return np.stack([self._yamnet.scores(segment.audio.samples) for segment in segments])
