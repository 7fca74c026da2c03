"""Drills: which rooms heard the alarm and by how much, who was notified; and how one begins."""

from typing import Literal

from monitor.drill.report import DrillReport, ask_drill, drill_figures, read_drills
from monitor.rules.drill import LASTS_S
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model

MOST = 20
AlarmLabel = Literal["smoke_alarm", "co_alarm", "fire_alarm"]


class DrillSourceView(Model):
    """How one source heard the alarm."""

    source: str
    heard: bool
    pattern: str | None
    pitch_hz: int | None
    cycles: int | None
    """How often the rhythm was found."""
    suspected_s: float | None
    """From the first burst until it was reported at all."""
    confirmed_s: float | None
    """From the first burst until the alarm was certain."""
    over_floor_db: float | None
    """The tone over the room's noise in the third octave around its pitch."""
    margin_db: float | None
    """By so much it could be quieter before its rhythm is lost there, on average."""
    margin_is_at_least: bool
    margin_from_db: float | None
    """Where it is lost over a wide range: so much quieter it is surely found."""
    margin_to_db: float | None
    """Where it is lost over a wide range: so much quieter it is hardly ever found."""
    margin_is_low: bool


class SentView(Model):
    """One receiver and the test alert."""

    channel: str
    seconds: float | None
    """Until it acknowledged the alert; None while it waits."""


class SeenView(Model):
    """Who acknowledged the test alert first."""

    by: str
    after_s: float
    """From the alert on."""


class DrillView(Model):
    """One drill."""

    id: str
    label: str
    began_at: str
    ended_at: str | None
    """None while it goes on, or where the daemon was stopped meanwhile."""
    rooms: list[DrillSourceView]
    alerted: bool
    """Whether any rule rang for it."""
    sent: list[SentView]
    acknowledged: SeenView | None
    """None: nobody has."""


class DrillList(Model):
    """The latest first."""

    drills: list[DrillView]
    last_at: str | None
    """When an alarm was heard in a drill for the last time."""
    overdue: bool
    lasts_s: float
    """For so long the announced alarm counts as a test."""


class NewDrill(Model):
    """Which alarm is going to be pressed."""

    alarm: AlarmLabel = "smoke_alarm"


def listed(ask: Ask) -> DrillList:
    """What they found."""
    page = ask.page
    drills = read_drills(page.folder)
    figures = drill_figures(drills, page.clock.now())
    return DrillList(
        drills=[_view(ask, one) for one in reversed(drills[-MOST:])],
        last_at=figures["last"],
        overdue=figures["overdue"],
        lasts_s=LASTS_S,
    )


def _view(ask: Ask, one: DrillReport) -> DrillView:
    iso = ask.page.time.iso
    return DrillView(
        id=one.id,
        label=one.label,
        began_at=iso(one.began_at),
        ended_at=iso(one.ended_at) if one.ended_at else None,
        rooms=[
            DrillSourceView(
                source=room.source,
                heard=room.heard,
                pattern=room.pattern,
                pitch_hz=room.pitch_hz,
                cycles=room.cycles,
                suspected_s=room.suspected_s,
                confirmed_s=room.confirmed_s,
                over_floor_db=room.over_floor_db,
                margin_db=room.margin_db,
                margin_is_at_least=room.margin_is_at_least,
                margin_from_db=room.between_db[0] if room.between_db else None,
                margin_to_db=room.between_db[1] if room.between_db else None,
                margin_is_low=room.margin_is_low,
            )
            for room in one.rooms
        ],
        alerted=bool(one.alert_ids),
        sent=[SentView(channel=each.channel, seconds=each.seconds) for each in one.deliveries],
        acknowledged=_seen(ask, one),
    )


def _seen(ask: Ask, one: DrillReport) -> SeenView | None:
    found = ask.page.verdicts.first_acknowledged(one.alert_ids) if one.alert_ids else None
    after_s = one.after_s(found.at) if found else None
    return None if found is None or after_s is None else SeenView(by=found.by, after_s=after_s)


def begin(ask: Ask) -> Answer:
    """Announce a drill: the alarm rings as a test for three minutes, and every other one is real."""
    wanted: NewDrill = ask.body
    page = ask.page
    now = page.clock.now()
    drills = read_drills(page.folder)
    if drills and drills[-1].ended_at is None and (now - drills[-1].began_at).total_seconds() < LASTS_S:
        raise Refusal(409, "another drill goes on; wait until it has ended")
    ask_drill(page.folder, wanted.alarm, now)
    return None


ROUTES = (
    Route("GET", "api/drills", "What drills found", listed, answer=DrillList),
    Route("POST", "api/drills", "Announce a drill", begin, "change", body=NewDrill, status=204, fails=(409,)),
)  # fmt: skip
