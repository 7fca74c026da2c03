"""A model of free recordings alone beside others, on the same recordings."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitor.recordings.evaluation.evaluate import condition, score_clips
from monitor.recordings.evaluation.manifest import read_clips
from scripts.train_tagger.release import opened


def judge_variants(manifest: Path, models: Sequence[Path]) -> list[dict[str, Any]]:
    """Mean average precision of each model on the recordings of a manifest: over all labels, and over those
    that the first of the models had recordings to learn from."""
    clips = read_clips(manifest)
    taught = _training_of(models[0])["clips_by_label"]
    found = []
    for model in models:
        figures = condition(score_clips(clips, opened(model)), None, {}).labels
        precision = {row.label: row.average_precision for row in figures}
        free = [value for label, value in precision.items() if taught[label]["free"]]
        training = _training_of(model)
        found.append(
            {
                "variant": training["variant"],
                "steps": training["steps"],
                "clips": training["clips"],
                "hinted_steps": training["recipe"].get("hinted_steps", training["steps"]),
                "mean_average_precision": float(np.mean(list(precision.values()))),
                "of_free_labels": float(np.mean(free)),
                "free_labels": len(free),
            }
        )
    return found


def _training_of(model: Path) -> dict[str, Any]:
    training: dict[str, Any] = json.loads(model.with_suffix(".json").read_text())["training"]
    return training
