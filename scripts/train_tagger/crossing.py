"""What thresholds are worth on recordings that had no part in choosing them.

The held-out groups are cut in two; each half is judged at the thresholds that the other half's backgrounds
gave, and the counts are added up.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.classifiers.taggers.embedded import EmbeddedClassifier
from monitor.clock import BEGINNING
from monitor.events.settings import LabelSettings, Thresholds
from monitor.events.tracker import Tracker
from monitor.recordings.evaluation.evaluate import condition, score_clips
from monitor.recordings.evaluation.manifest import Clip, read_clips
from monitor.recordings.evaluation.metrics import Proportion
from monitor.recordings.evaluation.scoring import active_rms
from monitor.sources.recording import read_audio
from monitor.synthesis.room import coloured_noise
from scripts.train_tagger.background import SOURCE, detections_in, halves
from scripts.train_tagger.recordings import Recording
from scripts.train_tagger.release import opened, write_manifest
from scripts.train_tagger.targets import HITS

QUIET_BEFORE_S, QUIET_AFTER_S = 4.0, 2.0
QUIET_DB = -50.0
"""Of the room before, behind and after a clip, relative to the clip while it sounds."""
Counts = dict[str, Proportion]


def judge_crosswise(
    held_out: Sequence[Recording], audio_root: Path, run: Path, model: Path
) -> dict[str, Any]:
    """`crossed` for a released model, with the onsets that its JSON has of either half."""
    about = json.loads(model.with_suffix(".json").read_text())
    manifests = [run / f"half-{n}.csv" for n in (1, 2)]
    for half, manifest in zip(halves(held_out), manifests, strict=True):
        write_manifest(half, audio_root, manifest)
    clips = [read_clips(manifest) for manifest in manifests]
    return crossed(clips, opened(model), about["operating_point"]["crossed"]["onsets"])


def crossed(
    parts: Sequence[Sequence[Clip]],
    classifier: EmbeddedClassifier,
    onsets: Sequence[Mapping[str, float]],
    snrs_db: Iterable[float | None] = (None, 5.0),
) -> dict[str, Any]:
    """Recall of clips, clean and in noise, and how many began an event of their label in a quiet room.

    `onsets` are the parts' own, in their order; each is judged at the other's.
    """
    others = list(zip(parts, reversed(onsets), strict=True))
    clips = [
        {
            "snr_db": snr_db,
            "recall": plain(pooled(recall(half, classifier, at, snr_db) for half, at in others)),
        }
        for snr_db in snrs_db
    ]
    begun = pooled(events_begun(half, classifier, at) for half, at in others)
    return {"clips": clips, "events_begun": plain(begun)}


def recall(
    clips: Sequence[Clip],
    classifier: EmbeddedClassifier,
    onsets: Mapping[str, float],
    snr_db: float | None = None,
) -> Counts:
    """Of every label that occurs: clips whose highest window reaches the onset."""
    backgrounds = [clip for clip in clips if not clip.labels]
    scored = score_clips([clip for clip in clips if clip.labels], classifier, snr_db, backgrounds)
    return {figures.label: figures.recall for figures in condition(scored, snr_db, onsets).labels}


def events_begun(
    clips: Sequence[Clip], classifier: EmbeddedClassifier, onsets: Mapping[str, float]
) -> Counts:
    """Of every label that occurs: clips at which the daemon's gate and tracker begin an event of it."""
    rows = Thresholds(
        {label: LabelSettings(onset=onset, hits=HITS.get(label)) for label, onset in onsets.items()}
    ).of(SOURCE)
    counts: Counts = {}
    for clip in clips:
        tracker = Tracker(lambda _: rows)
        begun: set[str] = set()
        for _, at_s, detections in detections_in(_in_quiet_room(clip.path), classifier):
            events = tracker.update(detections, BEGINNING + timedelta(seconds=at_s))
            begun |= {event.label for event in events}
        for label in clip.labels & classifier.labels:
            sofar = counts.get(label, Proportion(0, 0))
            counts[label] = Proportion(sofar.successes + (label in begun), sofar.trials + 1)
    return counts


def _in_quiet_room(path: Path) -> Samples:
    """The recording with a room's faint noise around it, for a gate needs a floor to rise from."""
    samples = read_audio(path, SAMPLE_RATE_HZ).samples
    before, after = (round(length_s * SAMPLE_RATE_HZ) for length_s in (QUIET_BEFORE_S, QUIET_AFTER_S))
    level = active_rms(samples) * 10 ** (QUIET_DB / 20)
    quiet = coloured_noise(np.random.default_rng(0), before + len(samples) + after) * np.float32(
        10 * level
    )  # its RMS is 0.1
    quiet[before : before + len(samples)] += samples
    heard: Samples = np.clip(quiet, -1, 1)
    return heard


def pooled(counts: Iterable[Counts]) -> Counts:
    """Successes and trials added up by label."""
    total: Counts = {}
    for one in counts:
        for label, proportion in one.items():
            before = total.get(label, Proportion(0, 0))
            total[label] = Proportion(
                before.successes + proportion.successes, before.trials + proportion.trials
            )
    return total


def plain(counts: Counts) -> dict[str, dict[str, int]]:
    """As JSON has it."""
    return {
        label: {"successes": proportion.successes, "trials": proportion.trials}
        for label, proportion in counts.items()
    }
