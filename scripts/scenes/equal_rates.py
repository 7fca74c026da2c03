"""Recall at equal false events: what the scores are worth, whatever thresholds a model ships; and what the
thresholds that it ships are worth at each sensitivity. Pure.

Every label's onset is moved over a grid and its looks are decided anew by the tracker. For a budget of false
events an hour the onsets are taken that hear most. They are chosen on the scenes they are judged on: the
figures flatter every model alike, and say which of two is better, not how a home will be heard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from monitor.clock import BEGINNING
from monitor.events.defaults import Hysteresis
from monitor.events.tracker import Tracker
from monitor.recordings.analysis import SOURCE
from monitor.types import Detection
from scripts.scenes.hearing import Hearing, Trace
from scripts.scenes.kinds import ALERTS
from scripts.scenes.scoring import score, score_scene

BUDGETS_AN_HOUR = (1.0, 2.0, 4.0, 8.0, 16.0)
ONSETS = tuple(float(1 / (1 + np.exp(-logit))) for logit in np.arange(-4, 5.01, 0.25))
SENSITIVITIES = (1.0, 0.5, 0.25, 0.0, -0.25, -0.5, -1.0)
PRICES = tuple(float(price) for price in np.geomspace(0.002, 2, 40))
"""Recall that one false event an hour costs: each price gives one choice of onsets."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LabelOutcome:
    """One label at one onset."""

    recall: float
    """0 of a label that was not placed."""
    false_an_hour: float


def at_equal_rates(hearings: Sequence[Hearing], rows: Mapping[str, Hysteresis]) -> list[Row]:
    """Macro recall over the placed labels, for each budget of false events of these labels."""
    labels = sorted({one.label for hearing in hearings for one in hearing.placed})
    outcomes = {}
    for label in labels:
        own = of_label(hearings, label)
        outcomes[label] = [outcome(own, label, rows, onset) for onset in ONSETS]
    return [
        {"false_an_hour": f"at most {budget:g}", "macro_recall": round(best(outcomes, budget), 3)}
        for budget in BUDGETS_AN_HOUR
    ]


def by_sensitivity(hearings: Sequence[Hearing], rows: Mapping[str, Hysteresis]) -> list[Row]:
    """What the source's `sensitivity` trades: macro recall over the placed labels, and false events an hour
    of all alert labels, at the thresholds there are."""
    own = [replace(each, trace=Trace([], _of_alerts(each.trace))) for each in hearings]
    table = []
    for value in SENSITIVITIES:
        found = score([(each, _begun(each, rows, value)) for each in own], ALERTS)
        row: Row = {"sensitivity": value, "false_an_hour": round(found.false_an_hour(ALERTS), 1)}
        table.append(row | ({"macro_recall": round(found.macro_recall, 3)} if found.sounds else {}))
    return table


def _of_alerts(trace: Trace) -> list[tuple[float, list[Detection]]]:
    steps = ((at_s, [one for one in found if one.label in ALERTS]) for at_s, found in trace.steps)
    return [(at_s, found) for at_s, found in steps if found]


def best(outcomes: Mapping[str, Sequence[LabelOutcome]], budget: float) -> float:
    """The highest macro recall whose false events stay within the budget; 0 where no choice does."""
    found = [0.0]
    for price in PRICES:
        chosen = [
            max(reversed(each), key=lambda one: one.recall - price * one.false_an_hour)
            for each in outcomes.values()
        ]
        if chosen and sum(one.false_an_hour for one in chosen) <= budget:
            found.append(sum(one.recall for one in chosen) / len(chosen))
    return max(found)


def of_label(hearings: Sequence[Hearing], label: str) -> list[Hearing]:
    """The same with this label's detections alone: to decide again with them is quick."""
    return [replace(hearing, trace=Trace([], _steps(hearing.trace, label))) for hearing in hearings]


def _steps(trace: Trace, label: str) -> list[tuple[float, list[Detection]]]:
    steps = ((at_s, [one for one in found if one.label == label]) for at_s, found in trace.steps)
    return [(at_s, found) for at_s, found in steps if found]


def outcome(
    hearings: Sequence[Hearing], label: str, rows: Mapping[str, Hysteresis], onset: float
) -> LabelOutcome:
    """What comes of the label's sounds in the scenes when its onset is moved there."""
    row = replace(rows[label], onset=onset, off=min(onset, rows[label].off))
    heard = placed = false = 0
    for hearing in hearings:
        sounds, wrong = score_scene(hearing, _events(hearing, label, dict(rows) | {label: row}), {label})
        own = [one for one in sounds if one.placed.label == label]
        heard, placed, false = heard + sum(one.hit for one in own), placed + len(own), false + len(wrong)
    hours = sum(hearing.duration_s for hearing in hearings) / 3600
    return LabelOutcome(heard / max(1, placed), false / hours)


def _events(hearing: Hearing, label: str, rows: Mapping[str, Hysteresis]) -> list[Row]:
    """Of one label, as `analyze` prints them."""
    steps = [
        (at_s, [one for one in found if _counts(one, label, rows[label])])
        for at_s, found in hearing.trace.steps
    ]
    return _begun(replace(hearing, trace=Trace([], [step for step in steps if step[1]])), rows)


def _begun(hearing: Hearing, rows: Mapping[str, Hysteresis], sensitivity: float = 0.0) -> list[Row]:
    """The events that begin, as `analyze` prints them."""
    tracker, begun = Tracker(lambda _: rows), list[Row]()
    tracker.set_sensitivity(SOURCE, sensitivity)
    for at_s, detections in hearing.trace.steps:
        now = BEGINNING + timedelta(seconds=at_s)
        tracker.update((), now)  # what is over ends before the next sound is heard
        begun += [
            {
                "type": "event",
                "label": event.label,
                "start_s": (event.started_at - BEGINNING).total_seconds(),
                "decided_s": at_s,
            }
            for event in tracker.update(detections, now)
            if event.state == "started"
        ]
    return begun


def _counts(one: Detection, label: str, row: Hysteresis) -> bool:
    return one.label == label and one.source == SOURCE and (one.certainty is not None or one.score >= row.off)
