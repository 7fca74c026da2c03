"""Sounds: what it takes to hear each, what the last week had of it, and how that is changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from monitor.clock import from_us, to_us
from monitor.config.capabilities import Origin, onset_origins, producible, thresholds, unloaded
from monitor.config.model import Config
from monitor.config.overrides import (
    Step,
    apply,
    in_force,
    read_steps,
    undo,
    with_overrides,
    without,
)
from monitor.errors import ConfigError
from monitor.events.defaults import Hysteresis
from monitor.history.near_misses import near_misses
from monitor.labels import LIFE_SAFETY, sounds, vocabulary
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model

WEEK = timedelta(days=7)
MOST_MARKS = 1000
BELOW = 0.25
"""So far below its onset scores are shown: what a lower onset would bring."""
NEAR = timedelta(days=2)
"""Events have an index by label; near misses are looked for in every score, fifty thousand a day."""
Share = Annotated[float, Field(ge=0.02, le=0.99)]


class PlaceView(Model):
    """What a sound needs at one source, before its sensitivity."""

    source: str
    onset: float
    heard: bool
    origin: Origin


class SoundView(Model):
    """A sound and what it takes to hear it."""

    id: str
    severity: Literal["info", "warning", "critical"]
    life_safety: bool
    """Its rhythm is held to no score, and nothing about it is changed here."""
    known: bool
    """Whether something that listens here can hear it."""
    heard: bool
    onset: float
    hits: int
    hold_s: float
    reason: str
    """Why it needs so many hits and holds so long; in English."""
    origin: Origin
    places: list[PlaceView]
    """The sources at which it needs something else."""
    count: int
    """Events of the last seven days."""
    right: int
    wrong: int
    last_at: str | None
    rules: list[str]
    """Those that hear it."""


class ChangeView(Model):
    """What was changed without the configuration, at once."""

    at: str
    by: str
    why: str
    values: dict[str, Any]
    """By place, as in `labels.dog_bark.onset`; None: as the file has it."""


class SoundList(Model):
    """Every sound that has a name here."""

    sounds: list[SoundView]
    last_change: ChangeView | None
    """What an undo takes back."""


class MarkView(Model):
    """An event of the last seven days, or what nearly was one in the last two."""

    id: str | None
    """The event's; None: it nearly was one."""
    source: str
    at: str
    score: float
    verdict: Literal["right", "wrong", "unsure"] | None


class SoundDetail(SoundView):
    """A sound with its scores."""

    marks: list[MarkView]
    last_change: ChangeView | None


class SoundChange(Model):
    """What is to be changed; what is left out stays, null is as the configuration has it."""

    onset: Share | None = None
    heard: bool | None = None


def listed(ask: Ask) -> Answer:
    """All of them."""
    return SoundList(sounds=_views(ask), last_change=last_change(ask))


def detail(ask: Ask) -> SoundDetail:
    """One, with what the week had of it."""
    label = known_label(ask)
    view = next(view for view in _views(ask) if view.id == label)
    return SoundDetail(**view.model_dump(), marks=_marks(ask, label), last_change=last_change(ask))


def change(ask: Ask) -> Answer:
    """Change it without editing the configuration."""
    wanted: SoundChange = ask.body
    label, page = known_label(ask), ask.page
    values = {f"labels.{label}.{key}": getattr(wanted, key) for key in wanted.model_fields_set}
    if not values:
        raise Refusal(422, "write what to change: `onset` or `heard`")
    with page.changing:
        written = without(page.whole, read_steps(page.folder))
        try:
            apply(written, values, by=f"page {ask.by}".strip(), at=page.clock.now())
        except ConfigError as error:
            raise Refusal(422, "; ".join(error.problems)) from None
        take_effect(ask, written)
    return detail(ask)


def take_back(ask: Ask) -> Answer:
    """Take the last change back, whoever made it."""
    page = ask.page
    with page.changing:
        written = without(page.whole, read_steps(page.folder))
        step = undo(page.folder)
        if step is None:
            raise Refusal(409, "there is no change to take back")
        take_effect(ask, written)
    return _step_view(ask, step)


def take_effect(ask: Ask, written: Config) -> None:
    """Have steps that were just kept hold, and wait until they do."""
    after = _decisive(with_overrides(written))
    ask.page.apply(lambda now: _decisive(now) == after)


def _decisive(config: Config) -> tuple[Any, ...]:
    return config.labels, [one.labels for one in config.sources], {rule.name: rule for rule in config.rules}


def known_label(ask: Ask) -> str:
    """The sound that the path names. Refusal 404 where there is none."""
    if (label := ask.path["label"]) not in sounds():
        raise Refusal(404, f"there is no sound {label[:40]!r}; `api/sounds` lists them")
    return label


def last_change(ask: Ask) -> ChangeView | None:
    """What an undo takes back."""
    steps = read_steps(ask.page.folder)
    return _step_view(ask, steps[-1]) if steps else None


def _step_view(ask: Ask, step: Step) -> ChangeView:
    return ChangeView(at=ask.page.time.iso(step.at), by=step.by, why=step.why, values=dict(step.values))


@dataclass(frozen=True, slots=True)
class _Week:
    """What the last seven days had of a sound."""

    count: int = 0
    right: int = 0
    wrong: int = 0
    last_at: datetime | None = None


def _weeks(ask: Ask) -> dict[str, _Week]:
    page = ask.page
    if not page.keeps_history():
        return {}
    with page.rows() as rows:
        found = rows.execute(
            "SELECT event.label, count(*), sum(verdict IS 'right'), sum(verdict IS 'wrong'),"
            " max(event.started_at) FROM event LEFT JOIN verdicts.verdict ON event_id = id"
            " WHERE event.started_at >= ?"
            " GROUP BY event.label",
            (to_us(page.clock.now() - WEEK),),
        )
        return {label: _Week(n, right, wrong, from_us(last)) for label, n, right, wrong, last in found}


def _views(ask: Ask) -> list[SoundView]:
    page, config = ask.page, ask.page.whole
    weeks, known = _weeks(ask), producible(config)
    table = thresholds(config, unloaded(config)[0])
    general = table.of("")
    places = {source.name: table.of(source.name) for source in config.sources if source.enabled}
    steps = read_steps(page.folder)
    origins = onset_origins(config, in_force(without(config, steps), steps))
    found = []
    for label in sounds():
        row, week = general[label], weeks.get(label, _Week())
        own = _own_places(label, row, places, origins)
        ordinary = next(
            (origins[name][label] for name in places if name not in {p.source for p in own}), None
        )
        found.append(
            SoundView(
                id=label,
                severity=vocabulary()[label].severity_default,
                life_safety=label in LIFE_SAFETY,
                known=label in known,
                heard=row.heard,
                onset=round(row.onset, 4),
                hits=row.hits,
                hold_s=row.hold_s,
                reason=row.reason,
                origin=ordinary or "table",
                places=own,
                count=week.count,
                right=week.right,
                wrong=week.wrong,
                last_at=page.time.iso(week.last_at) if week.last_at else None,
                rules=[rule.name for rule in config.rules if label in rule.labels],
            )
        )
    return found


def _own_places(
    label: str,
    row: Hysteresis,
    places: Mapping[str, Mapping[str, Hysteresis]],
    origins: Mapping[str, Mapping[str, Origin]],
) -> list[PlaceView]:
    return [
        PlaceView(
            source=name, onset=round(own[label].onset, 4), heard=own[label].heard, origin=origins[name][label]
        )
        for name, own in places.items()
        if (own[label].onset, own[label].heard) != (row.onset, row.heard)
    ]


def _marks(ask: Ask, label: str) -> list[MarkView]:
    page = ask.page
    if not page.keeps_history():
        return []
    now = page.clock.now()
    places = thresholds(page.whole, unloaded(page.whole)[0])
    wanted = {
        room.source: {label: max(places.of(room.source)[label].onset - BELOW, 0.1) + 0.1}
        for room in page.house.sources
    }
    iso = page.time.iso
    with page.rows() as rows:
        found = rows.execute(
            "SELECT id, event.source, event.started_at, event.score, verdict FROM event"
            " LEFT JOIN verdicts.verdict ON event_id = id"
            " WHERE event.label = ? AND event.started_at >= ? ORDER BY event.started_at DESC LIMIT ?",
            (label, to_us(now - WEEK), MOST_MARKS),
        ).fetchall()
        near = near_misses(rows, wanted, now - NEAR, now, MOST_MARKS)
    events = [
        MarkView(id=id, source=source, at=iso(from_us(us)), score=round(score, 4), verdict=verdict)
        for id, source, us, score, verdict in found
    ]
    return events + [
        MarkView(id=None, source=one.source, at=iso(one.started_at), score=round(one.score, 4), verdict=None)
        for one in near
    ]


ROUTES = (
    Route("GET", "api/sounds", "Every sound and what it takes", listed, answer=SoundList),
    Route("POST", "api/sounds/undo", "Take the last change back", take_back, "change", answer=ChangeView,
          fails=(409,)),
    Route("GET", "api/sounds/{label}", "A sound and its week", detail, answer=SoundDetail, fails=(404,)),
    Route("PUT", "api/sounds/{label}", "Change what a sound needs", change, "change", body=SoundChange,
          answer=SoundDetail, fails=(404,)),
)  # fmt: skip
