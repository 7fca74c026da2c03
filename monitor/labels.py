"""The vocabulary: every sound that has a name here, read from labels.csv."""

import csv
import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Kind = Literal["environment", "vocal", "emotion"]
Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")

DANGERS = {"smoke_alarm": "fire", "fire_alarm": "fire", "co_alarm": "carbon monoxide"}
"""What a life-safety label warns of: its alerts, cool-down and acknowledgement go by danger and room."""
LIFE_SAFETY = frozenset(DANGERS)
"""Never delayed, never vetoed, never muted, never shed."""
VOICED = frozenset({"speech", "shout", "scream", "crying"})
"""The labels whose events may carry an emotion."""


@dataclass(frozen=True, slots=True)
class Label:
    """One row of labels.csv."""

    id: str
    kind: Kind
    audioset_names: tuple[str, ...]
    device_class: str | None
    severity_default: Severity
    note: str


@cache
def vocabulary() -> dict[str, Label]:
    """Every label by id, in the order of the file."""
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


@cache
def sounds() -> tuple[str, ...]:
    """The ids that can be events of their own: environment and vocal sounds."""
    return tuple(label.id for label in vocabulary().values() if label.kind != "emotion")


@cache
def emotions() -> tuple[str, ...]:
    """The ids of the emotions of speech."""
    return tuple(label.id for label in vocabulary().values() if label.kind == "emotion")


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
        hint = "; an emotion goes under `emotion:`" if word in emotions() else did_you_mean(word, sounds())
        raise ValueError(f"unknown label {word!r}{hint}")
    return word


def check_emotion(word: str) -> str:
    """`word` if it names an emotion; ValueError with a suggestion otherwise."""
    if word not in emotions():
        raise ValueError(f"unknown emotion {word!r}{did_you_mean(word, emotions())}")
    return word
