"""Thresholds chosen again for a model that is there: the scores stay, what is made of them changes."""

import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.scenes.equal_rates import of_label
from scripts.scenes.hearing import Hearing
from scripts.scenes.kinds import ALERTS, CRITICAL
from scripts.train_tagger.background import HOURS, Background, Listening, halves, listen, together
from scripts.train_tagger.operating_point import choose_onsets, operating_point, second_look
from scripts.train_tagger.recordings import Recording
from scripts.train_tagger.targets import HITS, LABELS
from scripts.train_tagger.training import Places
from scripts.train_tagger.worth import in_scenes, outcome_at

CHOICES = {"raised", "by_scenes"}
"""What the JSON says of how its onsets came to be."""
Backgrounds = tuple[Background, Background]
NO_HOURS: Backgrounds = (Background({}, dict.fromkeys(LABELS, 0.0)),) * 2
"""Enough for raising by scenes alone: a raised onset begins no more events in the hours that chose it."""


def choose_again(
    places: Places,
    recordings: Sequence[Recording],
    model: Path,
    hours: float,
    traces: Sequence[Path],
    only_raise: bool,
    others: Sequence[Path] = (),
    keep: Sequence[str] = (),
) -> None:
    """Write into the model's JSON what hours of background, and scenes if there are any, say. On the `others`
    the onsets before and now are judged: scenes that have no part in the choice."""
    held_out = [r for r in recordings if r.split == "valid"]
    listening = Listening(model, places.cache, places.data)
    backgrounds = listen(listening, halves(held_out), hours, places.run / HOURS) if hours else NO_HOURS
    file, hearings = model.with_suffix(".json"), read_traces(traces)
    about = json.loads(file.read_text())
    before = about["onsets"]
    kept = {label: before[label] for label in keep}
    choice = (
        raised(together(backgrounds), hearings, before) if only_raise else chosen(backgrounds, hearings, kept)
    )
    judged = [_judged(read_traces([trace]), before, choice["onsets"]) for trace in others]
    about = replaced(about, choice, judged)
    file.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def replaced(about: dict[str, Any], choice: dict[str, Any], judged: Sequence[Any]) -> dict[str, Any]:
    """What is known of a model, with a new choice and what other scenes say of it, and without an earlier
    one; what is raised stays a choice by scenes."""
    gone = {"raised"} if "raised" in choice else CHOICES
    kept = {key: value for key, value in about.items() if key not in gone}
    own = {key: choice[key] | {"judged": list(judged)} for key in choice.keys() & CHOICES}
    return kept | choice | own


def chosen(
    backgrounds: Backgrounds, hearings: Sequence[Hearing], kept: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Onsets, where a second opinion is worth its price, and what the onsets are worth. `kept` ones stay."""
    worth = in_scenes(hearings) if hearings else None
    onsets = choose_onsets(together(backgrounds), worth) | dict(kept or {})
    about = {
        "onsets": onsets,
        "hits": HITS,
        "second_look": second_look(onsets),
        "operating_point": operating_point(backgrounds, onsets, worth, kept),
    }
    by_scenes = {"scenes_hours": _hours(hearings), "kept": sorted(kept or {})}
    return about | ({"by_scenes": by_scenes} if hearings else {})


def raised(
    background: Background, hearings: Sequence[Hearing], before: Mapping[str, float]
) -> dict[str, Any]:
    """Onsets not below those that are there, which more hours chose, of labels that scenes judge, and what
    came of it. What is known of those hours stays: a raised onset begins no more events in them. Critical
    labels, whose rate those hours assure, keep theirs: each of their sounds counts."""
    higher = choose_onsets(background, in_scenes(hearings) if hearings else None, before)
    onsets = dict(before) | {
        label: higher[label] for label in before if label in ALERTS and label not in CRITICAL
    }
    labels = {
        label: {
            "background_hours": round(background.hours[label], 2),
            "before": _at(before[label], label, background, hearings),
            "now": _at(onsets[label], label, background, hearings),
        }
        for label in LABELS
        if onsets[label] > before[label]
    }
    return {
        "onsets": onsets,
        "second_look": second_look(onsets),
        "raised": {"scenes_hours": _hours(hearings), "labels": labels},
    }


def _at(onset: float, label: str, background: Background, hearings: Sequence[Hearing]) -> dict[str, float]:
    row: dict[str, float] = {"onset": onset, "false_events": background.false_events(label, onset)}
    if hearings:
        found = outcome_at(hearings, label, onset)
        row["scenes_false_an_hour"] = round(found.false_an_hour, 2)
        if any(one.label == label for hearing in hearings for one in hearing.placed):
            row["scenes_recall"] = round(found.recall, 2)
    return row


def totals(hearings: Sequence[Hearing], onsets: Mapping[str, float]) -> dict[str, float]:
    """Of scenes: hours, placed sounds, mean over the labels of their recall, and false events of alert labels
    an hour, all of them and critical ones."""
    found = {
        label: outcome_at(of_label(hearings, label), label, onsets[label])
        for label in ALERTS
        if label in onsets
    }
    placed = [one.label for hearing in hearings for one in hearing.placed]
    recalls = [found[label].recall for label in sorted({*placed} & found.keys())]
    return {
        "hours": _hours(hearings),
        "sounds": len(placed),
        "macro_recall": round(sum(recalls) / max(1, len(recalls)), 3),
        "false_an_hour": round(sum(one.false_an_hour for one in found.values()), 2),
        "critical_false_an_hour": round(
            sum(found[label].false_an_hour for label in CRITICAL if label in found), 2
        ),
    }


def _judged(
    hearings: Sequence[Hearing], before: Mapping[str, float], now: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    return {"before": totals(hearings, before), "now": totals(hearings, now)}


def _hours(hearings: Sequence[Hearing]) -> float:
    return round(sum(hearing.duration_s for hearing in hearings) / 3600, 2)


def read_traces(files: Sequence[Path]) -> list[Hearing]:
    """What `scripts/bench scenes --traces` wrote."""
    return [hearing for file in files for hearing in pickle.loads(file.read_bytes())]
