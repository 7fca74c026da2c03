"""`earwitness eval`: a classifier against labelled recordings, clean and in noise, and over backgrounds."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.base import Classifier
from monitor.classifiers.taggers.calibration import fitted
from monitor.errors import SourceError, SourceUnavailable
from monitor.labels import emotions, sounds
from monitor.recordings.evaluation.manifest import Clip, read_clips
from monitor.recordings.evaluation.metrics import EventRate, Proportion, average_precision, calibration_error
from monitor.recordings.evaluation.proposal import proposed
from monitor.recordings.evaluation.report import Condition, LabelFigures, Report
from monitor.recordings.evaluation.scoring import FileScores, classify_file, noisy
from monitor.sources.recording import read_audio
from monitor.synthesis.room import coloured_noise

FALLBACK_ONSET = 0.5
QUIET_BETWEEN_EVENTS_S = 10.0
"""Windows over the threshold with less than this between them are one false event."""

ClipProgress = Callable[[Iterable[Clip]], Iterable[Clip]]


@dataclass(frozen=True, slots=True)
class Scored:
    """Recordings of one condition and the classifier's scores of them."""

    clips: tuple[Clip, ...]
    heard: tuple[FileScores, ...]
    doubts: tuple[str, ...] = ()
    """What is wrong with recordings: a part of a damaged one was heard, nothing of an unreadable one."""

    def truth(self, label: str) -> npt.NDArray[np.bool_]:
        """Which clips have the label, shape (clips,)."""
        return np.array([label in clip.labels for clip in self.clips], bool)

    def scores(self, label: str) -> npt.NDArray[np.float64]:
        """The label's score (0-1) for every clip, shape (clips,); 0 where the classifier does not know it."""
        return np.array([predicted.scores.get(label, 0.0) for predicted in self.heard])


def evaluate(
    manifest: Path,
    classifier: Classifier,
    *,
    snrs_db: Sequence[float] = (),
    onsets: Mapping[str, float] | None = None,
    progress: ClipProgress = iter,
) -> Report:
    """Judge every recording of a manifest with a loaded classifier, then again at each noise level.

    Noise is the manifest's own backgrounds, by turns, or pink noise when it has none; a recording meets
    the same noise whenever this runs. Onsets default to the classifier's own `thresholds`, then to 0.5.
    A damaged recording is used up to the damage, and one that cannot be read is left out; the report lists
    both. Raises ConfigError for the manifest, SourceUnavailable for a file that is not there or when nothing
    could be read, ClassifyError.
    """
    clips = read_clips(manifest)
    for clip in clips:
        if not clip.path.exists():
            raise SourceUnavailable(f"{clip.path}: there is no such file", refused=True)
    wanted = onset_thresholds(classifier) | dict(onsets or {})
    clean = score_clips(clips, classifier, progress=progress)
    if not clean.clips:
        raise SourceUnavailable(f"{manifest}: no recording could be read; {clean.doubts[0]}", refused=True)
    conditions = [condition(clean, None, wanted)]
    backgrounds = [clip for clip in clean.clips if not clip.labels]
    labelled = [clip for clip in clean.clips if clip.labels]
    for snr_db in snrs_db:
        scored = score_clips(labelled, classifier, snr_db, backgrounds, progress)
        conditions.append(condition(scored, snr_db, wanted))
    return Report(
        classifier=classifier.name,
        manifest=manifest.name,
        clips=len(clean.clips),
        hours=sum(predicted.duration_s for predicted in clean.heard) / 3600,
        conditions=tuple(conditions),
        false_events=false_events(clean, classifier.labels, wanted),
        emotion=emotion_recall(clean),
        doubts=clean.doubts,
        unread=len(clips) - len(clean.clips),
    )


def onset_thresholds(classifier: Classifier) -> dict[str, float]:
    """Those that the classifier ships for its own scores."""
    shipped = classifier.thresholds.items()
    return {label: values["onset"] for label, values in shipped if "onset" in values}


def score_clips(
    clips: Iterable[Clip],
    classifier: Classifier,
    snr_db: float | None = None,
    backgrounds: Sequence[Clip] = (),
    progress: ClipProgress = iter,
) -> Scored:
    """Every clip through the classifier, at `snr_db` over a background if one is given."""
    heard: list[tuple[Clip, FileScores]] = []
    doubts: list[str] = []
    for clip in progress(tuple(clips)):
        try:
            audio = read_audio(clip.path, SAMPLE_RATE_HZ, warn=doubts.append)
        except SourceError as error:
            doubts.append(f"{error}; left out")
            continue
        if snr_db is not None:
            audio = noisy(audio, _noise_for(clip, backgrounds, len(audio)), snr_db)
        heard.append((clip, classify_file(audio, classifier)))
    return Scored(tuple(clip for clip, _ in heard), tuple(predicted for _, predicted in heard), tuple(doubts))


def _noise_for(clip: Clip, backgrounds: Sequence[Clip], count: int) -> Samples:
    """Drawn by the clip's name, so that the same clip meets the same noise in every run."""
    rng = np.random.default_rng(crc32(clip.path.name.encode()))
    if not backgrounds:
        return coloured_noise(rng, count)
    noise: Audio = read_audio(
        backgrounds[int(rng.integers(len(backgrounds)))].path, SAMPLE_RATE_HZ, warn=_said_already
    )
    return np.roll(noise.samples, int(rng.integers(max(1, len(noise)))))


def _said_already(doubt: str) -> None:
    """The clean condition has every recording's."""


def condition(scored: Scored, snr_db: float | None, onsets: Mapping[str, float]) -> Condition:
    """Figures of every label that occurs."""
    present = [label for label in sounds() if scored.truth(label).any()]
    figures = (_figures(scored, label, onsets.get(label, FALLBACK_ONSET)) for label in present)
    return Condition(snr_db, tuple(figures), _confusion(scored, present))


def _figures(scored: Scored, label: str, onset: float) -> LabelFigures:
    truth, scores = scored.truth(label), scored.scores(label)
    predicted = scores >= onset
    right = int((predicted & truth).sum())
    return LabelFigures(
        label=label,
        clips=int(truth.sum()),
        average_precision=average_precision(truth, scores),
        recall=Proportion(right, int(truth.sum())),
        precision=Proportion(right, int(predicted.sum())),
        calibration_error=calibration_error(truth, scores),
        onset=onset,
        proposal=proposed(truth, scores),
        curve=fitted(truth, scores),
    )


def _confusion(scored: Scored, present: Sequence[str]) -> dict[str, dict[str, int]]:
    confusion: dict[str, dict[str, int]] = {}
    for clip, predicted in zip(scored.clips, scored.heard, strict=True):
        if len(clip.labels) == 1 and predicted.scores:
            best = max(predicted.scores, key=lambda label: predicted.scores[label])
            row = confusion.setdefault(next(iter(clip.labels)), {})
            row[best] = row.get(best, 0) + 1
    return {label: confusion[label] for label in present if label in confusion}


def false_events(scored: Scored, labels: Iterable[str], onsets: Mapping[str, float]) -> dict[str, EventRate]:
    """Events of each label on backgrounds."""
    backgrounds = [
        predicted for clip, predicted in zip(scored.clips, scored.heard, strict=True) if not clip.labels
    ]
    hours = sum(predicted.duration_s for predicted in backgrounds) / 3600
    if not backgrounds:
        return {}
    return {
        label: EventRate(
            sum(events_in(predicted, label, onsets.get(label, FALLBACK_ONSET)) for predicted in backgrounds),
            hours,
        )
        for label in sorted(labels)
    }


def events_in(predicted: FileScores, label: str, onset: float) -> int:
    """Stretches of windows at or over the threshold."""
    count, last_s = 0, -np.inf
    for start_s, scores in predicted.frames:
        if scores.get(label, 0.0) >= onset:
            count += start_s - last_s > QUIET_BETWEEN_EVENTS_S
            last_s = start_s
    return count


def emotion_recall(scored: Scored) -> dict[str, Proportion]:
    """For every acted emotion, how often the classifier put it first; no answer counts as wrong."""
    found: dict[str, Proportion] = {}
    for emotion in emotions():
        predicted = [s for clip, s in zip(scored.clips, scored.heard, strict=True) if clip.emotion == emotion]
        right = sum(
            bool(s.emotion) and max(s.emotion, key=lambda e: s.emotion[e]) == emotion for s in predicted
        )
        if predicted:
            found[emotion] = Proportion(right, len(predicted))
    return found
