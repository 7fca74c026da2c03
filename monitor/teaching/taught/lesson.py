"""A lesson: what was named as hearings of a thing becomes a taught sound, or the reason why not.

The one way in for whoever teaches, on the page or on the command line; each says how far it is, and what was
left out and why.
"""

import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from monitor.audio import Audio
from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.classifiers.taught.sound import TaughtSound
from monitor.config.model import Config
from monitor.errors import StoreError
from monitor.teaching.taught.background import Households, house_background, households_of
from monitor.teaching.taught.hearings import Unfit, from_clip, from_event
from monitor.teaching.taught.learning import Hearing, NotTaught, learn, odd_ones

EVENT_ID = re.compile(r"[0-9a-f]{12}")
NO_MODEL = "sounds are taught on the embedded model; add `classifiers: [{type: embedded}]`"


@dataclass(frozen=True, slots=True)
class Gathered:
    """One of what was named, and whether it teaches."""

    name: str
    position: int
    """From 1."""
    of: int
    left_out: str = ""
    """Why it teaches nothing; empty where it does."""


OnGathered = Callable[[Gathered], object]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What came of it."""

    found: TaughtSound | NotTaught
    hearings: tuple[str, ...]
    """The names of those it was taught from."""
    odd: tuple[str, ...] = ()
    """Of these: unlike the others."""


class Teacher:
    """The model that sounds are taught on; it is loaded when a recording is the first to need it."""

    def __init__(self, config: Config) -> None:
        """Raises StoreError where nothing can be taught, ModelError where the model's file is ill."""
        block = embedded_block(config)
        if block is None:
            raise StoreError(NO_MODEL)
        self._classifier = block.build()
        self._is_loaded = False

    @property
    def households(self) -> Households:
        """What other homes sound like to this model. Raises ModelError."""
        return households_of(self._classifier.file, self._classifier.sidecar.embedding_id)

    def loaded(self) -> EmbeddedClassifier:
        """Raises ModelError."""
        if not self._is_loaded:
            self._classifier.load()
            self._is_loaded = True
        return self._classifier


def embedded_block(config: Config) -> EmbeddedConfig | None:
    """The block of the model that sounds are taught on."""
    return next((one for one in config.classifiers if isinstance(one, EmbeddedConfig)), None)


def gathered(
    names: Sequence[str],
    rows: sqlite3.Connection | None,
    teacher: Teacher,
    read: Callable[[Path], Audio],
    progress: OnGathered,
) -> list[Hearing] | NotTaught:
    """The hearings of recordings (paths) and events (ids). Refused as a whole where one is an alarm that may
    save a life. Raises ModelError, SourceError."""
    hearings: list[Hearing] = []
    for position, name in enumerate(names, start=1):
        found = _one(name, rows, teacher, read)
        unfit = found if isinstance(found, Unfit) else None
        progress(Gathered(name, position, len(names), unfit.reason if unfit else ""))
        if unfit is not None and unfit.alarm:
            return NotTaught(f"{unfit.name}: {unfit.reason}. Nothing is taught.")
        if not isinstance(found, Unfit):
            hearings.append(found)
    return hearings


def _one(
    name: str, rows: sqlite3.Connection | None, teacher: Teacher, read: Callable[[Path], Audio]
) -> Hearing | Unfit:
    if EVENT_ID.fullmatch(name) and not Path(name).exists():
        found = from_event(rows, name) if rows is not None else None
        return found or Unfit(name, "there is no such event in the history")
    path = Path(name).absolute()
    return from_clip(str(path), read(path), teacher.loaded())


def taught_before(config: Config, label: str, model: str) -> list[Hearing]:
    """The hearings of a sound that was taught under this model (its SHA-256); they are kept with it. Empty
    where there is none."""
    return [
        Hearing(f"hearing {number}", np.array(one, np.float32), beeps=beeps)
        for sound in config.taught.sounds
        if sound.label == label and sound.model == model
        for number, (one, beeps) in enumerate(
            zip(sound.hearings, sound.beeps or [None] * len(sound.hearings), strict=True), start=1
        )
    ]


def teach(
    label: str,
    hearings: Sequence[Hearing],
    rows: sqlite3.Connection | None,
    households: Households,
    at: datetime,
    false_a_week: float = 1.0,
) -> Lesson:
    """Learn it, against what the house has heard beside it; nothing is kept yet. The label is a name that may
    be taught."""
    background = house_background(rows, households).without([one.segment_id or "" for one in hearings])
    found = learn(label, hearings, background, at, false_a_week)
    return Lesson(found, tuple(one.name for one in hearings), tuple(odd_ones(hearings, background)))
