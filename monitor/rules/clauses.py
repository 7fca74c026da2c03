"""The clauses that one event meets or fails on its own, whatever came before."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, tzinfo

from monitor.clock import span_of_day
from monitor.rules.house import HouseValues, house_steps
from monitor.rules.model import WEEKDAYS, Clause, Rule
from monitor.rules.trace import ClauseResult
from monitor.types import SoundEvent

Transcripts = Callable[[SoundEvent], str | None]
"""Returns the transcript of an event, if it is known. Private: only rules with `say` read it."""


def no_transcripts(event: SoundEvent) -> str | None:
    """No transcripts."""
    return None


def hear_step(clause: Clause, event: SoundEvent) -> ClauseResult:
    """Whether the clause is about this label."""
    return ClauseResult("hear", event.label in clause.hear, list(clause.hear), event.label)


def heard_for_s(event: SoundEvent) -> float:
    """How long the sound has gone on, as far as this state knows."""
    return ((event.ended_at or event.at) - event.started_at).total_seconds()


def own_steps(
    rule: Rule,
    clause: Clause,
    event: SoundEvent,
    zone: tzinfo | None,
    transcript_of: Transcripts,
    house: HouseValues,
) -> Iterator[ClauseResult]:
    """Every clause that is given and needs nothing but the event and the house. `zone` None is the
    system's."""
    yield hear_step(clause, event)
    if rule.sources:
        yield ClauseResult("sources", event.source in rule.sources, list(rule.sources), event.source)
    if rule.between or rule.weekdays:
        yield from _schedule_steps(rule, event, zone)
    yield from house_steps(rule, event, house, zone)
    if clause.min_score:
        yield ClauseResult(
            "min_score", event.score >= clause.min_score, clause.min_score, round(event.score, 3)
        )
    if clause.certainty == "confirmed":
        yield ClauseResult("certainty", event.certainty == "confirmed", "confirmed", event.certainty)
    if clause.lasts_s:
        lasted_s = heard_for_s(event)
        yield ClauseResult("lasts_s", lasted_s >= clause.lasts_s, clause.lasts_s, round(lasted_s, 1))
    if clause.emotion:
        yield _emotion_step(clause, event)
    if clause.say:
        yield _say_step(clause, transcript_of(event))


def _schedule_steps(rule: Rule, event: SoundEvent, zone: tzinfo | None) -> list[ClauseResult]:
    """Of the times at which the sound was there, the first that the schedule allows, else the last."""
    steps: list[ClauseResult] = []
    for at in _heard_at(event):
        steps = list(schedule_steps_at(rule, at.astimezone(zone)))
        if all(step.passed for step in steps):
            break
    return steps


def _heard_at(event: SoundEvent) -> tuple[datetime, ...]:
    """When the sound was there: its latest repetition, or its beginning and, while it lasts, now. The time of
    its end, or of a later judgement, is not one of these."""
    if repeated := event.evidence.get("last_began_at"):
        return (datetime.fromisoformat(repeated),)
    return (event.started_at,) if event.ended_at else (event.started_at, event.at)


def schedule_steps_at(rule: Rule, local: datetime) -> Iterator[ClauseResult]:
    """Whether `between` and `weekdays` allow a time of the house's own clock."""
    begins_on = local
    if rule.between:
        begin, end = span_of_day(rule.between)
        now = local.time()
        over_midnight = begin > end
        inside = (now >= begin or now < end) if over_midnight else begin <= now < end
        if over_midnight and now < end:
            begins_on = local - timedelta(days=1)
        yield ClauseResult("between", inside, rule.between, f"{now:%H:%M}")
    if rule.weekdays:
        day = WEEKDAYS[begins_on.weekday()]
        yield ClauseResult("weekdays", day in rule.weekdays, list(rule.weekdays), day)


def _emotion_step(clause: Clause, event: SoundEvent) -> ClauseResult:
    scores = event.emotion or {}
    found = {name: round(scores[name], 3) for name in clause.emotion if name in scores}
    passed = any(score >= clause.min_emotion_score for score in found.values())
    return ClauseResult(
        "emotion", passed, dict.fromkeys(clause.emotion, clause.min_emotion_score), found or None
    )


def _say_step(clause: Clause, transcript: str | None) -> ClauseResult:
    """The rule's own words that are in the transcript, and nothing else of it."""
    said = [words for words in clause.say if _contains(transcript or "", words)]
    return ClauseResult("say", bool(said), list(clause.say), said or None)


def says(transcript: str, phrases: Iterable[str]) -> bool:
    """Whether any of the phrases is in the transcript."""
    return any(_contains(transcript, phrase) for phrase in phrases)


def _contains(transcript: str, words: str) -> bool:
    spaced = r"\W+".join(re.escape(word) for word in words.split())
    return re.search(rf"(?<!\w){spaced}(?!\w)", transcript, re.IGNORECASE) is not None
