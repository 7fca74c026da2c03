"""What one clause remembers: sounds that count, and sounds that may follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.rules.model import SAME_MOMENT_S, Clause
from monitor.rules.trace import ClauseResult
from monitor.types import SoundEvent

COUNTED_EVENTS = 256
"""Event ids remembered per clause, so that an event counts once."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A sound, by the microphones that heard it begin within a second."""

    at: datetime
    events: tuple[SoundEvent, ...]


@dataclass(frozen=True, slots=True)
class Moments:
    """Sounds of one kind in the order of time, and how often each event was counted, until when."""

    times: tuple[Moment, ...] = ()
    counted: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)

    def has(self, event: SoundEvent) -> bool:
        """Whether the event was counted before."""
        return event.id in self.counted

    def plus(self, event: SoundEvent, keep_s: float, *, repeats: bool) -> "Moments":
        """With what the event adds: itself when it is new, its repetitions if `repeats`; older than `keep_s`
        is forgotten."""
        times = self.times
        for at in self._new_times(event, repeats):
            times = _joined(times, at, event)
        # Moments that lie far ahead stem from before the clock was set back.
        possible = [m for m in times if (m.at - event.at).total_seconds() <= keep_s + SAME_MOMENT_S]
        latest = max((moment.at for moment in possible), default=event.at)
        kept = tuple(m for m in possible if (latest - m.at).total_seconds() <= keep_s)
        counted = {**self.counted, event.id: (_times(event), _last_began_at(event))}
        while len(counted) > COUNTED_EVENTS:
            del counted[next(iter(counted))]
        return Moments(kept, counted)

    def without(self, used: tuple[Moment, ...]) -> "Moments":
        """Without moments that have made an alert; their events stay counted."""
        return replace(self, times=tuple(moment for moment in self.times if moment not in used))

    def without_event(self, event: SoundEvent) -> "Moments":
        """Without the moments of an event that has become part of an alert; it stays counted."""
        ids = {event.id}
        times = tuple(m for m in self.times if ids.isdisjoint(other.id for other in m.events))
        return replace(self, times=times)

    def _new_times(self, event: SoundEvent, repeats: bool) -> list[datetime]:
        if event.id not in self.counted:
            # Repetitions of before it met the clauses do not count; the latest one is why it meets them.
            return [_last_began_at(event) if repeats else min(event.started_at, event.at)]
        if not repeats:
            return []
        # One update of an event may bring several repetitions: spread them over the time since the last one.
        times, since = self.counted[event.id]
        more = _times(event) - times
        span_s = (_last_began_at(event) - since).total_seconds()
        return [since + timedelta(seconds=span_s * (i + 1) / more) for i in range(more)]


@dataclass(frozen=True, slots=True)
class ClauseHistory:
    """What `hear` and `then` of one clause have met so far."""

    heard: Moments = Moments()
    followed: Moments = Moments()


@dataclass(frozen=True, slots=True)
class Match:
    """The sounds that make a clause come true."""

    heard: tuple[Moment, ...]
    followed: Moment | None

    @property
    def events(self) -> tuple[SoundEvent, ...]:
        """Each event once, in the order of the moments."""
        moments = self.heard + ((self.followed,) if self.followed else ())
        return tuple({event.id: event for moment in moments for event in moment.events}.values())


def remember(
    clause: Clause, history: ClauseHistory, event: SoundEvent, *, hears: bool, follows: bool
) -> ClauseHistory:
    """The history with this event in it. `hears`: it meets the clauses of `hear`; `follows`: of `then`."""
    then_s = clause.then.within_s if clause.then else 0.0
    heard, followed = history.heard, history.followed
    if hears:
        heard = heard.plus(event, (clause.within_s or 0.0) + then_s, repeats=clause.count > 1)
    if follows:
        followed = followed.plus(event, then_s, repeats=True)
    return ClauseHistory(heard, followed)


def find_match(clause: Clause, history: ClauseHistory) -> Match | None:
    """The latest sounds that make the clause come true."""
    times = history.heard.times
    for end in range(len(times), clause.count - 1, -1):
        group = times[end - clause.count : end]
        if (group[-1].at - group[0].at).total_seconds() > (clause.within_s or 0.0):
            continue
        if clause.then is None:
            return Match(group, None)
        for follower in history.followed.times:
            after_s = (follower.at - group[-1].at).total_seconds()
            if 0 <= after_s <= clause.then.within_s and not _shares_event(follower, group):
                return Match(group, follower)
    return None


def spent(history: ClauseHistory, match: Match) -> ClauseHistory:
    """The history after the match has made an alert."""
    followed = (match.followed,) if match.followed else ()
    return ClauseHistory(history.heard.without(match.heard), history.followed.without(followed))


def history_steps(clause: Clause, history: ClauseHistory, match: Match | None) -> list[ClauseResult]:
    """How far counting and sequence have come."""
    steps = []
    if clause.count > 1:
        found = len(match.heard) if match else _most_within(history.heard.times, clause.within_s or 0.0)
        steps.append(
            ClauseResult(
                "count", found >= clause.count, f"{clause.count} within {clause.within_s:g} s", found
            )
        )
    if clause.then:
        wanted = f"{', '.join(clause.then.hear)} within {clause.then.within_s:g} s"
        follower = match.followed.events[0].label if match and match.followed else None
        steps.append(ClauseResult("then", match is not None, wanted, follower))
    return steps


def _most_within(times: tuple[Moment, ...], within_s: float) -> int:
    latest = max((moment.at for moment in times), default=None)
    return sum(1 for m in times if latest and (latest - m.at).total_seconds() <= within_s)


def _shares_event(follower: Moment, group: tuple[Moment, ...]) -> bool:
    ids = {event.id for moment in group for event in moment.events}
    return any(event.id in ids for event in follower.events)


def _joined(times: tuple[Moment, ...], at: datetime, event: SoundEvent) -> tuple[Moment, ...]:
    """`times` with one more, or with the event beside those of the same moment."""
    for i, moment in enumerate(times):
        if abs((moment.at - at).total_seconds()) < SAME_MOMENT_S:
            if any(other.id == event.id for other in moment.events):
                return times
            return (*times[:i], replace(moment, events=(*moment.events, event)), *times[i + 1 :])
    return tuple(sorted((*times, Moment(at, (event,))), key=lambda moment: moment.at))


def _times(event: SoundEvent) -> int:
    return int(event.evidence.get("times", 1))


def _last_began_at(event: SoundEvent) -> datetime:
    began_at = event.evidence.get("last_began_at")
    return datetime.fromisoformat(began_at) if began_at else min(event.started_at, event.at)
