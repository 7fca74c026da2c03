"""Cross-validation: every recording judged by the model of the fold that held it out, all put together."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitor.evaluation.evaluate import Scored, condition, emotion_recall, onset_thresholds, score_clips
from monitor.evaluation.manifest import read_clips
from monitor.evaluation.metrics import average_precision
from scripts.train_tagger.crossing import Counts, plain, pooled
from scripts.train_tagger.recordings import Recording, folded
from scripts.train_tagger.release import opened, write_manifest
from scripts.train_tagger.targets import LABELS

SNRS_DB: tuple[float | None, ...] = (None, 5.0)


def judge_folds(recordings: Sequence[Recording], audio_root: Path, runs: Path, folds: int) -> dict[str, Any]:
    """Average precision over all out-of-fold scores, recall at each model's own onsets, and emotion; `runs`
    has a folder for each fold with the released `model.onnx`."""
    heard: dict[float | None, list[Scored]] = {snr_db: [] for snr_db in SNRS_DB}
    recalls: dict[float | None, list[Counts]] = {snr_db: [] for snr_db in SNRS_DB}
    for fold in range(1, folds + 1):
        run = runs / str(fold)
        held_out = [r for r in folded(recordings, f"{fold}/{folds}") if r.split == "valid"]
        write_manifest(held_out, audio_root, run / "valid.csv")
        clips, classifier = read_clips(run / "valid.csv"), opened(run / "model.onnx")
        backgrounds = [clip for clip in clips if not clip.labels]
        for snr_db in SNRS_DB:
            scored = score_clips(clips, classifier, snr_db, backgrounds)
            figures = condition(scored, snr_db, onset_thresholds(classifier)).labels
            heard[snr_db].append(scored)
            recalls[snr_db].append({row.label: row.recall for row in figures})
    return {
        "folds": folds,
        "conditions": [_condition(snr_db, heard[snr_db], recalls[snr_db]) for snr_db in SNRS_DB],
        "emotion": plain(pooled(emotion_recall(scored) for scored in heard[None])),
    }


def _condition(snr_db: float | None, heard: Sequence[Scored], recalls: Iterable[Counts]) -> dict[str, Any]:
    precision = {
        label: average_precision(truth, scores)
        for label in LABELS
        if (truth := np.concatenate([scored.truth(label) for scored in heard])).any()
        for scores in [np.concatenate([scored.scores(label) for scored in heard])]
    }
    return {
        "snr_db": snr_db,
        "mean_average_precision": float(np.mean(list(precision.values()))),
        "average_precision": precision,
        "recall": plain(pooled(recalls)),
    }
