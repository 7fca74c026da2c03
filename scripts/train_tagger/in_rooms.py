"""How a model hears whole sources that taught it nothing in rooms: continuous scenes, and days without alert
sounds, by group of labels."""

import pickle
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.scenes import backgrounds
from scripts.scenes.hearing import Hearing
from scripts.scenes.kinds import ALERTS, CRITICAL
from scripts.scenes.scoring import Heard, Score, false_alerts, score, score_scene
from scripts.train_tagger.unseen import GROUPS

ALL, GRAVE = "all", "critical"
DRAWS = 500
"""Of the bootstrap, over placed recordings: one that was placed often is still one recording."""


def judge_rooms(models: Mapping[str, tuple[Path, Path]]) -> dict[str, Any]:
    """`in_rooms` of each model's traces of scenes and of backgrounds, by `scripts/bench scenes --traces`."""
    return {
        name: in_rooms(*(pickle.loads(file.read_bytes()) for file in files)) for name, files in models.items()
    }


def in_rooms(scenes: Sequence[Hearing], without: Sequence[Hearing]) -> dict[str, Any]:
    """For each group of alert labels: macro recall with its 95 % interval and false events an hour of scenes,
    and false events a day in a house that has none of these sounds, with the 97.5 % bound."""
    found = score([(hearing, hearing.rows) for hearing in scenes], ALERTS)
    false = [(each.kind, each.beds, score_scene(each, each.rows, ALERTS)[1]) for each in without]
    alerts = [(each.kind, each.beds, false_alerts(each, each.rows)) for each in without]
    rules = Counter(one.label for _, _, of_scene in alerts for one in of_scene)
    return {
        "hours": round(found.hours, 2),
        "recordings": len({one.placed.path for one in found.sounds}),
        "background_hours": round(sum(each.duration_s for each in without) / 3600, 2),
        "background_recordings": len({bed.path for each in without for bed in each.beds}),
        "alerts": dict(rules.most_common()),
        "alerts_a_day": _a_day(alerts, rules),
        "groups": {
            group: _of_scenes(found, labels) | {"false_a_day": _a_day(false, labels)}
            for group, labels in _groups().items()
        },
    }


def _groups() -> dict[str, Collection[str]]:
    named = {group: [label for label in labels if label in ALERTS] for group, labels in GROUPS.items()}
    return {ALL: ALERTS, GRAVE: CRITICAL} | {group: labels for group, labels in named.items() if labels}


def _of_scenes(found: Score, labels: Collection[str]) -> dict[str, Any]:
    sounds = [one for one in found.sounds if one.placed.label in labels]
    return {
        "labels": len({one.placed.label for one in sounds}),
        "sounds": len(sounds),
        "recall": _recall(sounds) if sounds else None,
        "false_an_hour": round(found.false_an_hour(labels), 2),
    }


def _recall(sounds: Sequence[Heard]) -> list[float]:
    """Macro, with the interval of draws of recordings."""
    own: dict[str, list[Heard]] = defaultdict(list)
    for one in sounds:
        own[one.placed.path].append(one)
    recordings, rng = list(own.values()), np.random.default_rng(0)
    draws = [
        [one for n in rng.integers(len(recordings), size=len(recordings)) for one in recordings[n]]
        for _ in range(DRAWS)
    ]
    low, high = np.percentile([Score(sounds=drawn).macro_recall for drawn in draws], [2.5, 97.5])
    return [round(float(value), 3) for value in (Score(sounds=list(sounds)).macro_recall, low, high)]


def _a_day(scenes: Sequence[tuple[str, Any, Any]], labels: Collection[str]) -> list[float]:
    return [round(value, 2) for value in backgrounds.a_day(backgrounds.kinds(scenes, labels))]
