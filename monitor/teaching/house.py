"""What this house has taught so far, read from what it keeps: scores, events and verdicts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from monitor.clock import to_us
from monitor.config.capabilities import in_force, thresholds, unloaded
from monitor.config.model import Config
from monitor.events.defaults import Hysteresis
from monitor.history import events as index
from monitor.history.events import EventFilter
from monitor.history.judging import judged, missed_at, unpack_trace
from monitor.history.reader import History
from monitor.history.verdicts import Judged, Missed, Verdicts, VerdictWord
from monitor.teaching.evidence import Look, evidence, logit
from monitor.teaching.fit import Example, Fit, Prior
from monitor.teaching.forecast import JudgedSound
from monitor.teaching.questions import VerdictQuestion, occurrences
from monitor.teaching.stream import LabelledSound, near_looks, sounds
from monitor.teaching.suggestion import PER_SOURCE_VERDICTS, Taught, fitted, never

_SAME_S = 2.0
"""A judged event and the sound that is found again may begin so far apart: ticks fell otherwise."""
_MOST_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class _Known:
    """A sound that somebody judged, and where its evidence lies."""

    judged: Judged
    x: float
    right: bool


class HouseReading:
    """One reading of a house; `now` is the end of its last days. Methods raise StoreError."""

    def __init__(self, config: Config, history: History, verdicts: Verdicts, now: datetime) -> None:
        self._config = config
        self._history = history
        self._verdicts = verdicts
        self._now = now
        self.folder = config.state_folder()
        first, second = unloaded(config)
        self._dating = frozenset(one.name for one in first if one.dates)
        self._verifiers = frozenset(one.name for one, _ in second)
        self._written = thresholds(config, first)
        every = in_force(config, history.settings(now))
        self.needs = {
            source: {label: row for label, row in rows.items() if never(label) is None}
            for source, rows in every.items()
        }
        """What each teachable sound needs at each source, sensitivity included."""

    @property
    def labels(self) -> list[str]:
        """The sounds whose verdicts may lead to a suggestion."""
        return list(dict.fromkeys(label for rows in self.needs.values() for label in rows))

    @cached_property
    def days(self) -> float:
        """How many days the history covers."""
        with self._history.rows() as rows:
            [(first_us,)] = rows.execute("SELECT min(told_at) FROM look")
        return 0.0 if first_us is None else max(0.0, (to_us(self._now) - first_us) / 86_400e6)

    @cached_property
    def heard(self) -> dict[tuple[str, str], list[LabelledSound]]:
        """By source and label every sound of these days that was an event, or nearly."""
        since = self._now - timedelta(days=self._config.history_days)
        with self._history.rows() as rows:
            near = near_looks(rows, self.needs, since, self._now, self._dating, self._verifiers)
        return {
            (source, label): sounds(detections, self.needs[source][label])
            for (source, label), detections in near.items()
        }

    @cached_property
    def known(self) -> list[_Known]:
        """Everything that was judged right or wrong and whose evidence is known."""
        found = []
        for one, word in self._verdicts.all():
            row = self.needs.get(one.source, {}).get(one.heard)
            if row is not None and (x := self._evidence(one, row)) is not None:
                found.append(_Known(one, x, word == "right"))
        return found

    def taught(self, label: str, source: str | None = None) -> Taught:
        """All that is known of a label at a source, or at all sources that share its onset."""
        places = [source] if source is not None else self._sharing(label)
        known = [one for one in self.known if one.judged.heard == label and one.judged.source in places]
        heard = [
            JudgedSound(sound, _word(sound, known))
            for place in places
            for sound in self.heard.get((place, label), ())
        ]
        return Taught(
            label=label,
            source=source,
            onset=self._onset(label, source),
            heard=heard,
            judged=[Example(one.x, one.right) for one in known],
            missed=[x for x in map(self._missed_evidence, self._missed(label, places)) if x is not None],
            days=self.days,
        )

    def everything_taught(self) -> Iterator[Taught]:
        """Every label that anybody judged, or missed; of a source with enough verdicts apart."""
        verdicts = Counter((one.judged.heard, one.judged.source) for one in self.known)
        named = [*(label for label, _ in verdicts), *(one.label for one in self._verdicts.missed())]
        for label in dict.fromkeys(label for label in named if label in self.labels):
            own = [place for place in self.needs if verdicts[label, place] >= PER_SOURCE_VERDICTS]
            yield from (self.taught(label, place) for place in own)
            if len(own) < len(self._sharing(label)):
                yield self.taught(label)

    def fits(self, prior: Prior) -> dict[str, Fit]:
        """How likely each label is right, over all sources."""
        return {label: fitted(self.taught(label), prior) for label in self.labels}

    def verdict_counts(self) -> Counter[str]:
        """Judged sounds by label."""
        return Counter(one.judged.heard for one in self.known)

    def questions(self, label: str | None = None) -> list[VerdictQuestion]:
        """The events of the last days that nobody has judged or been asked about, the oldest first; one of
        those that overlap."""
        since = self._now - timedelta(days=self._config.history_days)
        wanted = EventFilter(since=since, labels=[label] if label else self.labels)
        with self._history.rows() as rows:
            found = index.events(rows, wanted, limit=_MOST_EVENTS, newest_first=False)
        done = self._verdicts.of([one.id for one in found]).keys() | self._verdicts.asked().keys()
        return [
            VerdictQuestion(first.id, sound, any(one.severity is not None for one in same))
            for same in occurrences(found)
            if not any(one.id in done for one in same)
            for first in same[:1]
            for sound in self._sounds_of(first.source, first.label, first.started_at)[:1]
        ]

    def answer(self, event_id: str, word: VerdictWord | None, by: str) -> None:
        """Keep what somebody says of an event; None: only that they were asked. Its scores are kept with it,
        for the history forgets them."""
        self._verdicts.ask(event_id, self._now)
        if word is None:
            return
        with self._history.rows() as rows:
            for event in index.events(rows, EventFilter(ids=(event_id,)), limit=1):
                self._verdicts.judge(judged(rows, event), word, None, self._now, by)

    def missed_at(self, label: str, source: str, at: datetime) -> Missed:
        """A sound that was there at that time, with the looks that came nearest to it."""
        with self._history.rows() as rows:
            return missed_at(rows, label, source, at)

    def _missed(self, label: str, places: Sequence[str]) -> list[Missed]:
        return [one for one in self._verdicts.missed() if one.label == label and one.source in places]

    def _missed_evidence(self, one: Missed) -> float | None:
        row = self.needs[one.source][one.label]
        if one.trace is None:
            return None
        return logit(self._traced(one.trace, row)) - logit(row.onset)

    def _evidence(self, one: Judged, row: Hysteresis) -> float | None:
        """Of a judged event, in logits above the onset in force; None where it cannot be known any more."""
        if one.trace is not None:
            return logit(self._traced(one.trace, row)) - logit(row.onset)
        if found := self._sounds_of(one.source, one.heard, one.started_at):
            return found[0].x
        is_score = row.hits == 1 and one.classifier not in self._verifiers
        return logit(one.score) - logit(row.onset) if is_score else None

    def _traced(self, trace: bytes, row: Hysteresis) -> float:
        measured = bool(self._dating)
        looks = [Look(at_s, score, length_s * measured) for at_s, score, length_s in unpack_trace(trace)]
        return evidence(looks, row.hits, row.within_s)

    def _sounds_of(self, source: str, label: str, at: datetime) -> list[LabelledSound]:
        around = timedelta(seconds=_SAME_S)
        return [
            one
            for one in self.heard.get((source, label), ())
            if one.overlaps(source, at - around, at + around)
        ]

    def _sharing(self, label: str) -> list[str]:
        """The sources that hear it and have no onset of their own for it."""
        own = {one.name for one in self._config.sources if "onset" in one.labels.get(label, {})}
        return [source for source, rows in self.needs.items() if label in rows and source not in own]

    def _onset(self, label: str, source: str | None) -> float:
        """As written: without sensitivities."""
        place = source if source is not None else next(iter(self._sharing(label)), "")
        return self._written.of(place)[label].onset


def _word(sound: LabelledSound, known: Sequence[_Known]) -> bool | None:
    """What somebody said of a sound."""
    around = timedelta(seconds=_SAME_S)
    for one in known:
        at = one.judged.started_at
        if sound.overlaps(one.judged.source, at - around, at + around):
            return one.right
    return None
