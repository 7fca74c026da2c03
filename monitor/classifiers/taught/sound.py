"""A sound that a house has taught, as numbers: what it is like, from when on that counts, and what to expect.

Kept as JSON, which is read strictly: whoever can write the file can make a sound be heard, and nothing else.
"""

import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, model_validator

from monitor.classifiers.taught.rhythm import HeardBeeps, RhythmTemplate
from monitor.errors import StoreError
from monitor.labels import check_taught_name
from monitor.schema import Block, read_file

Floats = NDArray[np.float32]
LEAST_LENGTH = 1e-6
"""Of an embedding in a space: that of silence is none."""
LEAST_LEARNING, MOST_LEARNING = timedelta(days=7), timedelta(days=28)
"""For so long at least and at most what it finds is suspected, and marked: nobody has yet seen what it does
here."""
MOST_BYTES = 2 * 2**20
"""Of a file; one of ten hearings takes 0.6 MB."""
STEEPNESS = 30.0
"""Log odds by which the score rises for each 1.0 of likeness above the bar. Chosen: 0.1 more is then 0.95,
and the off score of 0.3 lies 0.03 below the bar."""
Number = Annotated[float, Field(ge=-10_000, le=10_000)]
Vector = Annotated[tuple[Number, ...], Field(min_length=2, max_length=1024)]
Direction = Annotated[tuple[Number, ...], Field(min_length=1, max_length=1024)]


class Expected(Block):
    """What was measured when it was taught, each hearing judged by the others alone."""

    heard: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=1)]
    false_a_week: Annotated[float, Field(ge=0)]
    false_at_most: Annotated[float, Field(ge=0)] | None = None
    """With 80 %, by what this house has heard alone; None where none of it is known."""
    background_hours: Annotated[float, Field(ge=0)]
    """Of this house, that the false ones were counted in; with few, sounds of other houses stood in."""
    weak_at: tuple[str, ...] = ()
    """What in the background is most like it."""
    came_before: Annotated[int, Field(ge=0)] = 0
    """So many sounds of the background were as like it as its hearings, and are taken to be it."""


class Reach(Block):
    """A ball around the hearings of a sound in its space, without unit length: what lies outside is unlike
    all of them, in whatever direction."""

    middle: Annotated[float, Field(gt=0, le=1e6)]
    """How long the mean of its hearings is."""
    radius: Annotated[float, Field(gt=0, le=1e6)]


class TaughtSound(Block):
    """One taught sound: a direction in the space of the model's embeddings as this house fills it."""

    label: Annotated[str, AfterValidator(check_taught_name)]
    taught_at: AwareDatetime
    model: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the model whose embedding it stands on."""
    mean: Vector
    """The middle of what the house sounds like, n numbers."""
    basis: Annotated[tuple[Direction, ...], Field(min_length=2, max_length=1024)]
    """k directions that make what the house sounds like as wide in one as in another. Each of n numbers, or
    of its last ones where all before them are 0."""
    prototype: Vector
    """The mean of its hearings in that space: k numbers, of unit length."""
    hearings: Annotated[tuple[Vector, ...], Field(min_length=1, max_length=64)]
    """The embedding of each, n numbers."""
    bar: Annotated[float, Field(ge=-1, le=1)]
    """The likeness from which a look is a hit."""
    hits: Annotated[int, Field(ge=1, le=20)] = 1
    within_s: Annotated[float, Field(ge=0, le=600)] = 4.0
    hold_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    learning_days: Annotated[float, Field(ge=7, le=28)] = 7.0
    """Longer than a week where the house was too little known to count what was asked for."""
    reach: Reach | None = None
    """How far from the middle of its hearings a look may lie; None: it was taught before that was asked."""
    beeps: Annotated[tuple[HeardBeeps | None, ...], Field(max_length=64)] = ()
    """What beeps in each hearing; None where it is not known. Empty: nobody listened for it."""
    rhythm: RhythmTemplate | None = None
    """What most hearings share of that: a look that has it needs less likeness."""
    expected: Expected
    clips: Annotated[tuple[str, ...], Field(max_length=64)] = ()
    """The recordings it was taught from: with them it is taught anew for another model."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        n, k = len(self.mean), len(self.prototype)
        is_odd = any(len(one) != n for one in self.hearings) or any(len(one) > n for one in self.basis)
        if is_odd or len(self.basis) != k or len(self.beeps) not in (0, len(self.hearings)):
            raise ValueError("its numbers do not fit together")
        return self

    def is_learning(self, at: datetime) -> bool:
        """Whether it is on probation at that time."""
        return at < self.learning_until

    @property
    def learning_until(self) -> datetime:
        """When its probation ends."""
        return self.taught_at + timedelta(days=self.learning_days)

    def likeness(self, embeddings: Floats) -> Floats:
        """The cosine of sounds to its prototype, -1..1, shape (..., n) to (...)."""
        return np.asarray(self.space.of(embeddings) @ self._prototype, np.float32)

    def score(self, likeness: float, *, in_rhythm: bool = False, is_far: bool = False) -> float:
        """The likeness as a score, 0-1: 0.5 at the bar, which is lower for what has its rhythm. What is far
        from its hearings and has not their rhythm is something else."""
        if is_far and not in_rhythm:
            return 0.0
        bar = self.rhythm.bar if in_rhythm and self.rhythm else self.bar
        return float(1 / (1 + np.exp(-STEEPNESS * np.clip(likeness - bar, -1, 1))))

    @property
    def weights(self) -> Floats:
        """The prototype as the model's embeddings are written, (n,): their product over a sound's length in
        this space is the likeness."""
        return np.asarray(self.space.basis @ self._prototype, np.float32)

    @cached_property
    def space(self) -> "Space":
        """Where it was taught."""
        basis = np.zeros((len(self.mean), len(self.basis)), np.float32)
        for column, row in enumerate(self.basis):
            basis[len(self.mean) - len(row) :, column] = row
        return Space(np.array(self.mean, np.float32), basis)

    @cached_property
    def _prototype(self) -> Floats:
        return np.array(self.prototype, np.float32)


class Space:
    """Embeddings centred, whitened (Kessy et al., 2018, https://arxiv.org/abs/1512.00809) and of unit length,
    so that the cosine of two sounds says how alike they are beside what all sounds share."""

    def __init__(self, mean: Floats, basis: Floats) -> None:
        """`mean` (n,), `basis` (n, k)."""
        self.mean = mean
        self.basis = basis

    def of(self, embeddings: Floats) -> Floats:
        """Shape (..., n) to (..., k)."""
        white = self.white(embeddings)
        length = np.linalg.norm(white, axis=-1, keepdims=True)
        return np.asarray(white / np.maximum(length, LEAST_LENGTH), np.float32)

    def white(self, embeddings: Floats) -> Floats:
        """The same without unit length, shape (..., n) to (..., k)."""
        return np.asarray((embeddings - self.mean) @ self.basis, np.float32)

    def length(self, embeddings: Floats) -> Floats:
        """How long embeddings are here, shape (..., n) to (...)."""
        white = self.white(embeddings)
        squared = (white[..., None, :] @ white[..., None])[..., 0, 0]
        return np.asarray(np.sqrt(np.maximum(squared, LEAST_LENGTH**2)), np.float32)


class SideBySide:
    """Sounds that are listened for together: of an embedding a dot product for each, and once its length in
    each space that they were taught in. Immutable."""

    def __init__(self, sounds: Sequence[TaughtSound]) -> None:
        self.sounds = tuple(sounds)
        spaces: dict[bytes, Space] = {}
        keys = [one.space.mean.tobytes() + one.space.basis.tobytes() for one in sounds]
        for key, one in zip(keys, sounds, strict=True):
            spaces.setdefault(key, one.space)
        self._spaces = list(spaces.values())
        self._space_of = [list(spaces).index(key) for key in keys]
        self._weights = np.array([one.weights for one in sounds], np.float32).T
        reach = np.array([_reach(one.reach) for one in sounds], np.float32).reshape(-1, 2)
        self._twice_middle, self._reach = reach.T
        self._middles = np.array([one.space.mean @ one.weights for one in sounds], np.float32)

    def likeness(self, embeddings: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """As `TaughtSound.likeness` of each sound, and whether that is too far from its hearings: shape
        (..., n) to (..., sounds) each."""
        if not self.sounds:
            nothing = np.zeros((*embeddings.shape[:-1], 0), np.float32)
            return nothing, nothing > 0
        if len(self._spaces) == 1:  # as nearly always: the rest takes longer than what it finds
            lengths = self._spaces[0].length(embeddings)[..., None]
        else:
            lengths = np.stack([one.length(embeddings) for one in self._spaces], axis=-1)[..., self._space_of]
        likeness = np.asarray((embeddings @ self._weights - self._middles) / lengths, np.float32)
        return likeness, lengths * (lengths - self._twice_middle * likeness) > self._reach


def _reach(reach: Reach | None) -> tuple[float, float]:
    """Twice the middle, and the squared radius without the middle's square."""
    return (2 * reach.middle, reach.radius**2 - reach.middle**2) if reach else (0.0, math.inf)


def unpacked(embedding: bytes) -> Floats:
    """An embedding as a `Detection` carries it, (n,)."""
    return np.frombuffer(embedding, "<f2").astype(np.float32)


def read_sound(file: Path) -> TaughtSound:
    """The sound of a file, whose name is its label. Raises StoreError with the fix."""
    again = f"teach it again (earwitness teach {file.stem} CLIPS...) or forget it (--forget {file.stem})"
    try:
        data = read_file(file, MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise StoreError(f"{file}: larger than any taught sound; {again}")
        found = TaughtSound.model_validate(json.loads(data))
    except OSError as error:
        raise StoreError(f"{file}: cannot be read ({error.strerror}); {again}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise StoreError(f"{file}: damaged ({where}: {first['msg']}); {again}") from error
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{file}: damaged ({error}); {again}") from error
    if found.label != file.stem:
        raise StoreError(f"{file}: contains {found.label!r}, which is not its name; {again}")
    return found
