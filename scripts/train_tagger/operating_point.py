"""Onset thresholds for a stated rate of false events on hours of household background.

Chosen on all held-out backgrounds for what ships. To say what such a choice is worth, it is also made on one
half of the held-out groups and judged on the other, both ways, and the counts are added up.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scripts.train_tagger.background import Background, together
from scripts.train_tagger.targets import CRITICAL, INDEX, LABELS
from scripts.train_tagger.worth import Worth, alone, logit, raised

FALSE_EVENTS_PER_HOUR = 0.1
"""For all critical labels together, and for every other label by itself."""
CRITICAL_SHARE = 0.5
"""So much of their allowance is used up: what is chosen on some hours does worse on others."""
LOWEST, HIGHEST = 0.15, 0.95
"""Onsets stay inside: below, a score says no; above, hardly a true sound would be heard."""
LOWEST_CRITICAL = 0.5
"""A critical sound is said only where it is likelier than not, however quiet the backgrounds were: they have
no sirens in the street, which have much of a fire alarm."""
STEP = 0.01

Onsets = dict[str, float]


def choose_onsets(
    background: Background, worth: Worth | None = None, least: Mapping[str, float] | None = None
) -> Onsets:
    """The lowest threshold of each label that keeps to the stated rate of false events, and no lower than
    `least`; with what thresholds are worth in scenes, the one from there up that is worth most."""
    lowest = {
        label: lowest_onset(background, label, int(FALSE_EVENTS_PER_HOUR * background.hours[label]))
        for label in LABELS
    }
    lowest |= _critical_onsets(background, worth or alone)
    lowest |= {label: max(lowest[label], onset) for label, onset in (least or {}).items()}
    return raised(lowest, worth, HIGHEST) if worth else lowest


def _critical_onsets(background: Background, worth: Worth) -> Onsets:
    """No false event of any, then one more where it is worth most, as long as the rate allows."""
    critical = [label for label, grave in zip(LABELS, CRITICAL, strict=True) if grave]
    spent = dict.fromkeys(critical, 0)
    onsets = {label: lowest_onset(background, label, 0) for label in critical}
    hours = min(background.hours[label] for label in critical)
    for _ in range(int(CRITICAL_SHARE * FALSE_EVENTS_PER_HOUR * hours)):
        lower = {label: lowest_onset(background, label, spent[label] + 1) for label in critical}
        gained = max(critical, key=lambda label: worth(label, lower[label]) - worth(label, onsets[label]))
        spent[gained] += 1
        onsets[gained] = lower[gained]
    return onsets


def lowest_onset(background: Background, label: str, allowed: int) -> float:
    """By bisection; `HIGHEST` when even that lets more than `allowed` events through."""
    lowest = LOWEST_CRITICAL if CRITICAL[INDEX[label]] else LOWEST
    low, high = round(lowest / STEP), round(HIGHEST / STEP)
    while low < high:
        middle = (low + high) // 2
        if background.false_events(label, middle * STEP) <= allowed:
            high = middle
        else:
            low = middle + 1
    return round(low * STEP, 2)


def second_look(onsets: Onsets) -> dict[str, Sequence[float]]:
    """Where a second opinion is worth its price: 1.5 logits to either side of the onset."""

    def moved(onset: float, logits: float) -> float:
        return round(float(1 / (1 + np.exp(-(logit(onset) + logits)))), 3)

    return {label: (moved(onset, -1.5), moved(onset, 1.5)) for label, onset in onsets.items()}


def operating_point(
    parts: tuple[Background, Background],
    onsets: Onsets,
    worth: Worth | None = None,
    kept: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """False events at the onsets, and at each half's own onsets on the other half; `kept` ones are the same
    in both."""
    crossed = [choose_onsets(part, worth) | dict(kept or {}) for part in parts]
    counts = [events_at(parts[1], crossed[0]), events_at(parts[0], crossed[1])]
    background = together(parts)
    return {
        "hours": {label: round(hours, 2) for label, hours in background.hours.items()},
        "false_events": events_at(background, onsets),
        "crossed": {
            "onsets": crossed,
            "false_events": {label: counts[0][label] + counts[1][label] for label in LABELS},
        },
    }


def events_at(background: Background, onsets: Mapping[str, float]) -> dict[str, int]:
    """How many false events of each label begin."""
    return {label: background.false_events(label, onset) for label, onset in onsets.items()}
