"""Onset thresholds from hours of household background that the model was never trained on.

Backgrounds are held-out recordings and noise remixed under rooms, microphones and levels, with an everyday
sound in them every four minutes. Remixes of a few hundred recordings are not independent: the bounds they
give are optimistic, and the model card says so.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.progress import track

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.embedded import EmbeddedClassifier, EmbeddedConfig, read_sidecar
from monitor.evaluation.evaluate import QUIET_BETWEEN_EVENTS_S
from monitor.evaluation.scoring import BEGINNING
from monitor.labels import vocabulary
from monitor.types import Segment, new_id
from scripts.train_tagger.mixing import Mixer, Mixture
from scripts.train_tagger.recordings import Recording, SampleCache
from scripts.train_tagger.targets import LABELS

FALSE_EVENTS_PER_HOUR = 0.1
"""For all critical labels together, and for every other label by itself."""
LOWEST, HIGHEST = 0.15, 0.9
"""Onsets stay inside: below, a score says no; above, hardly a true sound would be heard, and what scores so
high in the backgrounds is often really in them, without a label."""
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


def listen(model: Path, cache: Path, held_out: Sequence[Recording], hours: float) -> Background:
    """Score hours of remixes window by window, one hour after the other, on all cores."""
    # Not forked: torch's and onnxruntime's threads would leave their locks held.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        seeds = range(max(1, round(hours)))
        hour = partial(_hour, model, cache, held_out)
        rows = list(track(pool.map(hour, seeds), "background", total=len(seeds)))
    return Background(np.concatenate(rows), read_sidecar(model).window_s)


def _hour(model: Path, cache: Path, held_out: Sequence[Recording], seed: int) -> Floats:
    classifier = EmbeddedConfig(type="embedded", model=model).build()
    classifier.load()
    mixer = Mixer(held_out, SampleCache(cache), np.load(cache / "rooms.npy", mmap_mode="r"), PIECE_S)
    rng = np.random.default_rng([1, seed])
    return np.concatenate(
        [_scores(classifier, mixer.draw_household(rng)) for _ in range(round(3600 / PIECE_S))]
    )


def _scores(classifier: EmbeddedClassifier, mixture: Mixture) -> Floats:
    """(windows, labels), -1 where the label may be in the mixture."""
    segments = list(_segments(mixture.student_wave, classifier.window_s))
    said = {(d.segment_id, d.label): d.score for d in classifier.classify(segments)}
    scores = np.array([[said[segment.id, label] for label in LABELS] for segment in segments], np.float32)
    may_be_there = (mixture.labels > 0) | (mixture.known == 0)
    return np.where(may_be_there, np.float32(-1), scores)


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
