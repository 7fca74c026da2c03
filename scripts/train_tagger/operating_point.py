"""Onset thresholds from hours of household background that the model was never trained on.

Backgrounds are held-out recordings and noise remixed under rooms, microphones and levels. Remixes of a few
hundred recordings are not independent: the bounds they give are optimistic, and the model card says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from rich.progress import track

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.embedded import EmbeddedClassifier
from monitor.evaluation.evaluate import QUIET_BETWEEN_EVENTS_S
from monitor.evaluation.scoring import BEGINNING
from monitor.labels import vocabulary
from monitor.types import Segment, new_id
from scripts.train_tagger.mixing import Mixer
from scripts.train_tagger.targets import LABELS

FALSE_EVENTS_PER_HOUR = 0.1
"""For all critical labels together, and for every other label by itself."""
LOWEST, HIGHEST = 0.15, 0.97
"""Onsets stay inside: below, a score says no; above, a calibrated score cannot be told from 1."""
PIECE_S = 30.0
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Background:
    """What the model says of hours without events."""

    scores: Floats
    """(windows, labels); -1 where the label may be there."""
    window_hop_s: float

    @property
    def hours(self) -> float:
        """Of sound listened to."""
        return len(self.scores) * self.window_hop_s / 3600

    def false_events(self, label: int, onset: float) -> int:
        """Stretches of windows over the threshold, ten seconds apart."""
        at_s = np.flatnonzero(self.scores[:, label] >= onset) * self.window_hop_s
        return int(len(at_s) > 0) + int((np.diff(at_s) > QUIET_BETWEEN_EVENTS_S).sum())


def listen(classifier: EmbeddedClassifier, mixer: Mixer, hours: float, seed: int) -> Background:
    """Score every piece of `mixer` (whose recordings must be held out) window by window."""
    rng = np.random.default_rng(seed)
    rows: list[Floats] = []
    pieces = int(hours * 3600 / mixer.duration_s)
    for _ in track(range(pieces), "background"):
        mixture = mixer.draw(rng)
        may_be_there = (mixture.labels > 0) | (mixture.known == 0)
        segments = list(_segments(mixture.student_wave, classifier.window_s))
        said = {(d.segment_id, d.label): d.score for d in classifier.classify(segments)}
        for segment in segments:
            scores = np.array([said[segment.id, label] for label in LABELS], np.float32)
            rows.append(np.where(may_be_there, np.float32(-1), scores))
    return Background(np.stack(rows), classifier.window_s)


def _segments(wave: npt.NDArray[np.int16], window_s: float) -> Iterator[Segment]:
    size = round(window_s * SAMPLE_RATE_HZ)
    for start in range(0, len(wave) - size + 1, size):
        audio = Audio(wave[start : start + size].astype(np.float32) / np.float32(32768), SAMPLE_RATE_HZ)
        at = BEGINNING + timedelta(seconds=start / SAMPLE_RATE_HZ)
        yield Segment(new_id(), "background", at, audio, 0.0, -100.0, audio.rms_dbfs, 0.0, "silence")


def choose_onsets(background: Background) -> dict[str, float]:
    """The lowest threshold of each label that keeps to the stated rate of false events."""
    critical = [label for label in LABELS if vocabulary()[label].severity_default == "critical"]
    allowed_critical = int(FALSE_EVENTS_PER_HOUR * background.hours / len(critical))
    allowed = int(FALSE_EVENTS_PER_HOUR * background.hours)
    return {
        label: _lowest(background, n, allowed_critical if label in critical else allowed)
        for n, label in enumerate(LABELS)
    }


def _lowest(background: Background, label: int, allowed: int) -> float:
    for onset in np.arange(LOWEST, HIGHEST, 0.01):
        if background.false_events(label, float(onset)) <= allowed:
            return round(float(onset), 2)
    return HIGHEST


def second_look(onsets: dict[str, float]) -> dict[str, Sequence[float]]:
    """Where a second opinion is worth its price: 1.5 logits to either side of the onset."""

    def moved(onset: float, logits: float) -> float:
        return round(float(1 / (1 + np.exp(-(np.log(onset / (1 - onset)) + logits)))), 3)

    return {label: (moved(onset, -1.5), moved(onset, 1.5)) for label, onset in onsets.items()}
