"""What a house sounds like when nobody teaches it anything: what a taught sound must stand out from."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from monitor.classifiers.taught.sound import Floats, Space, unpacked
from monitor.errors import ModelError
from monitor.history.records import from_us

SUFFIX = ".households.npz"
LEAST_HOURS = 24.0
"""Of this house; with less, the sounds of other houses stand in for what has not been heard yet."""
OTHERS_A_DAY = 500.0
"""So many of those stand for a day: gated sounds of a lived-in house."""
OTHERS_WEIGH = 500.0
"""The scatter of other households counts as so many sounds of this one: 384 directions are not measured with
fewer. Chosen by `scripts/bench teach`."""
DIRECTIONS = 128
SHRINK = 0.01
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

    def without(self, segment_ids: Sequence[str]) -> "Background":
        """Without the sounds that are taught."""
        keep = [position for position, id in enumerate(self.ids) if id not in set(segment_ids)]
        return Background(
            self.embeddings[keep],
            tuple(self.labels[position] for position in keep),
            self.hours,
            self.households,
            tuple(self.ids[position] for position in keep),
        )

    @cached_property
    def space(self) -> Space:
        """Whitened by this house, and by others as long as it is hardly known."""
        others, count = self.households, len(self.embeddings)
        weight = count / (count + OTHERS_WEIGH)
        mean, covariance = others.mean.astype(np.float64), others.covariance.astype(np.float64)
        if count > 1:
            own = self.embeddings.astype(np.float64)
            mean = weight * own.mean(axis=0) + (1 - weight) * mean
            covariance = weight * np.cov(own.T) + (1 - weight) * covariance
        n = len(mean)
        shrunk = (1 - SHRINK) * covariance + SHRINK * np.trace(covariance) / n * np.eye(n)
        values, vectors = np.linalg.eigh(shrunk)
        order = np.argsort(-values)[:DIRECTIONS]
        basis = vectors[:, order] / np.sqrt(values[order])
        return Space(np.asarray(mean, np.float32), np.asarray(basis, np.float32))

    @cached_property
    def heard(self) -> tuple[Floats, float]:
        """In that space, and the hours they stand for: of this house, or also of others."""
        own = self.space.of(self.embeddings)
        if self.hours >= LEAST_HOURS:
            return own, self.hours
        others = self.space.of(self.households.sounds)
        return np.concatenate([own, others]), self.hours + len(others) / OTHERS_A_DAY * 24

    def likest(self, prototype: Floats, bar: float, most: int = 3) -> list[str]:
        """What the sounds that come nearest to the bar were taken for."""
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
    return Background(own, labels, hours, households, tuple(id for id, _, _, _ in found))


def _kept(rows: sqlite3.Connection) -> list[tuple[str, int, str | None, bytes]]:
    try:
        return rows.execute(
            "SELECT segment_id, told_at, label, embedding FROM background ORDER BY told_at"
        ).fetchall()
    except sqlite3.OperationalError:  # a history from before sounds were taught
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
