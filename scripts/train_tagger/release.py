"""From a checkpoint to what ships: calibrated graph, thresholds, and what is known of them."""

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.recordings.evaluation.evaluate import score_clips
from monitor.recordings.evaluation.manifest import Clip, read_clips
from scripts.train_tagger.background import HOURS, Listening, halves, listen, together
from scripts.train_tagger.calibration import fit_calibration
from scripts.train_tagger.network import FRAME_HOP_S, Student
from scripts.train_tagger.onnx_graph import Blend, Calibration, Heads, student_graph
from scripts.train_tagger.operating_point import choose_onsets, operating_point, second_look
from scripts.train_tagger.recordings import Recording
from scripts.train_tagger.targets import EMOTIONS, HITS, LABELS, labels_of, open_of, teacher_mapping
from scripts.train_tagger.teacher import read_class_names
from scripts.train_tagger.training import Places, new_student

LEAST_LABEL_SHARE, ENOUGH_GROUPS = 0.5, 100
"""Of what labels taught in a score's log odds; the rest is what the model guesses the two teachers to say.
Where more groups taught a label, its guesses are worth less: in scenes of held-out groups they made
dog_bark, crying and car_horn worse, which many recordings taught."""
WINDOW_S, HOP_S = 10 * FRAME_HOP_S, 5 * FRAME_HOP_S


@dataclass(frozen=True, slots=True)
class Release:
    """Where a released model and what is known of it go."""

    model: Path
    backgrounds_hours: float
    variant: str
    began_with: Path | None = None
    """The earlier model, if any."""


def release(places: Places, recordings: Sequence[Recording], wanted: Release) -> None:
    """Calibrate on the held-out recordings, choose thresholds on their remixes, write model and JSON."""
    taught = [r for r in recordings if r.split == "train" and (wanted.variant == "all" or r.free)]
    student, heads = load_averaged(places.run), heads_of(places.data / "models", taught)
    held_out = [r for r in recordings if r.split == "valid"]
    neutral = Calibration(np.ones(len(LABELS), np.float32), np.zeros(len(LABELS), np.float32))
    draft = places.run / "draft.onnx"
    write_model(draft, student_graph(student, neutral, heads).SerializeToString(), {})
    calibration = _calibrated(draft, places, held_out)
    content = student_graph(student, calibration, heads).SerializeToString()
    write_model(draft, content, {})
    backgrounds = listen(
        Listening(draft, places.cache, places.data),
        halves(held_out),
        wanted.backgrounds_hours,
        places.run / HOURS,
    )
    onsets = choose_onsets(together(backgrounds))
    about = {
        "onsets": onsets,
        "hits": HITS,
        "second_look": second_look(onsets),
        "calibration": {"scale": calibration.scale.tolist(), "shift": calibration.shift.tolist()},
        "operating_point": operating_point(backgrounds, onsets),
        "training": _training(_checkpoint(places.run), recordings, wanted, places),
    }
    write_model(wanted.model, content, about)


def heads_of(models: Path, taught: Sequence[Recording]) -> Heads:
    """What the classes of the teachers' lists mean, and what counts how much in a score: labels the more, the
    more recordings taught them; where a teacher has no class for a label, the other's share grows."""
    first, second = (
        teacher_mapping(read_class_names(models / name))
        for name in ("audioset_class_labels_indices.csv", "yamnet_class_map.csv")
    )
    label = label_shares(taught)
    shares = np.array([[bool(one), bool(other)] for one, other in zip(first, second, strict=True)], float)
    shares *= (1 - label)[:, None] / shares.sum(axis=1, keepdims=True)
    parts = (np.asarray(part, np.float32) for part in (label, shares[:, 0], shares[:, 1]))
    return Heads(first, second, Blend(*parts))


def label_shares(taught: Sequence[Recording]) -> npt.NDArray[np.float64]:
    """For every label, from `LEAST_LABEL_SHARE` without any recording to 1 with `ENOUGH_GROUPS`. Shape
    (labels,)."""
    groups: list[set[tuple[str, str]]] = [set() for _ in LABELS]
    for one in taught:
        for label in np.flatnonzero(labels_of(one.audioset_names)):
            groups[label].add((one.source, one.group))
    known = np.array([min(1.0, len(each) / ENOUGH_GROUPS) for each in groups])
    return np.asarray(LEAST_LABEL_SHARE + (1 - LEAST_LABEL_SHARE) * known)


def load_averaged(run: Path) -> Student:
    """The averaged weights of a run's last checkpoint."""
    student = new_student()
    student.load_state_dict(_checkpoint(run)["averaged"])
    return student


def _checkpoint(run: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(run / "checkpoint.pt", weights_only=True)
    return state


def write_manifest(recordings: Iterable[Recording], audio_root: Path, file: Path) -> None:
    """The recordings as `earwitness eval` reads them."""
    with file.open("w", newline="", encoding="utf-8") as lines:
        rows = csv.writer(lines)
        rows.writerow(["path", "labels", "emotion"])
        for recording in recordings:
            path, labels = (audio_root / recording.path).resolve(), ";".join(recording.audioset_names)
            rows.writerow([path, labels, recording.emotion or ""])


def write_model(file: Path, content: bytes, about: dict[str, Any]) -> None:
    """An ONNX file, and beside it the JSON that describes and pins it."""
    file.write_bytes(content)
    pinned = {"version": "1", "sha256": hashlib.sha256(content).hexdigest()}
    known = {
        "sample_rate_hz": 16_000,
        "labels": LABELS,
        "emotions": EMOTIONS,
        "window_s": WINDOW_S,
        "hop_s": HOP_S,
        "frame_hop_s": FRAME_HOP_S,
    }
    file.with_suffix(".json").write_text(
        json.dumps(known | about | pinned, indent=1) + "\n", encoding="utf-8"
    )


def opened(model: Path) -> EmbeddedClassifier:
    """The loaded classifier of a model file."""
    classifier = EmbeddedConfig(type="embedded", model=model).build()
    classifier.load()
    return classifier


def _calibrated(draft: Path, places: Places, held_out: Sequence[Recording]) -> Calibration:
    manifest = places.run / "valid.csv"
    write_manifest(held_out, places.data / "train", manifest)
    clips: list[Clip] = read_clips(manifest)
    scored = score_clips(clips, opened(draft))
    scores = np.stack([scored.scores(label) for label in LABELS], axis=1).clip(1e-6, 1 - 1e-6)
    truth = np.stack([labels_of(r.audioset_names) for r in held_out]).astype(np.float64)
    known = 1 - np.stack([open_of(r.audioset_names) for r in held_out]).astype(np.float64)
    return fit_calibration(np.log(scores / (1 - scores)), truth, known)


def _training(
    state: dict[str, Any], recordings: Sequence[Recording], wanted: Release, places: Places
) -> dict[str, Any]:
    used = [r for r in recordings if r.split == "train" and (wanted.variant == "all" or r.free)]
    return {
        "variant": wanted.variant,
        "steps": state["step"],
        "recipe": state["recipe"],
        "began_with": _earlier(wanted.began_with),
        "stock": sum(int(file.stem.split("-")[2]) for file in (places.run / "stock").glob("*.npz")),
        "unlabelled": _unlabelled(places.cache / "anything" / "minutes.json"),
        "clips": len(used),
        "licences": dict(Counter(r.licence for r in used).most_common()),
        "sources": dict(Counter(r.source for r in used).most_common()),
        "clips_by_label": {
            label: {"all": sum(n), "free": sum(f)} for label, n, f in _counts(used)
        },
    }  # fmt: skip


def _earlier(model: Path | None) -> dict[str, Any] | None:
    if model is None:
        return None
    about: dict[str, Any] = json.loads(model.with_suffix(".json").read_text())
    return {"sha256": about["sha256"], "steps": about["training"]["steps"]}


def _unlabelled(file: Path) -> dict[str, float]:
    """Minutes by package of what `gather` found."""
    minutes: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
    return minutes


def _counts(used: Sequence[Recording]) -> Iterable[tuple[str, list[bool], list[bool]]]:
    truth = np.stack([labels_of(r.audioset_names) for r in used]) > 0
    free = np.array([r.free for r in used])
    for number, label in enumerate(LABELS):
        yield label, truth[:, number].tolist(), (truth[:, number] & free).tolist()
