"""Hours of household without events, heard as the daemon hears: gate, early looks, model, tracker.

Backgrounds are held-out recordings and noise remixed under rooms, microphones and levels, with an everyday
sound in them every four minutes. A label is not listened for while it may be there: where the recording says
so or leaves it open, and where the teacher hears it and nobody wrote it down. A critical label is never
excused by the teacher.
"""

import hashlib
import pickle
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio
from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.clock import BEGINNING
from monitor.events.settings import LabelSettings, Thresholds
from monitor.events.tracker import Tracker
from monitor.gate.config import GateConfig
from monitor.gate.gate import Gate
from monitor.types import Detection, Frame
from scripts.train_tagger.mixing import MixtureMaker
from scripts.train_tagger.recordings import Recording, SampleCache
from scripts.train_tagger.targets import CRITICAL, HITS, INDEX, LABELS, teacher_mapping
from scripts.train_tagger.teacher import read_class_names

PIECE_S = 30.0
FADE_S = 1.0
"""Pieces fade into each other: a sudden start of the next one is a bang that no house makes."""
SOURCE = "background"
HOURS = "hours"
"""Folder of a run in which hours that were heard are kept."""
FAINTEST = 0.05
"""Scores below keep no event alive, whatever the threshold; they are not remembered."""
AUDIBLE = 0.3
"""Probability at which the teacher's word counts. In windows of 3 s it is low even for clear sounds."""
Wave = npt.NDArray[np.float32]
Absent = npt.NDArray[np.bool_]
Flags = npt.NDArray[np.float32]
Half = Sequence[Recording]


@dataclass(frozen=True, slots=True)
class Heard:
    """What the model said at one moment of one hour."""

    hour: int
    at_s: float
    detection: Detection


@dataclass(frozen=True, slots=True)
class Background:
    """What the model says of hours without events."""

    heard: Mapping[str, Sequence[Heard]]
    """By label, in order of time."""
    hours: Mapping[str, float]
    """For how long each label was listened for."""

    def false_events(self, label: str, onset: float) -> int:
        """How many events the tracker begins at this threshold, with its hits and holds of the label."""
        row = Thresholds({label: LabelSettings(onset=onset, hits=HITS.get(label))}).of(SOURCE)
        loud = [h for h in self.heard.get(label, ()) if h.detection.score >= row[label].off]
        return sum(
            _begun(Tracker(lambda _: row), list(of_hour)) for _, of_hour in groupby(loud, lambda h: h.hour)
        )


def _begun(tracker: Tracker, heard: Sequence[Heard]) -> int:
    count = 0
    for one in heard:
        now = BEGINNING + timedelta(seconds=one.at_s)
        tracker.update((), now)  # what is over ends before the next sound is heard
        count += sum(event.state == "started" for event in tracker.update([one.detection], now))
    return count


def together(parts: Sequence[Background]) -> Background:
    """All their hours, numbered anew: two parts' first hours are two hours."""
    numbers: dict[tuple[int, int], int] = {}

    def numbered(part: int, one: Heard) -> Heard:
        return replace(one, hour=numbers.setdefault((part, one.hour), len(numbers)))

    return Background(
        {
            label: [numbered(n, one) for n, part in enumerate(parts) for one in part.heard.get(label, ())]
            for label in LABELS
        },
        {label: sum(part.hours[label] for part in parts) for label in LABELS},
    )


def halves(recordings: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """The recordings in two, by group, each source's groups by turns."""
    groups = sorted({(r.source, r.group) for r in recordings})
    first = {group for n, (_, group) in enumerate(groups) if n % 2 == 0}
    return [r for r in recordings if r.group in first], [r for r in recordings if r.group not in first]


@dataclass(frozen=True, slots=True)
class Listening:
    """What an hour of background is made of and judged with."""

    model: Path
    cache: Path
    data: Path


def listen(
    listening: Listening, held_out: tuple[Half, Half], hours: float, kept: Path
) -> tuple[Background, Background]:
    """Hours of either half's remixes by turns, on all cores. Each is kept in a folder as soon as it has been
    heard: what was stopped goes on there."""
    from rich.progress import track

    # Not forked: torch's and onnxruntime's threads would leave their locks held.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        count = max(2, round(hours))
        work = partial(hour_heard, listening, held_out, kept)
        heard = list(track(pool.map(work, range(count)), "background", count))
    return together(heard[0::2]), together(heard[1::2])


def hour_heard(listening: Listening, held_out: tuple[Half, Half], kept: Path, hour: int) -> Background:
    """From the folder, or heard now and put there; of each model by itself."""
    model = hashlib.sha256(listening.model.read_bytes()).hexdigest()[:12]
    file = kept / f"{model}-{hour}.pkl"
    if not file.exists():
        kept.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        unfinished.write_bytes(pickle.dumps(_hour(listening, held_out, hour)))
        unfinished.replace(file)
    heard: Background = pickle.loads(file.read_bytes())
    return heard


def _hour(listening: Listening, held_out: tuple[Half, Half], hour: int) -> Background:
    classifier = EmbeddedConfig(type="embedded", model=listening.model).build()
    classifier.load()
    rooms = np.load(listening.cache / "rooms.npy", mmap_mode="r")
    cache, also = SampleCache(listening.cache), read_audible(listening.data)
    mixer = MixtureMaker(held_out[hour % 2], cache, rooms, PIECE_S, also)
    rng = np.random.default_rng([1, hour])
    mixtures = [mixer.draw_household(rng) for _ in range(round(3600 / PIECE_S))]
    absent: Absent = np.array([(m.labels == 0) & (m.known > 0) for m in mixtures])
    wave = crossfaded([mixture.student_wave for mixture in mixtures])
    return _heard(hour, detections_in(wave, classifier), absent)


def crossfaded(pieces: Sequence[npt.NDArray[np.int16]]) -> Wave:
    """Pieces of one length, shape (samples,), one after another; each begins `FADE_S` before the last one
    ends; in -1..1."""
    fade = round(FADE_S * SAMPLE_RATE_HZ)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade, dtype=np.float32))
    step = len(pieces[0]) - fade
    wave = np.zeros(step * len(pieces) + fade, np.float32)
    for number, piece in enumerate(pieces):
        faded = piece.astype(np.float32) / np.float32(32768)
        faded[:fade] *= ramp
        faded[-fade:] *= ramp[::-1]
        wave[number * step : number * step + len(piece)] += faded
    return np.clip(wave, -1, 1)


def detections_in(
    wave: Wave, classifier: EmbeddedClassifier
) -> Iterator[tuple[float, float, list[Detection]]]:
    """For every segment and early look: when it began, when it was heard, and what it was taken for. `wave`
    has the shape (samples,)."""
    gate = Gate(SOURCE, GateConfig())
    for start in range(0, len(wave) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        audio = Audio(wave[start : start + FRAME_SAMPLES], SAMPLE_RATE_HZ)
        frame = Frame(SOURCE, BEGINNING + timedelta(seconds=start / SAMPLE_RATE_HZ), audio, start == 0)
        for segment in gate.push(frame).segments:
            began_s = (segment.started_at - BEGINNING).total_seconds()
            yield began_s, (frame.ends_at - BEGINNING).total_seconds(), classifier.classify([segment])


def _heard(hour: int, said: Iterator[tuple[float, float, list[Detection]]], absent: Absent) -> Background:
    """`absent` (pieces, labels) is true where a label cannot be there."""
    heard: dict[str, list[Heard]] = {label: [] for label in LABELS}
    for began_s, at_s, detections in said:
        listened_for = np.asarray(absent[_pieces(began_s, at_s)].all(axis=0))
        for detection in detections:
            if detection.score >= FAINTEST and listened_for[INDEX[detection.label]]:
                heard[detection.label].append(Heard(hour, at_s, detection))
    hours = absent.sum(axis=0) * (PIECE_S - FADE_S) / 3600
    return Background(heard, dict(zip(LABELS, hours.tolist(), strict=True)))


def _pieces(began_s: float, ended_s: float) -> slice:
    """Those that are heard at some time between."""
    step_s = PIECE_S - FADE_S
    return slice(max(0, int((began_s - FADE_S) / step_s)), int(ended_s / step_s) + 1)


def read_audible(data: Path) -> dict[str, Flags]:
    """For every recording the labels, not critical, that the teacher hears in one of its windows. Flags have
    the shape (labels,)."""
    names = read_class_names(data / "models" / "audioset_class_labels_indices.csv")
    with np.load(data / "train" / "teacher_mn04.npz") as stored:
        paths, clips, logits = stored["paths"], stored["clip"], stored["logits"]
    best = np.full((len(paths), logits.shape[1]), -np.inf, np.float32)
    np.maximum.at(best, clips, logits)
    heard = best >= np.log(AUDIBLE / (1 - AUDIBLE))
    flags = np.stack([heard[:, rows].any(axis=1) for rows in teacher_mapping(names)], axis=1) & ~CRITICAL
    return dict(zip(paths.tolist(), flags.astype(np.float32), strict=True))
