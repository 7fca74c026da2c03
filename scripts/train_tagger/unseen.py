"""How well sounds of sources that taught nothing are heard, beside the teachers and the mean of both.

A source is one set of recordings: one microphone, house or game. A model that has heard others of the same
set looks better than it will at home, so that sources are held out as a whole. A label that a recording
leaves open is not judged by it (targets.py); a recording without any name is a counter-example of critical
labels alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.recordings.evaluation.evaluate import ClipProgress, score_clips
from monitor.recordings.evaluation.manifest import read_clips
from monitor.recordings.evaluation.metrics import average_precision
from scripts.train_tagger.baselines import TeacherBaseline, YamnetBaseline
from scripts.train_tagger.recordings import Recording, folded_by_source
from scripts.train_tagger.release import opened, write_manifest
from scripts.train_tagger.targets import LABELS, labels_of, open_of

Floats = npt.NDArray[np.float64]
LEAST = 1e-6
DRAWS = 200
"""Of the bootstrap, over original recordings."""
LEAST_SOURCES = 3
"""A label that fewer have is not judged by folds: of most of its recordings the model was never taught it."""
TEACHERS: dict[str, Callable[[Path], Any]] = {
    "YAMNet": YamnetBaseline,
    "EfficientAT mn04": TeacherBaseline,
}
MEAN_OF_TEACHERS, MEAN_OF_ALL = "mean of both", "mean of all three"

GROUPS: dict[str, tuple[str, ...]] = {
    "alarms and signals": (
        "smoke_alarm", "fire_alarm", "siren", "car_alarm", "appliance_beep", "alarm_clock", "doorbell",
        "phone_ring", "bell", "car_horn",
    ),
    "breaks, shots and knocks": (
        "glass_break", "dishes", "gunshot", "explosion", "fireworks", "thunder", "knock", "door_slam",
        "door_creak", "footsteps", "clapping",
    ),
    "voices": (
        "scream", "shout", "crying", "baby_cry", "groan", "laughter", "cough", "sneeze", "sniff", "sigh",
        "throat_clearing", "breathing", "snoring", "speech", "singing",
    ),
    "animals": ("dog_bark", "dog_whimper", "cat", "bird", "farm_animal", "insect"),
    "water, weather and fire": (
        "water_running", "water_drip", "toilet_flush", "rain", "wind", "waves", "crackling_fire",
    ),
    "machines, traffic and music": (
        "vacuum_cleaner", "washing_machine", "power_tool", "engine", "train", "aircraft", "clock_tick",
        "keyboard_typing", "mouse_click", "music",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class JudgedRecordings:
    """What several listeners say of the same recordings."""

    recordings: Sequence[Recording]
    scores: Mapping[str, Floats]
    """By listener, shape (recordings, labels)."""


def judge_unseen(
    recordings: Sequence[Recording],
    data: Path,
    run: Path,
    models: Mapping[str, Path],
    progress: ClipProgress = iter,
    of: Collection[str] = LABELS,
) -> dict[str, Any]:
    """`compared` for released models, the first of which is meant, beside both teachers."""
    listeners: dict[str, Callable[[], Any]] = {name: partial(opened, model) for name, model in models.items()}
    listeners |= _teachers(data)
    for name in models:
        (run / "unseen" / f"{name.replace(' ', '-')}.npz").unlink(missing_ok=True)
    judged = listened(recordings, data / "train", listeners, run / "unseen", progress)
    return compared(judged, next(iter(models)), list(TEACHERS), of=of)


def _teachers(data: Path) -> dict[str, Callable[[], Any]]:
    return {name: partial(build, data / "models") for name, build in TEACHERS.items()}


def judge_unseen_folds(
    recordings: Sequence[Recording], data: Path, runs: Path, count: int, progress: ClipProgress = iter
) -> dict[str, Any]:
    """Every recording judged by the model of the fold that held its source out (`runs/K/model.onnx`), all put
    together, beside both teachers: `compared` over the labels that sources enough have. Resumes when run
    again."""
    folds = []
    for number in range(1, count + 1):
        held_out = [r for r in folded_by_source(recordings, f"{number}/{count}") if r.split == "valid"]
        listeners = {"this one": partial(opened, runs / str(number) / "model.onnx")} | _teachers(data)
        cache = runs / str(number) / "unseen"
        folds.append(listened(held_out, data / "train", listeners, cache, progress))
    return compared(put_together(folds), "this one", list(TEACHERS), LEAST_SOURCES)


def put_together(folds: Sequence[JudgedRecordings]) -> JudgedRecordings:
    """All recordings, in the order of the folds."""
    recordings = [recording for fold in folds for recording in fold.recordings]
    return JudgedRecordings(
        recordings,
        {name: np.concatenate([fold.scores[name] for fold in folds]) for name in folds[0].scores},
    )


def listened(
    recordings: Sequence[Recording],
    audio_root: Path,
    listeners: Mapping[str, Callable[[], Any]],
    cache: Path,
    progress: ClipProgress = iter,
) -> JudgedRecordings:
    """Every recording's highest score of each label; what a listener said is kept in `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    manifest = cache / "unseen.csv"
    write_manifest(recordings, audio_root, manifest)
    clips, scores = read_clips(manifest), {}
    for name, build in listeners.items():
        file = cache / f"{name.replace(' ', '-')}.npz"
        scores[name] = _kept(file, recordings)
        if scores[name] is None:
            said = score_clips(clips, build(), progress=progress)
            scores[name] = np.stack([said.scores(label) for label in LABELS], axis=1)
            np.savez(file, paths=[r.path for r in recordings], scores=scores[name])
    return JudgedRecordings(recordings, scores)


def _kept(file: Path, recordings: Sequence[Recording]) -> Any:
    if not file.exists():
        return None
    with np.load(file) as kept:
        at = {path: row for row, path in enumerate(kept["paths"].tolist())}
        if any(r.path not in at for r in recordings):
            return None
        return kept["scores"][[at[r.path] for r in recordings]]


def mean_log_odds(scores: Sequence[Floats]) -> Floats:
    """Of several listeners; one that does not know a label, and scores 0 throughout, has no say in it. Each
    and the mean have the shape (recordings, labels)."""
    known = np.stack([each.max(axis=0) > 0 for each in scores])[:, None]
    inside = np.stack(scores).clip(LEAST, 1 - LEAST)
    odds = (np.log(inside / (1 - inside)) * known).sum(axis=0) / known.sum(axis=0).clip(1)
    return np.asarray(1 / (1 + np.exp(-odds)))


def compared(
    judged: JudgedRecordings,
    first: str,
    teachers: Sequence[str],
    least_sources: int = 1,
    of: Collection[str] = LABELS,
) -> dict[str, Any]:
    """Average precision by label and listener, macro means with 95 % intervals, and by group of labels; `of`
    these labels, as far as so many sources have them."""
    scores = dict(judged.scores)
    scores[MEAN_OF_TEACHERS] = mean_log_odds([scores[name] for name in teachers])
    scores[MEAN_OF_ALL] = mean_log_odds([scores[name] for name in (first, *teachers)])
    truth, known = _truth(judged.recordings)
    sources = _sources(judged.recordings, truth)
    labels = [n for n, having in enumerate(sources) if len(having) >= least_sources and LABELS[n] in of]
    draws = _draws(judged.recordings)
    precision = {name: _precisions(each, truth, known) for name, each in scores.items()}
    resampled = {
        name: np.stack([_precisions(each[d], truth[d], known[d]) for d in draws])
        for name, each in scores.items()
    }
    groups = {"all": [LABELS[n] for n in labels]} | {
        group: [label for label in members if LABELS.index(label) in labels]
        for group, members in GROUPS.items()
    }
    return {
        "recordings": len(judged.recordings),
        "sources": len({r.source for r in judged.recordings}),
        "names": sorted({r.source for r in judged.recordings}),
        "least_sources": least_sources,
        "labels": {
            LABELS[n]: {
                "clips": int(truth[:, n].sum()),
                "sources": len(sources[n]),
                **{name: float(each[n]) for name, each in precision.items()},
            }
            for n in labels
        },
        "groups": {
            group: {
                "labels": len(members),
                **{name: _macro(precision[name], resampled[name], members) for name in scores},
            }
            for group, members in groups.items()
            if members
        },
    }


def _truth(recordings: Sequence[Recording]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    truth = np.stack([labels_of(r.audioset_names) for r in recordings]) > 0
    known = np.stack([open_of(r.audioset_names) for r in recordings]) == 0
    return truth, known


def _sources(recordings: Sequence[Recording], truth: npt.NDArray[np.bool_]) -> list[set[str]]:
    return [{r.source for r, there in zip(recordings, column, strict=True) if there} for column in truth.T]


def _draws(recordings: Sequence[Recording]) -> list[npt.NDArray[np.int64]]:
    """Rows of each draw: original recordings with replacement, all of one's clips together."""
    rows: dict[str, list[int]] = {}
    for number, recording in enumerate(recordings):
        rows.setdefault(recording.group, []).append(number)
    groups, rng = list(rows.values()), np.random.default_rng(0)
    return [
        np.array([n for g in rng.integers(len(groups), size=len(groups)) for n in groups[g]])
        for _ in range(DRAWS)
    ]


def _precisions(scores: Floats, truth: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]) -> Floats:
    return np.array(
        [
            average_precision(truth[known[:, n], n], scores[known[:, n], n]) if known[:, n].any() else np.nan
            for n in range(len(LABELS))
        ]
    )


def _macro(precision: Floats, resampled: Floats, members: Sequence[str]) -> list[float]:
    at = [LABELS.index(label) for label in members]
    means = np.array([_mean(draw[at]) for draw in resampled])
    low, high = np.nanpercentile(means, [2.5, 97.5])
    return [round(float(x), 4) for x in (_mean(precision[at]), low, high)]


def _mean(precision: Floats) -> float:
    """Of the labels that occur."""
    there = precision[~np.isnan(precision)]
    return float(there.mean()) if len(there) else np.nan
