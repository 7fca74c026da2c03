"""Which sounds are worth a question: few, and those whose answer teaches most. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.history.events import EventRow
from monitor.teaching.fit import Fit
from monitor.teaching.stream import LabelledSound

MOST_A_DAY = 3
"""More is a chore, and whoever is asked too often answers at random."""
_ALERTED = 2.0
"""What was an alert has troubled somebody: it is asked about first."""


@dataclass(frozen=True, slots=True)
class VerdictQuestion:
    """An event that nobody has judged."""

    event_id: str
    sound: LabelledSound
    alerted: bool = False


def occurrences(events: Iterable[EventRow]) -> list[list[EventRow]]:
    """Events by what they are about: those of a label at a source that overlap are one sound, which two runs
    over one recording heard. `events`: the oldest first."""
    found: list[list[EventRow]] = []
    latest: dict[tuple[str, str], tuple[list[EventRow], datetime]] = {}
    for event in events:
        place, ends_at = (event.source, event.label), event.ended_at or event.started_at
        same, until = latest.get(place, ([], event.started_at))
        if event.started_at >= until:
            found.append(same := [])
        same.append(event)
        latest[place] = same, max(until, ends_at)
    return found


def worth(question: VerdictQuestion, fit: Fit, verdicts: int) -> float:
    """How much its answer teaches: most where right and wrong are as likely, and of a label with few
    verdicts."""
    right = float(fit.right([question.sound.x])[0])
    return (_ALERTED if question.alerted else 1.0) * 4 * right * (1 - right) / (1 + verdicts)


def chosen(
    questions: Sequence[VerdictQuestion], fits: Mapping[str, Fit], verdicts: Mapping[str, int], limit: int
) -> list[VerdictQuestion]:
    """The most informative, best first; of a label each further one counts as if the former were answered."""
    left = list(questions)
    events = Counter(one.sound.label for one in questions)
    taken: list[VerdictQuestion] = []
    counts = dict(verdicts)
    while left and len(taken) < limit:
        best = max(left, key=lambda one: _worth(one, fits, counts, events))
        left.remove(best)
        taken.append(best)
        counts[best.sound.label] = counts.get(best.sound.label, 0) + 1
    return taken


def _worth(
    one: VerdictQuestion, fits: Mapping[str, Fit], counts: Mapping[str, int], events: Mapping[str, int]
) -> float:
    """What is heard often is asked about sooner: there are its false events, too."""
    label = one.sound.label
    return worth(one, fits[label], counts.get(label, 0)) * math.sqrt(events[label])


def left_today(asked: Mapping[str, datetime], now: datetime) -> int:
    """How many more may be asked: three in any 24 hours, so that midnight brings no second three."""
    recent = sum(now - timedelta(days=1) < at <= now for at in asked.values())
    return max(0, MOST_A_DAY - recent)
