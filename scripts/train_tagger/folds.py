"""Cross-validation: every recording judged by the model of the fold that held it out, all put together.

Onset thresholds are judged as well: those of a fold are chosen on the backgrounds of the others, each heard
by the model that was not taught them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor.recordings.evaluation.evaluate import (
    ClipProgress,
    Scored,
    condition,
    emotion_recall,
    score_clips,
)
from monitor.recordings.evaluation.manifest import read_clips
from monitor.recordings.evaluation.metrics import average_precision
from scripts.train_tagger.background import HOURS, Background, Listening, halves, listen, together
from scripts.train_tagger.crossing import plain, pooled
from scripts.train_tagger.operating_point import Onsets, choose_onsets, events_at
from scripts.train_tagger.recordings import Recording, folded
from scripts.train_tagger.release import opened, write_manifest
from scripts.train_tagger.targets import LABELS, labels_of

SNRS_DB: tuple[float | None, ...] = (None, 5.0)


@dataclass(frozen=True, slots=True)
class Fold:
    """What a model says of the recordings that it was not taught."""

    recordings: Sequence[Recording]
    scored: Mapping[float | None, Scored]
    """By signal-to-noise ratio in dB; the recordings in their order."""
    background: Background


@dataclass(frozen=True, slots=True)
class Folds:
    """Where the models of a cross-validation are, and what they are judged with."""

    data: Path
    cache: Path
    runs: Path
    """Has a folder for each fold, 1, 2, …, with the released `model.onnx`."""
    count: int

    def held_out(self, recordings: Sequence[Recording]) -> list[list[Recording]]:
        """What each of them was not taught."""
        split = (folded(recordings, f"{n}/{self.count}") for n in range(1, self.count + 1))
        return [[r for r in fold if r.split == "valid"] for fold in split]

    def taught(self) -> dict[str, Any]:
        """How long the first was taught; the others were alike. OSError when it is not there."""
        about: dict[str, Any] = json.loads((self.runs / "1" / "model.json").read_text())["training"]
        return {"steps": about["steps"], "hinted_steps": about["recipe"].get("hinted_steps", about["steps"])}


def listen_to_folds(
    folds: Folds, recordings: Sequence[Recording], hours: float, progress: ClipProgress
) -> list[Fold]:
    """Every fold's held-out recordings, and its share of `hours` of background made of them, as its model
    hears them."""
    models = (folds.runs / str(n) / "model.onnx" for n in range(1, folds.count + 1))
    return [
        _listened(Listening(model, folds.cache, folds.data), part, hours / folds.count, progress)
        for model, part in zip(models, folds.held_out(recordings), strict=True)
    ]


def _listened(listening: Listening, part: Sequence[Recording], hours: float, progress: ClipProgress) -> Fold:
    classifier, manifest = opened(listening.model), listening.model.with_name("valid.csv")
    write_manifest(part, listening.data / "train", manifest)
    clips = read_clips(manifest)
    noise = [clip for clip in clips if not clip.labels]
    scored = {snr_db: score_clips(clips, classifier, snr_db, noise, progress) for snr_db in SNRS_DB}
    return Fold(
        part, scored, together(listen(listening, halves(part), hours, listening.model.with_name(HOURS)))
    )


def judge_folds(folds: Sequence[Fold]) -> dict[str, Any]:
    """Average precision over all out-of-fold scores; recall and false events of each fold at the onsets that
    the others' backgrounds gave; emotion by corpus."""
    backgrounds = [fold.background for fold in folds]
    onsets = [
        choose_onsets(together([other for other in backgrounds if other is not own])) for own in backgrounds
    ]
    events = [events_at(background, at) for background, at in zip(backgrounds, onsets, strict=True)]
    hours = together(backgrounds).hours
    return {
        "clips": sum(len(fold.recordings) for fold in folds),
        "groups": _groups([recording for fold in folds for recording in fold.recordings]),
        "conditions": [_condition(folds, snr_db, onsets) for snr_db in SNRS_DB],
        "hours": {label: round(each, 2) for label, each in hours.items()},
        "false_events": {label: sum(counts[label] for counts in events) for label in LABELS},
        "emotion": _emotion(folds),
    }


def _groups(recordings: Iterable[Recording]) -> dict[str, int]:
    """In how many groups each label occurs."""
    having: dict[str, set[str]] = {label: set() for label in LABELS}
    for recording in recordings:
        for label, there in zip(LABELS, labels_of(recording.audioset_names), strict=True):
            if there:
                having[label].add(recording.group)
    return {label: len(groups) for label, groups in having.items()}


def _condition(folds: Sequence[Fold], snr_db: float | None, onsets: Sequence[Onsets]) -> dict[str, Any]:
    heard = [fold.scored[snr_db] for fold in folds]
    precision = {
        label: average_precision(truth, np.concatenate([scored.scores(label) for scored in heard]))
        for label in LABELS
        if (truth := np.concatenate([scored.truth(label) for scored in heard])).any()
    }
    figures = (condition(scored, snr_db, at).labels for scored, at in zip(heard, onsets, strict=True))
    return {
        "snr_db": snr_db,
        "mean_average_precision": float(np.mean(list(precision.values()))),
        "average_precision": precision,
        "recall": plain(pooled({row.label: row.recall for row in rows} for rows in figures)),
    }


def _emotion(folds: Sequence[Fold]) -> dict[str, Any]:
    """By corpus of acted speech, every emotion's recall."""
    corpora = sorted({r.source for fold in folds for r in fold.recordings if r.emotion})
    return {
        corpus: plain(pooled(emotion_recall(_of_source(fold, corpus)) for fold in folds))
        for corpus in corpora
    }


def _of_source(fold: Fold, source: str) -> Scored:
    scored = fold.scored[None]
    of = [recording.source == source for recording in fold.recordings]
    return Scored(
        tuple(clip for clip, its in zip(scored.clips, of, strict=True) if its),
        tuple(said for said, its in zip(scored.heard, of, strict=True) if its),
    )
