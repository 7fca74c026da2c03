"""A day at a glance, and near misses."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from monitor.clock import from_us, to_us
from monitor.history.diary.hours import begun_by_hour
from monitor.history.near_misses import near_misses
from monitor.types import Setting, SourceStatus
from monitor.web.api.house import thresholds_of
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model

POINTS = 288
"""Five minutes each, on a day of 24 hours."""
MOST_MARKS = 4000


class Stretch(Model):
    """From when to when."""

    since: str
    until: str


class Mark(Model):
    """An event on a strip."""

    id: str
    label: str
    started_at: str
    ended_at: str | None
    severity: str | None


class Strip(Model):
    """One room's day."""

    source: str
    levels: list[float | None]
    """The highest of each stretch in dBFS; None where nobody listened."""
    floors: list[float | None]
    """The noise floor then, in dBFS."""
    events: list[Mark]
    count: int
    lost: list[Stretch]
    muted: list[Stretch]


class DayView(Model):
    """A day of the house."""

    day: str
    since: str
    until: str
    """23 or 25 hours later where the clocks change."""
    strips: list[Strip]


class MissQuery(Model):
    """Which near misses."""

    day: date | None = None
    source: Annotated[str, Field(max_length=2000)] = ""
    label: Annotated[str, Field(max_length=2000)] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class MissView(Model):
    """What nearly was an event."""

    source: str
    label: str
    classifier: str
    started_at: str
    duration_s: float
    score: float
    onset: float
    reached: bool
    """It reached its onset, and more looks were needed."""


class MissList(Model):
    """The latest first."""

    misses: list[MissView]


def a_day(ask: Ask) -> Answer:
    """A strip per room: level, events, alerts, lost, muted."""
    page = ask.page
    try:
        day = date.fromisoformat(ask.path["day"])
        since, until = page.time.day(day)
    except (ValueError, OverflowError):
        raise Refusal(422, "write a day as in 2026-01-31") from None
    names = [room.source for room in page.house.sources]
    if page.keeps_history():
        with page.history() as history, history.rows() as rows:
            levels = _levels(rows, since, until)
            marks, counts = _marks(ask, rows, since, until)
            spans = _spans(history, since, min(until, page.clock.now()))
    else:
        levels, marks, counts, spans = {}, {}, {}, {}
    iso = page.time.iso
    strips = [
        Strip(
            source=name,
            levels=levels.get(name, ([None] * POINTS, []))[0],
            floors=levels.get(name, ([], [None] * POINTS))[1],
            events=marks.get(name, []),
            count=counts.get(name, 0),
            lost=[Stretch(since=iso(a), until=iso(b)) for a, b in spans.get((name, "lost"), [])],
            muted=[Stretch(since=iso(a), until=iso(b)) for a, b in spans.get((name, "muted"), [])],
        )
        for name in names
    ]
    return DayView(day=day.isoformat(), since=iso(since), until=iso(until), strips=strips)


def _levels(
    rows: Any, since: datetime, until: datetime
) -> dict[str, tuple[list[float | None], list[float | None]]]:
    width = max(1, (to_us(until) - to_us(since)) // POINTS)
    found = rows.execute(
        "SELECT source, (told_at - ?1) / ?2 AS part, max(level_dbfs), avg(floor_dbfs) FROM level"
        " WHERE told_at >= ?1 AND told_at < ?3 GROUP BY source, part",
        (to_us(since), width, to_us(until)),
    )
    levels: dict[str, tuple[list[float | None], list[float | None]]] = {}
    for source, part, level, floor in found:
        own = levels.setdefault(source, ([None] * POINTS, [None] * POINTS))
        if part < POINTS:
            own[0][part], own[1][part] = round(max(level, -120.0), 1), round(max(floor, -120.0), 1)
    return levels


def _marks(
    ask: Ask, rows: Any, since: datetime, until: datetime
) -> tuple[dict[str, list[Mark]], dict[str, int]]:
    iso = ask.page.time.iso
    marks: dict[str, list[Mark]] = {}
    found = rows.execute(
        "SELECT id, label, source, started_at, ended_at, severity FROM event"
        " WHERE started_at >= ? AND started_at < ? ORDER BY severity DESC, started_at LIMIT ?",
        (to_us(since), to_us(until), MOST_MARKS),
    )
    for id, label, source, start, end, rank in found:
        severity = (None, "info", "warning", "critical")[rank]
        ended_at = iso(from_us(end)) if end is not None else None
        mark = Mark(id=id, label=label, started_at=iso(from_us(start)), ended_at=ended_at, severity=severity)
        marks.setdefault(source, []).append(mark)
    counts = rows.execute(
        "SELECT source, count(*) FROM event WHERE started_at >= ? AND started_at < ? GROUP BY source",
        (to_us(since), to_us(until)),
    )
    return marks, dict(counts.fetchall())


def _spans(
    history: Any, since: datetime, until: datetime
) -> dict[tuple[str, str], list[tuple[datetime, datetime]]]:
    """When a source was lost, and when it was muted."""
    began: dict[tuple[str, str], datetime] = {
        (one.source, "muted"): since for one in history.settings(since) if one.name == "mute" and one.value
    }
    began |= {(source, "lost"): since for source in history.lost_at(since)}
    spans: dict[tuple[str, str], list[tuple[datetime, datetime]]] = {}
    for at, message in history.messages(since, until):
        if isinstance(message, SourceStatus):
            key, on = (message.source, "lost"), not message.online
        elif isinstance(message, Setting) and message.name == "mute":
            key, on = (message.source, "muted"), bool(message.value)
        else:
            continue
        if on:
            began.setdefault(key, at)
        elif key in began:
            spans.setdefault(key, []).append((began.pop(key), at))
    for key, at in began.items():
        if at < until:
            spans.setdefault(key, []).append((at, until))
    return spans


class HeatRow(Model):
    """How often a sound was heard, by the hour of the day."""

    label: str
    hours: list[int]
    """24 counts; the first is from midnight to one, house time."""
    count: int


class HeatView(Model):
    """The last seven days, sound by hour; the most frequent first."""

    rows: list[HeatRow]


def heat(ask: Ask) -> Answer:
    """When each sound is usually heard."""
    page = ask.page
    if not page.keeps_history():
        return HeatView(rows=[])
    with page.rows() as rows:
        hours = begun_by_hour(rows, page.clock.now() - timedelta(days=7), page.time.zone)
    ranked = sorted(hours.items(), key=lambda item: -sum(item[1]))
    return HeatView(rows=[HeatRow(label=label, hours=row, count=sum(row)) for label, row in ranked])


def missed(ask: Ask) -> Answer:
    """What nearly was an event, of a day or of the last 24 hours."""
    wanted: MissQuery = ask.query
    page = ask.page
    if not page.keeps_history():
        return MissList(misses=[])
    now = page.clock.now()
    since, until = page.time.day(wanted.day) if wanted.day else (now - timedelta(hours=24), now)
    sources = {word for word in wanted.source.split(",") if word}
    labels = {word for word in wanted.label.split(",") if word}
    with page.rows() as rows:
        found = near_misses(rows, thresholds_of(ask), since, until, 2000)
    shown = [
        MissView(
            source=each.source,
            label=each.label,
            classifier=each.classifier,
            started_at=page.time.iso(each.started_at),
            duration_s=round(each.duration_s, 2),
            score=round(each.score, 4),
            onset=round(each.onset, 4),
            reached=each.reached,
        )
        for each in found
        if (not sources or each.source in sources) and (not labels or each.label in labels)
    ]
    return MissList(misses=shown[: wanted.limit])


ROUTES = (
    Route("GET", "api/days/{day}", "A day at a glance", a_day, answer=DayView, fails=(422,)),
    Route("GET", "api/heat", "When each sound is heard, over seven days", heat, answer=HeatView),
    Route("GET", "api/near_misses", "What nearly was an event", missed, query=MissQuery, answer=MissList),
)  # fmt: skip
