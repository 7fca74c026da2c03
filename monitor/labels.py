"""The vocabulary: every sound that has a name here, from labels.csv, and those that this house has taught.

Which sounds are taught belongs to a house, and a process serves one: whoever reads a configuration names them
(`name_taught`) before anything is checked against the vocabulary.
"""

import csv
import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from monitor.language.words import LANGUAGES, label_words

LabelKind = Literal["environment", "vocal", "emotion", "taught"]
Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")

DANGERS = {"smoke_alarm": "fire", "fire_alarm": "fire", "co_alarm": "carbon monoxide"}
"""What a life-safety label warns of: its alerts, cool-down and acknowledgement go by danger and room."""
LIFE_SAFETY = frozenset(DANGERS)
"""Never delayed, never vetoed, never muted, never shed."""
_TELLING = 4
"""So many letters of a name tell which one it is: two or three stand in many."""
VOICED = frozenset({"speech", "shout", "scream", "crying"})
"""The labels whose events may carry an emotion."""


@dataclass(frozen=True, slots=True)
class Label:
    """One row of labels.csv."""

    id: str
    kind: LabelKind
    audioset_names: tuple[str, ...]
    device_class: str | None
    severity_default: Severity
    note: str


def vocabulary() -> dict[str, Label]:
    """Every label by id, in the order of the file, and behind them those that the house has taught."""
    return _house.vocabulary


@cache
def shipped() -> dict[str, Label]:
    """The labels of the file alone, by id, in its order."""
    lines = files("monitor").joinpath("labels.csv").read_text(encoding="utf-8").splitlines()
    return {row["id"]: _label(row) for row in csv.DictReader(lines)}


def _label(row: dict[str, str]) -> Label:
    return Label(
        id=row["id"],
        kind=row["kind"],  # type: ignore[arg-type]
        audioset_names=tuple(name.strip() for name in row["audioset_names"].split(";") if name.strip()),
        device_class=row["home_assistant_device_class"] or None,
        severity_default=row["severity_default"],  # type: ignore[arg-type]
        note=row["note"],
    )


class _Vocabulary:
    """The vocabulary of this process; exchanged as a whole, for many threads read it."""

    def __init__(self, taught: Iterable[str] = ()) -> None:
        self.taught = tuple(sorted(taught))
        own = {id: Label(id, "taught", (), "sound", "info", "taught by this house") for id in self.taught}
        self.vocabulary = shipped() | own
        self.sounds = tuple(row.id for row in self.vocabulary.values() if row.kind != "emotion")


def name_taught(labels: Iterable[str]) -> None:
    """From now on these are the sounds that the house has taught; no others are."""
    global _house
    wanted = tuple(sorted(labels))
    if wanted != _house.taught:
        _house = _Vocabulary(wanted)


def taught() -> tuple[str, ...]:
    """The ids of the sounds that the house has taught."""
    return _house.taught


def sounds() -> tuple[str, ...]:
    """The ids that can be events of their own: environment and vocal sounds, and those taught."""
    return _house.sounds


@cache
def emotions() -> tuple[str, ...]:
    """The ids of the emotions of speech."""
    return tuple(label.id for label in shipped().values() if label.kind == "emotion")


def label_name(label: str) -> str:
    """A label as a person writes it at the beginning of a line.

    >>> label_name("co_alarm")
    'CO alarm'
    """
    words = label.replace("_", " ")
    return "CO" + words[2:] if words.startswith("co ") else words[:1].upper() + words[1:]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the nearest of `known`, or nothing when none is near."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def check_sound(word: str) -> str:
    """`word` if it names a sound; ValueError with a suggestion otherwise."""
    if word not in sounds():
        hint = "; an emotion goes under `emotion:`" if word in emotions() else sound_meant(word)
        raise ValueError(f"unknown label {word!r}{hint}")
    return word


def sound_meant(word: str) -> str:
    """`; did you mean 'dog_bark'?` for dog, Hundebellen or dog_brk; else where all sounds are listed."""
    meant = _by_part(word) or _by_name(word.casefold())
    if not meant:
        return "; docs/reference/labels.md lists all of them"
    return f"; did you mean {'one of ' if len(meant) > 1 else ''}{', '.join(map(repr, meant))}?"


def _by_part(word: str) -> Sequence[str]:
    """The sounds with this word in their ids."""
    return [sound for sound in sounds() if word.lower() in sound.split("_")]


def _by_name(word: str) -> Sequence[str]:
    """The sounds that are called so, in whatever language; else those whose names hold the word, for German
    joins its words; else the one whose name is nearly that."""
    names = {label_words(sound, language).casefold(): sound for language in LANGUAGES for sound in sounds()}
    names |= {sound: sound for sound in sounds()}
    if word in names:
        return [names[word]]
    if len(word) >= _TELLING and (
        holding := [sound for name, sound in names.items() if _has_part(name, word)]
    ):
        return tuple(dict.fromkeys(holding))
    return [names[near] for near in difflib.get_close_matches(word, names, n=1, cutoff=0.6)]


def _has_part(name: str, part: str) -> bool:
    """Whether a word of the name begins or ends with it: thunder has no dog (Hund) in it."""
    return any(word.startswith(part) or word.endswith(part) for word in name.split())


def check_emotion(word: str) -> str:
    """`word` if it names an emotion; ValueError with a suggestion otherwise."""
    if word not in emotions():
        raise ValueError(f"unknown emotion {word!r}{did_you_mean(word, emotions())}")
    return word


MOST_NAME = 32
_NAME = re.compile(rf"[a-z][a-z0-9_]{{1,{MOST_NAME - 1}}}")
_OF_LIFE = frozenset({"smoke", "fire", "co", "carbon", "monoxide", "gas"})
"""Words of alarms that may save a life: nobody must rely on a taught sound for one."""


def check_taught_name(word: str) -> str:
    """`word` if a house may teach a sound of that name; ValueError with the reason otherwise."""
    if not _NAME.fullmatch(word):
        raise ValueError(
            f"{word!r} is no name for a sound: 2 to {MOST_NAME} lower-case letters, digits and _, "
            "beginning with a letter, such as washer_done"
        )
    if word in LIFE_SAFETY:
        raise ValueError(
            f"{word!r} is a sound that may save a life: it is heard without teaching, and nothing that is "
            "taught may change that. If yours is not heard: earwitness drill"
        )
    if word in shipped():
        raise ValueError(f"{word!r} is known already; choose another name, such as our_{word}"[:200])
    parts = word.split("_")
    if _OF_LIFE & {*parts, *(part.rstrip("s") for part in parts)}:
        raise ValueError(
            f"{word!r} reads like an alarm that may save a life. Smoke, fire and CO alarms are heard without "
            "teaching and must not depend on it; choose another name"
        )
    return word


_house = _Vocabulary()
