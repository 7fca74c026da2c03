"""What a threshold is worth in continuous scenes of sources that taught the model nothing.

Hours of household say how seldom a label is wrong where nothing happens. Scenes say what is lost for it: how
many of its sounds are heard, in rooms, over noise, through a telephone line, and how often it is said of
another sound. One false event more has to buy something.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from monitor.events.settings import LabelSettings, Thresholds
from scripts.scenes.equal_rates import LabelOutcome, of_label, outcome
from scripts.scenes.hearing import Hearing
from scripts.scenes.kinds import ALERTS
from scripts.train_tagger.background import SOURCE
from scripts.train_tagger.targets import CRITICAL, HITS, INDEX

PRICE, CRITICAL_PRICE = 0.1, 0.5
"""So much more of a label's sounds must be heard for one more false event of it in an hour of scenes; the
latter of a critical label, whose event wakes a house."""
CAUTION, BLIND_CAUTION = 0.02, 0.05
"""What raising an onset by one logit costs besides what is counted; the latter of labels of which too few
sounds were placed to say what is lost. Critical ones of those are not raised at all: scenes that lack a fire
alarm must not make a house deaf to it."""
ENOUGH = 8
"""Placed sounds of a label."""
LOGITS = tuple(np.arange(-2, 3.01, 0.25).tolist())
Worth = Callable[[str, float], float]


def alone(_: str, onset: float) -> float:
    """Without scenes: the lower an onset, the more is heard."""
    return -logit(onset)


def in_scenes(hearings: Sequence[Hearing]) -> Worth:
    """What a label's onset is worth in these: recall, less the price of its false events. When speech or rain
    lies under them is not written down: of such labels a low onset is all the worth."""
    placed = [one.label for hearing in hearings for one in hearing.placed]
    own: dict[str, list[Hearing]] = {}
    kept: dict[tuple[str, float], float] = {}

    def worth(label: str, onset: float) -> float:
        if (label, onset) not in kept:
            own.setdefault(label, of_label(hearings, label))
            kept[label, onset] = _worth(own[label], label, onset, placed.count(label) >= ENOUGH)
        return kept[label, onset]

    return worth


def _worth(hearings: Sequence[Hearing], label: str, onset: float, seen: bool) -> float:
    critical = bool(CRITICAL[INDEX[label]])
    if label not in ALERTS or (critical and not seen):
        return BLIND_CAUTION * alone(label, onset)
    found = outcome_at(hearings, label, onset)
    bought = found.recall if seen else 0.0
    price, caution = CRITICAL_PRICE if critical else PRICE, CAUTION if seen else BLIND_CAUTION
    return bought - price * found.false_an_hour - caution * logit(onset)


def outcome_at(hearings: Sequence[Hearing], label: str, onset: float) -> LabelOutcome:
    """What comes of the label's sounds at this onset."""
    return outcome(
        hearings,
        label,
        Thresholds({label: LabelSettings(onset=onset, hits=HITS.get(label))}).of(SOURCE),
        onset,
    )


def raised(onsets: Mapping[str, float], worth: Worth, highest: float) -> dict[str, float]:
    """For every label the onset that is worth most, from the given one up; of equals the lowest."""
    steps = [round(float(1 / (1 + np.exp(-each))), 2) for each in LOGITS]
    return {
        label: max(
            [lowest, *(step for step in steps if lowest < step <= highest)],
            key=lambda onset: worth(label, onset),
        )
        for label, lowest in onsets.items()
    }


def logit(probability: float) -> float:
    """Log odds."""
    return float(np.log(probability / (1 - probability)))
