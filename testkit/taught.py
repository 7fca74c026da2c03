"""Taught sounds made of numbers, and a tune that nobody has recorded."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.taggers.embedded import read_sidecar, shipped_model
from monitor.classifiers.taught.sound import TaughtSound
from monitor.synthesis import parts
from monitor.teaching.taught.background import Background, Households
from monitor.teaching.taught.learning import Hearing, NotTaught, learn
from testkit.builders import START

SIZE = 8
"""Numbers of an embedding here: the shipped model's has more."""
SHIPPED_SIZE = 384


def shipped_sha256() -> str:
    """Of the model that ships."""
    return read_sidecar(shipped_model()).embedding_id


def households(size: int = SIZE) -> Households:
    """Sounds without any order."""
    rng = np.random.default_rng(1)
    sounds = rng.normal(size=(400, size)).astype(np.float32)
    mean, scatter = np.zeros(size, np.float32), np.eye(size, dtype=np.float32)
    return Households(shipped_sha256(), mean, scatter, sounds)


def hearings(size: int = SIZE, count: int = 5, spread: float = 0.3, direction: int = 0) -> list[Hearing]:
    """Of one thing, which differs from occurrence to occurrence."""
    rng = np.random.default_rng(2)
    middle = np.zeros(size)
    middle[direction] = 6.0
    each = middle + spread * rng.normal(size=(count, size))
    return [
        Hearing(f"hearing {n}", one.astype(np.float32), segment_id=f"{n:012x}") for n, one in enumerate(each)
    ]


def background(
    embeddings: np.ndarray | None = None, labels: Sequence[str | None] = (), hours: float = 0.0
) -> Background:
    """A house that has heard sounds of these embeddings, shape (sounds, SIZE)."""
    own = np.zeros((0, SIZE), np.float32) if embeddings is None else embeddings.astype(np.float32)
    return Background(own, tuple(labels) or (None,) * len(own), hours, households())


def taught(label: str = "washer_done", **changes: object) -> TaughtSound:
    """A sound, taught in a house that is not known yet."""
    found = learn(label, hearings(), background(), START)
    assert not isinstance(found, NotTaught), found.reason
    return found.model_copy(update=changes)


def anything(label: str = "washer_done") -> TaughtSound:
    """A sound of the shipped model that everything is like."""
    nothing = (0.0,) * SHIPPED_SIZE
    basis = ((1.0, *nothing[1:]), (1.0, *nothing[2:]))
    space = {"mean": nothing, "basis": basis, "prototype": (1.0, 0.0), "hearings": (nothing,)}
    return taught(label, **space, bar=-1.0, reach=None)


def tune(seed: int) -> Samples:
    """Four struck notes with noise of its own each time: a washer's, in a kitchen."""
    rng, drawn = np.random.default_rng(7), np.random.default_rng(seed)
    partials = [(1.0, 1.0), (2.7, 0.4), (5.1, 0.2)]
    notes = [parts.struck(rng, hz, partials, 0.25, SAMPLE_RATE_HZ) for hz in (880, 1108, 1318, 1760)]
    sound = parts.finished(parts.overlaid(notes, 0.22, SAMPLE_RATE_HZ))
    quiet = np.zeros(SAMPLE_RATE_HZ)
    heard = np.concatenate([quiet, sound * 0.2 * 10 ** (drawn.uniform(-6, 0) / 20), quiet])
    return np.asarray(heard + 0.003 * drawn.standard_normal(len(heard)), np.float32)


def record(folder: Path, samples: Samples, name: str) -> Path:
    """As a WAV file."""
    import wave

    path = folder / name
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(Audio(samples, SAMPLE_RATE_HZ).to_pcm16())
    return path
