"""Suggestions and questions in plain text; times in the local zone."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from monitor.labels import label_name
from monitor.teaching.evidence import logit, probability
from monitor.teaching.forecast import DailyRate, JudgedSound
from monitor.teaching.questions import VerdictQuestion
from monitor.teaching.suggestion import NoSuggestion, Suggestion, Taught

MOST_LISTED = 10
_WEEKLY = 1.0
"""Fewer than this a day is easier to read as so many a week."""


def suggestion_lines(found: Suggestion) -> Iterator[str]:
    """A suggestion with what it rests on and what it would change."""
    where = f" at {found.source}" if found.source else ""
    name = label_name(found.label)
    yield f"{name}{where}: onset {found.now:.2f} → {found.onset:.3g}, for {found.aim.words}"
    yield f"  from {_verdicts(found)}, and {found.events} events in the last {_days(found.days)}"
    yield f"  false now    {_rate(found.false_now)}"
    yield f"  false then   {_rate(found.false_then)}"
    yield f"  right lost   {_rate(found.lost)}"
    yield from _listed("would be gone", found.gone)
    yield from _listed("would be new", found.new)
    if found.more_verdicts:
        more = f"{found.more_verdicts} more verdicts would make it surer"
        yield f"  {more}: earwitness review --label {found.label}"


def refusal_line(taught: Taught, refused: NoSuggestion) -> str:
    """Why a label stays as it is."""
    where = f" at {taught.source}" if taught.source else ""
    return f"{label_name(taught.label)}{where}: {refused.reason}"


def question_lines(question: VerdictQuestion, onset: float) -> Iterator[str]:
    """What is asked about, and what speaks for it. `onset` is in force at its source."""
    sound = question.sound
    length_s = (sound.ended_at - sound.started_at).total_seconds()
    alert = ", and raised an alert" if question.alerted else ""
    yield (
        f"{_local(sound.started_at)}  {sound.source}: {sound.label.replace('_', ' ')}? "
        f"for {max(1, round(length_s))} s{alert}"
    )
    reached = probability(logit(onset) + sound.x)
    yield f"  score {sound.score:.2f}; with an onset above {reached:.2f} it is no event (now {onset:.2f})"


def _verdicts(found: Suggestion) -> str:
    missed = f", {found.missed} missed" if found.missed else ""
    return f"{found.right} right and {found.wrong} wrong verdicts{missed}"


def _days(days: float) -> str:
    if days < 2:
        return f"{days * 24:.0f} hours"
    return f"{days:.0f} days"


def _rate(rate: DailyRate) -> str:
    """In the unit in which it is a number that people can picture."""
    factor, unit = (7, "a week") if rate.a_day < _WEEKLY else (1, "a day")
    figures = (f"{number * factor:.1f}" for number in (rate.a_day, rate.low, rate.high))
    return "{} {unit} (80 %: {} to {})".format(*figures, unit=unit)


def _listed(words: str, some: Sequence[JudgedSound]) -> Iterator[str]:
    if not some:
        return
    yield f"  {words}: {len(some)}"
    for one in sorted(some, key=lambda each: each.sound.started_at, reverse=True)[:MOST_LISTED]:
        said = {True: ", judged right", False: ", judged wrong", None: ""}[one.right]
        yield f"    {_local(one.sound.started_at)}  {one.sound.source}, score {one.sound.score:.2f}{said}"
    if len(some) > MOST_LISTED:
        yield f"    and {len(some) - MOST_LISTED} more"


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"
