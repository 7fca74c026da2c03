"""What was heard of what was placed: recall, false events, repeats, latency. Pure.

An event belongs to a placed sound of its label when it starts between 1 s before the sound and 1.5 s after
its end. The first one hears it, further ones are repeats. An event whose label is kin of the sound's neither
hears it nor is false. Every other event of a label that counts is false.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts.scenes.composing import Bed, Placed
from scripts.scenes.kinds import kin

EARLY_S, LATE_S = 1.0, 1.5


class ScorableScene(Protocol):
    """A scene that can be scored: its truth, and rows of events."""

    @property
    def name(self) -> str:
        """Of the scene."""

    @property
    def duration_s(self) -> float:
        """Of the scene."""

    @property
    def placed(self) -> tuple[Placed, ...]:
        """What was placed in it."""

    @property
    def beds(self) -> tuple[Bed, ...]:
        """What lay underneath."""

    @property
    def room(self) -> bool:
        """Whether the sounds were in a room."""

    @property
    def line(self) -> bool:
        """Whether all of it went through a telephone line."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A placed sound and what came of it."""

    scene: str
    number: int
    """Among the scene's sounds, in their order."""
    placed: Placed
    room: bool
    line: bool
    latency_s: float | None
    """From its first sample to the decision; None when it was missed."""
    repeats: int = 0

    @property
    def hit(self) -> bool:
        """Whether it was reported."""
        return self.latency_s is not None


@dataclass(frozen=True, slots=True)
class FalseEvent:
    """An event without its sound, and what was there instead."""

    scene: str
    label: str
    start_s: float
    score: float
    classifier: str
    instead: str
    """Label of the placed sound, or of the bed, that was there."""
    path: str
    """The recording of that sound or bed."""


@dataclass
class Score:
    """Outcomes of any number of scenes."""

    hours: float = 0.0
    sounds: list[Heard] = field(default_factory=list)
    false: list[FalseEvent] = field(default_factory=list)

    def recall(self, sounds: Iterable[Heard] | None = None) -> float:
        """The share that was heard, of these or of all; NaN of none."""
        chosen = list(self.sounds if sounds is None else sounds)
        return sum(one.hit for one in chosen) / len(chosen) if chosen else float("nan")

    @property
    def labels(self) -> list[str]:
        """The labels that were placed."""
        return sorted({one.placed.label for one in self.sounds})

    @property
    def macro_recall(self) -> float:
        """Mean over labels of their recall."""
        each = [self.recall(one for one in self.sounds if one.placed.label == label) for label in self.labels]
        return sum(each) / len(each) if each else float("nan")

    def false_an_hour(self, labels: Collection[str] | None = None) -> float:
        """False events of these labels, or of the placed ones, an hour."""
        wanted = self.labels if labels is None else labels
        return sum(one.label in wanted for one in self.false) / self.hours if self.hours else float("nan")


def score(scenes: Iterable[tuple[ScorableScene, Sequence[dict[str, Any]]]], labels: Collection[str]) -> Score:
    """Score the events of scenes. `labels` are those whose events may be false."""
    total = Score()
    for scene, rows in scenes:
        total.hours += scene.duration_s / 3600
        sounds, false = score_scene(scene, rows, labels)
        total.sounds += sounds
        total.false += false
    return total


def score_scene(
    scene: ScorableScene, rows: Sequence[dict[str, Any]], labels: Collection[str]
) -> tuple[list[Heard], list[FalseEvent]]:
    """One scene: its sounds in their order, and the false events in theirs."""
    latency_s: list[float | None] = [None] * len(scene.placed)
    repeats = [0] * len(scene.placed)
    false: list[FalseEvent] = []
    for row in sorted((row for row in rows if row.get("type") == "event"), key=lambda row: row["start_s"]):
        near = [n for n, one in enumerate(scene.placed) if kin(one.label, row["label"]) and _during(one, row)]
        own = [n for n in near if scene.placed[n].label == row["label"]]
        for n in own:
            if latency_s[n] is None:
                latency_s[n] = max(0.0, row["decided_s"] - scene.placed[n].start_s)
            else:
                repeats[n] += 1
        if not near and row["label"] in labels:
            false.append(_false(scene, row))
    sounds = [
        Heard(scene.name, n, one, scene.room, scene.line, latency_s[n], repeats[n])
        for n, one in enumerate(scene.placed)
    ]
    return sounds, false


def false_alerts(scene: ScorableScene, rows: Sequence[dict[str, Any]]) -> list[FalseEvent]:
    """Warnings and critical alerts of a scene without alert sounds, of whatever rule, by the rule's name."""
    alerts = [row for row in rows if row["type"] == "alert" and row["severity"] != "info"]
    as_events: list[dict[str, Any]] = [
        {"type": "event", "label": row["rule"], "start_s": row["start_s"]} for row in alerts
    ]
    return score_scene(scene, as_events, {row["rule"] for row in alerts})[1]


def _during(placed: Placed, row: dict[str, Any]) -> bool:
    start_s: float = row["start_s"]
    return placed.start_s - EARLY_S <= start_s <= placed.end_s + LATE_S


def _false(scene: ScorableScene, row: dict[str, Any]) -> FalseEvent:
    at_s = row["start_s"]
    sound = next((one for one in scene.placed if _during(one, row)), None)
    bed = next((one for one in reversed(scene.beds) if one.start_s <= at_s <= one.end_s), None)
    there = sound or bed
    return FalseEvent(
        scene.name,
        row["label"],
        at_s,
        row.get("score", 0.0),
        row.get("classifier", ""),
        there.label if there else "noise",
        there.path if there else "",
    )
