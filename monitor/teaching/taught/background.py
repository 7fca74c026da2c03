"""What a house sounds like when nobody teaches it anything: what a taught sound must stand out from."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from monitor.classifiers.taught.sound import Floats, Space, unpacked
from monitor.clock import from_us
from monitor.errors import ModelError
from monitor.teaching.taught.tail import HOURS_A_WEEK, a_week, at_most, bar_for

SUFFIX = ".households.npz"
OTHERS_A_DAY = 2000.0
"""So many of those stand for a day: sounds of a lived-in house, each another one. Chosen by
`scripts/bench teach` on things of two of its sources."""
OTHERS_WEIGH = 500.0
"""The scatter of other households counts as so many sounds of this one: 384 directions are not measured with
fewer. Chosen by `scripts/bench teach`."""
OTHERS_MIDDLE_WEIGHS = 20.0
"""Their middle counts as so many: a microphone colours everything that it hears, and without its own middle
all of it is alike. Chosen by `scripts/bench teach` on things of two of its sources."""
SHRINK = 0.01
MOST_BEFORE = 10
"""More sounds that are as like a thing as its hearings are another thing, from which it cannot be told."""
NOTHING_IS = 2.0
"""Above every likeness."""
NEAR = 0.1
"""Below the bar; what comes so near is named as what the sound is weak at."""


@dataclass(frozen=True, eq=False)
class Households:
    """Recordings of other households under one model, shipped with it."""

    model: str
    """SHA-256 of the model file."""
    mean: Floats
    """(n,)"""
    covariance: Floats
    """(n, n)"""
    sounds: Floats
    """Some of them, (m, n)."""


@dataclass(frozen=True, eq=False)
class Background:
    """What the house heard beside a taught sound, what each was taken for, and in how many hours."""

    embeddings: Floats
    """(m, n), of this house."""
    labels: tuple[str | None, ...]
    hours: float
    households: Households
    ids: tuple[str, ...] = ()
    """Their segments."""
    early: Floats | None = None
    """Early looks at some of them, the last before each was over: a live sound is looked at many times, and
    each look may be taken for the sound that is taught. (e, n)."""
    early_ids: tuple[str, ...] = ()

    def without(self, segment_ids: Sequence[str]) -> "Background":
        """Without the sounds that are taught."""
        taught = set(segment_ids)
        keep = [position for position, id in enumerate(self.ids) if id not in taught]
        early = [position for position, id in enumerate(self.early_ids) if id not in taught]
        return replace(
            self,
            embeddings=self.embeddings[keep],
            labels=tuple(self.labels[position] for position in keep),
            ids=tuple(self.ids[position] for position in keep),
            early=None if self.early is None else self.early[early] if self.early_ids else self.early,
            early_ids=tuple(self.early_ids[position] for position in early),
        )

    @cached_property
    def space(self) -> Space:
        """Whitened by this house, and by others as long as it is hardly known: by the triangle whose product
        with itself is the precision, half as many numbers as by directions of greatest scatter. Of those no
        fewer than all will do, what is alike in most sounds tells two chimes apart."""
        others, count = self.households, len(self.embeddings)
        weight, of_middle = count / (count + OTHERS_WEIGH), count / (count + OTHERS_MIDDLE_WEIGHS)
        mean, covariance = others.mean.astype(np.float64), others.covariance.astype(np.float64)
        if count > 1:
            own = self.embeddings.astype(np.float64)
            mean = of_middle * own.mean(axis=0) + (1 - of_middle) * mean
            covariance = weight * np.cov(own.T) + (1 - weight) * covariance
        n = len(mean)
        shrunk = (1 - SHRINK) * covariance + SHRINK * np.trace(covariance) / n * np.eye(n)
        basis = np.linalg.cholesky(np.linalg.inv(shrunk))
        return Space(np.asarray(mean, np.float32), np.asarray(basis, np.float32))

    def bar(self, prototype: Floats, a_week: float, alike: float = NOTHING_IS) -> float:
        """The likeness that so many of these sounds a week reach. The others count until this house is known
        for so long that the aim can be counted: what it has not heard yet is what is taken for the sound.
        `prototype`: shape (k,) of unit length, as in `mean_of`. `alike`: as like it are the thing's own
        hearings. A likeness is a cosine, -1 to 1."""
        return bar_for(*self._beside(prototype, a_week, alike), a_week)

    def false_a_week(
        self, prototype: Floats, bar: float, aim: float, alike: float = NOTHING_IS
    ) -> tuple[float, float | None]:
        """How many a week reach a bar that was set for this aim, and at most how many with 80 %, counted in
        this house alone; None where none of it is known. `prototype`: see `bar`, shape (k,)."""
        expected = a_week(*self._beside(prototype, aim, alike), bar)
        own = self._foreign(prototype, alike)[0]
        return expected, at_most(int((own >= bar).sum()), self.hours) if self.hours > 0 else None

    def came_before(self, prototype: Floats, alike: float) -> int:
        """How many of this house's sounds are as like it as its hearings: the thing itself, heard before
        anybody taught it. 0 where they are too many for that. `prototype`: see `bar`, shape (k,)."""
        count = int((self._likeness(self.embeddings, prototype) >= alike).sum())
        return count if count <= MOST_BEFORE else 0

    def _beside(self, prototype: Floats, a_week: float, alike: float) -> tuple[Floats, float]:
        """The likeness of everything that the bar for an aim has to stand above, and in how many hours."""
        heard, hours = self._foreign(prototype, alike), self.hours
        if not len(self.embeddings) or self.hours < HOURS_A_WEEK / a_week:
            heard.append(self._likeness(self.households.sounds, prototype))
            hours += self._other_hours
        return np.concatenate(heard), hours

    def _foreign(self, prototype: Floats, alike: float) -> list[Floats]:
        """The likeness of this house's whole sounds, and of its early looks, without the thing itself."""
        early = self.embeddings[:0] if self.early is None else self.early
        found = [self._likeness(one, prototype) for one in (self.embeddings, early)]
        return [one[one < alike] for one in found] if self.came_before(prototype, alike) else found

    def _likeness(self, embeddings: Floats, prototype: Floats) -> Floats:
        return np.asarray(self.space.of(embeddings) @ prototype if len(embeddings) else [], np.float32)

    @property
    def _other_hours(self) -> float:
        return len(self.households.sounds) / OTHERS_A_DAY * 24

    def likest(self, prototype: Floats, bar: float, most: int = 3) -> list[str]:
        """What the sounds that come nearest to the bar were taken for. `prototype`: see `bar`, shape (k,)."""
        likeness = self.space.of(self.embeddings) @ prototype
        order = np.argsort(-likeness)[:50]
        near = [self.labels[position] for position in order if likeness[position] >= bar - NEAR]
        return list(dict.fromkeys(label for label in near if label))[:most]


def house_background(rows: sqlite3.Connection | None, households: Households) -> Background:
    """The background of a house by its history; None: it has none."""
    found = _kept(rows) if rows is not None else []
    told_us = [told for _, told, _, _ in found]
    hours = (from_us(told_us[-1]) - from_us(told_us[0])).total_seconds() / 3600 if found else 0.0
    own = np.array([unpacked(blob) for _, _, _, blob in found], np.float32).reshape(-1, len(households.mean))
    labels = tuple(label for _, _, label, _ in found)
    early = _early(rows) if rows is not None else []
    return Background(
        own,
        labels,
        hours,
        households,
        tuple(id for id, _, _, _ in found),
        np.array([unpacked(blob) for _, blob in early], np.float32).reshape(-1, len(households.mean)),
        tuple(id for id, _ in early),
    )


def _kept(rows: sqlite3.Connection) -> list[tuple[str, int, str | None, bytes]]:
    try:
        return rows.execute(
            "SELECT segment_id, told_at, label, embedding FROM background ORDER BY told_at"
        ).fetchall()
    except sqlite3.OperationalError:  # a history from before sounds were taught
        return []


def _early(rows: sqlite3.Connection) -> list[tuple[str, bytes]]:
    try:
        return rows.execute("SELECT segment_id, embedding FROM early").fetchall()
    except sqlite3.OperationalError:  # a history from before they were kept
        return []


def households_of(model: Path, sha256: str) -> Households:
    """Those beside a model file. ModelError where there are none, or those of another model."""
    found = _read(model.with_suffix(SUFFIX))
    if found.model != sha256:
        raise ModelError(f"{model.with_suffix(SUFFIX)} is of another model than {model.name}; {_NONE}")
    return found


def save(path: Path, households: Households) -> None:
    """Write them: arrays and a text, nothing that runs when it is read."""
    upper = np.triu_indices(len(households.mean))
    np.savez_compressed(
        path,
        model=np.array(households.model),
        mean=households.mean.astype("<f4"),
        covariance=households.covariance[upper].astype("<f4"),
        sounds=households.sounds.astype("<f2"),
    )


_NONE = "no sound can be taught with this model"


@cache
def _read(path: Path) -> Households:
    try:
        with np.load(path, allow_pickle=False) as file:
            mean = file["mean"].astype(np.float32)
            covariance = np.zeros((len(mean), len(mean)), np.float32)
            covariance[np.triu_indices(len(mean))] = file["covariance"]
            covariance = covariance + np.triu(covariance, 1).T
            return Households(str(file["model"]), mean, covariance, file["sounds"].astype(np.float32))
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise ModelError(f"{path} cannot be read ({error}); {_NONE}") from error
