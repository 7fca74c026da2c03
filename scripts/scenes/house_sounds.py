"""What a house's microphones make of a sound that keeps coming, and of everything else, as embeddings.

A *thing* is one group of recordings (a chime, a dishwasher, somebody's knock). It comes again and again in
one room, each time over another background and as loud as the distance and the day make it; and in another
room. The *house* is the day of `kinds.HOUSE_HOURS`, with sounds of every kind placed in it. Its quiet hours
are heard around their sounds only: between them the gate stays closed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.taggers.embedded import EmbeddedClassifier
from monitor.classifiers.taught.beeps import Beep, beeps_in
from monitor.clock import BEGINNING
from monitor.evidence.privacy import SPOKEN, holds_words
from monitor.gate.config import GateConfig
from monitor.gate.gate import Gate
from monitor.recordings.analysis import SOURCE
from monitor.synthesis.room import impulse_response, in_room
from monitor.types import Frame, Segment
from scripts.scenes.composing import Scene, at_ratio, background, compose_background
from scripts.scenes.kinds import BACKGROUNDS, BED_LABELS, HOUSE_HOURS
from scripts.scenes.recordings import Pool, Recording

LOOK_S = 1.0
PIECE_S = 3.0
"""A thing that goes on is heard in pieces of this length, each another stretch of it."""
GAP_S = 5.0
SCENE_MINUTES = 5.0
QUIET_SCENE_MINUTES = 0.5
QUIET_SOUNDS_AN_HOUR = 12
EVERY_S = (15.0, 45.0)
"""Between two sounds in a background."""
SNR_DB = (8.0, 25.0)


@dataclass(frozen=True, slots=True)
class HeardLook:
    """One look of the classifier, in seconds of its scene."""

    start_s: float
    end_s: float
    whole: bool
    spoken: bool
    """Words may be in it: its embedding is not kept by a house."""
    embedding: bytes
    beeps: tuple[Beep, ...] = ()


@dataclass
class HeardScene:
    """A scene's looks, and what lay where."""

    kind: str
    hours: float
    """Of a house's life that it stands for."""
    looks: list[HeardLook]
    placed: list[tuple[str, float, float]] = field(default_factory=list)
    """Path, begin and end in seconds."""


@dataclass
class HeardThing:
    """The visits of one thing: in its room, and in another."""

    group: str
    labels: tuple[str, ...]
    goes_on: bool
    """Its visits are different stretches or recordings; else one recording that comes again, as a chime."""
    same: HeardScene
    other: HeardScene


def looks_of(samples: Samples, classifier: EmbeddedClassifier) -> list[HeardLook]:
    """Everything that the gate lets through, as the classifier sees it."""
    gate = Gate(SOURCE, GateConfig(early_look_s=LOOK_S))
    segments: list[Segment] = []
    for number in range(len(samples) // FRAME_SAMPLES):
        piece = samples[number * FRAME_SAMPLES : (number + 1) * FRAME_SAMPLES]
        at = BEGINNING + timedelta(seconds=number * FRAME_S)
        segments += gate.push(Frame(SOURCE, at, Audio(piece, SAMPLE_RATE_HZ))).segments
    segments += gate.finish("shutdown").segments
    return [_look(segment, classifier) for segment in segments]


def _look(segment: Segment, classifier: EmbeddedClassifier) -> HeardLook:
    found = classifier.classify([segment])
    scores = {one.label: one.score for one in found}
    words = max(scores.get(label, 0.0) for label in SPOKEN)
    embedding = found[0].embedding
    assert embedding is not None
    start_s = (segment.started_at - BEGINNING).total_seconds()
    end_s = start_s + segment.audio.duration_s
    spoken = holds_words(words, segment.speech_ratio)
    beeps = beeps_in(segment.audio.samples)
    return HeardLook(start_s, end_s, segment.ended_by != "open", spoken, embedding, beeps)


def planned(hours: float, seed: int) -> list[tuple[int, str, float]]:
    """A house's life of so many hours: number, kind, and the hours that each scene stands for."""
    plan: list[tuple[str, float]] = []
    for kind, of_day in HOUSE_HOURS.items():
        own = hours * of_day / 24
        each = 1 / QUIET_SOUNDS_AN_HOUR if kind == "quiet" else SCENE_MINUTES / 60
        plan += [(kind, each)] * max(1, round(own / each))
    order = np.random.default_rng([seed, 7]).permutation(len(plan))
    return [(int(number), *plan[number]) for number in order]


def house_scene(
    pool: Pool, classifier: EmbeddedClassifier, seed: int, number: int, kind: str, stands_for: float
) -> HeardScene:
    """One scene of a house's life, as `planned` numbers them."""
    minutes = QUIET_SCENE_MINUTES if kind == "quiet" else SCENE_MINUTES
    scene = compose_background(pool, seed, number, minutes, kind, BACKGROUNDS.get(kind, ()))
    samples, placed = with_sounds(pool, scene, seed, number)
    placed += [(bed.path, bed.start_s, bed.end_s) for bed in scene.beds]
    return HeardScene(kind, stands_for, looks_of(samples, classifier), placed)


def with_sounds(
    pool: Pool, scene: Scene, seed: int, number: int
) -> tuple[Samples, list[tuple[str, float, float]]]:
    """Any recordings at all placed in a background."""
    rng = np.random.default_rng([seed, number, 2])
    samples = scene.samples.copy()
    response = impulse_response(rng, rng.uniform(0.2, 0.6), SAMPLE_RATE_HZ)
    groups = sorted({(one.source, one.group) for one in pool.recordings})
    placed: list[tuple[str, float, float]] = []
    at = int(rng.uniform(5, 12) * SAMPLE_RATE_HZ)
    while at < len(samples) - 6 * SAMPLE_RATE_HZ:
        chosen = groups[rng.integers(len(groups))]
        own = [one for one in pool.recordings if (one.source, one.group) == chosen]
        one = own[rng.integers(len(own))]
        sound = _piece(pool.samples(one.path), rng)
        end = min(len(samples), at + len(sound))
        snr_db = rng.uniform(*SNR_DB)
        samples[at:end] += at_ratio(in_room(sound, response), samples[at:end], snr_db)[: end - at]
        placed.append((one.path, at / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ))
        at = end + int(rng.uniform(*EVERY_S) * SAMPLE_RATE_HZ)
    return np.clip(samples, -1, 1), placed


def _piece(sound: Samples, rng: np.random.Generator) -> Samples:
    length = int(PIECE_S * SAMPLE_RATE_HZ)
    if len(sound) <= 2 * length:
        return sound[: 2 * length]
    start = int(rng.integers(0, len(sound) - length))
    return sound[start : start + length]


def thing(
    pool: Pool, classifier: EmbeddedClassifier, own: Sequence[Recording], visits: int, seed: int
) -> HeardThing:
    """A group's sounds in a room, `visits` times, and half as often in another. `pool` has none of them."""
    rng = np.random.default_rng([seed, 3])
    clips = [Pool(pool.root, list(own)).samples(one.path) for one in own]
    pieces = [piece for clip in clips for piece in _pieces(clip)]
    scenes = []
    order = rng.permutation(len(pieces))
    for room, count in enumerate((visits, visits // 2)):
        response = impulse_response(rng, rng.uniform(0.2, 0.6), SAMPLE_RATE_HZ)
        shown = [pieces[order[number % len(pieces)]] for number in range(count)]
        scenes.append(_visits(pool, classifier, shown, response, np.random.default_rng([seed, 4, room])))
    labels = tuple(sorted(set().union(*(one.labels for one in own))))
    return HeardThing(f"{own[0].source}:{own[0].group}", labels, len(pieces) > 1, scenes[0], scenes[1])


def _pieces(clip: Samples) -> list[Samples]:
    length = int(PIECE_S * SAMPLE_RATE_HZ)
    if len(clip) <= 2 * length:
        return [clip]
    return [clip[start : start + length] for start in range(0, len(clip) - length + 1, length)]


def _visits(
    pool: Pool,
    classifier: EmbeddedClassifier,
    shown: Sequence[Samples],
    response: Samples,
    rng: np.random.Generator,
) -> HeardScene:
    length_s = sum(len(one) / SAMPLE_RATE_HZ + GAP_S for one in shown) + GAP_S
    samples, _ = background(pool, rng, length_s / 60, BED_LABELS)
    placed: list[tuple[str, float, float]] = []
    at = int(GAP_S * SAMPLE_RATE_HZ)
    for number, sound in enumerate(shown):
        end = min(len(samples), at + len(sound))
        heard = at_ratio(in_room(sound, response), samples[at:end], rng.uniform(*SNR_DB))
        samples[at:end] += heard[: end - at]
        placed.append((str(number), at / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ))
        at = end + int(GAP_S * SAMPLE_RATE_HZ)
    looks = looks_of(np.clip(samples, -1, 1), classifier)
    return HeardScene("thing", length_s / 3600, looks, placed)
