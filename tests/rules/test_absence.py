"""Rules about what is not heard: days, clocks, outages and restarts."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from structlog.testing import capture_logs

from monitor.rules.absence.window import window_at, window_on
from monitor.rules.checking.check import Capabilities, check_rules
from monitor.rules.engine import RuleEngine
from monitor.rules.house import SelectConfig
from monitor.rules.model import Rule
from monitor.types import Alert, SourceStatus
from testkit.builders import event

BERLIN = ZoneInfo("Europe/Berlin")
UP = {"hear": ["water_running", "footsteps"], "from": "05:30", "by": "06:30"}
TICK = timedelta(seconds=5)


def rule(name: str = "Not up yet", **more: Any) -> Rule:
    return Rule.model_validate({"name": name, "unless_heard": UP} | more)


def at(clock: str, day: int = 2, zone: ZoneInfo = BERLIN) -> datetime:
    """That time on a day of January 2026, which the rules are given in UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 1, day, hour, minute, tzinfo=zone).astimezone(UTC)


def engine(*rules: Rule, online: Iterable[str] = ("kitchen", "hall"), **more: Any) -> RuleEngine:
    made = RuleEngine(rules or [rule()], zone=BERLIN, sources=["kitchen", "hall"], **more)
    for source in online:
        made.absence.note_source(SourceStatus(source, True, at("00:00")))
    return made


def passed(
    made: RuleEngine, since: datetime, until: datetime, meanwhile: Callable[[datetime], None] | None = None
) -> list[Alert]:
    """The alerts of this time, with the clock looked at as the daemon does."""
    alerts: list[Alert] = []
    now = since
    while now <= until:
        if meanwhile is not None:
            meanwhile(now)
        alerts += made.due(now)
        now += TICK
    return alerts


def water(clock: str, source: str = "kitchen", **more: Any) -> Any:
    return event("water_running", source=source, at=at(clock), **more)


def test_an_alert_is_raised_when_nothing_was_heard() -> None:
    """Once, half a minute after the time is over, so that the last moment's sound is decided by then."""
    [alert] = passed(engine(rule(notify=["phones"])), at("05:00"), at("08:00"))
    assert alert.raised_at - at("06:30") == timedelta(seconds=30)
    assert (alert.rule, alert.severity, alert.notify, alert.events) == (
        "Not up yet",
        "warning",
        ("phones",),
        (),
    )
    assert alert.message == "Not heard: running water or footsteps in kitchen and hall, from 05:30 to 06:30"
    assert alert.why == {"unless_heard": "nothing"}


@pytest.mark.parametrize(
    "heard",
    [
        water("06:00"),
        water("05:20", ended_at=at("05:31"), state="ended"),
        event("footsteps", source="hall", at=at("06:30")),
    ],
)
def test_whatever_sounds_in_that_time_is_enough(heard: Any) -> None:
    """In any of the rooms, any of the sounds, also one that began before."""
    made = engine()
    made.due(at("05:25"))
    made.due(at("05:30"))
    made.decide(heard)
    assert not passed(made, at("05:30"), at("07:00"))


@pytest.mark.parametrize(
    "heard",
    [water("05:00", ended_at=at("05:10")), water("06:31"), event("dog_bark", at=at("06:00"))],
)
def test_another_sound_or_another_time_is_not(heard: Any) -> None:
    """Nor another room, where the rule names its rooms."""
    made = engine()
    made.due(at("05:25"))
    made.due(at("05:30"))
    made.decide(heard)
    assert len(passed(made, at("05:30"), at("07:00"))) == 1
    rooms = engine(rule(sources=["hall"]))
    rooms.due(at("05:29"))
    rooms.due(at("05:30"))
    rooms.decide(water("06:00", source="kitchen"))
    assert len(passed(rooms, at("05:30"), at("07:00"))) == 1


def test_every_day_anew_and_only_on_its_weekdays() -> None:
    """The 2nd of January 2026 is a Friday."""
    made = engine(rule(weekdays=["fri", "sun"]))
    days = [alert.raised_at.astimezone(BERLIN).day for alert in passed(made, at("05:00"), at("07:00", day=5))]
    assert days == [2, 4]


def away(made: RuleEngine, source: str, since: str, until: str) -> Callable[[datetime], None]:
    def look(now: datetime) -> None:
        made.absence.note_source(SourceStatus(source, not at(since) <= now < at(until), now))

    return look


def muted(made: RuleEngine, source: str, since: str, until: str) -> Callable[[datetime], None]:
    return lambda now: made.absence.note_mute(source, at(since) <= now < at(until))


def deaf(made: RuleEngine, source: str, since: str, until: str) -> Callable[[datetime], None]:
    return lambda now: made.absence.note_deaf([source] if at(since) <= now < at(until) else [])


@pytest.mark.parametrize("how", [away, muted, deaf])
def test_a_source_that_was_not_listened_to_suspends_it(how: Any) -> None:
    """Nobody knows what sounded there: logged, and said once as information, not every morning."""
    made = engine(rule(escalate_after_s=60, notify=["phones"]))
    with capture_logs() as logs:
        [alert] = passed(made, at("05:00"), at("07:00"), how(made, "hall", "05:45", "06:00"))
    assert alert.severity == "info"
    assert alert.escalate_after_s is None
    assert alert.message.startswith("Could not judge: running water")
    assert alert.message.endswith("Not listened to: hall for 15 minutes")
    assert [line["not_listened_to"] for line in logs] == ["hall for 15 minutes"]
    tomorrow = at("05:00", day=3)
    made.absence.note_mute("hall", True)
    assert not passed(made, tomorrow, at("07:00", day=3))
    made.absence.note_mute("hall", False)
    [alert] = passed(made, at("05:00", day=4), at("07:00", day=4))
    assert alert.severity == "warning"


def test_a_short_outage_does_not() -> None:
    """A tenth of the time at most, and five minutes: a camera that connects anew hides no morning."""
    made = engine()
    [alert] = passed(made, at("05:00"), at("07:00"), away(made, "hall", "05:45", "05:49"))
    assert alert.severity == "warning"


def test_what_was_heard_counts_whatever_was_away() -> None:
    """One room is enough."""
    made = engine()

    def morning(now: datetime) -> None:
        away(made, "hall", "05:30", "06:30")(now)
        if now == at("06:00"):
            made.decide(water("06:00"))

    assert not passed(made, at("05:00"), at("07:00"), morning)


def restarted(made: RuleEngine, **more: Any) -> RuleEngine:
    """Another run, with what the one before had kept."""
    rows = json.loads(json.dumps(made.absence.vigils.rows()))
    again = engine(**more)
    again.absence.vigils.found(rows)
    return again


def test_what_was_heard_is_known_after_a_restart() -> None:
    """A kill loses at most the last minute of it."""
    made = engine()
    passed(made, at("05:00"), at("05:50"))
    made.decide(water("05:50"))
    assert not passed(restarted(made), at("05:52"), at("07:00"))


def test_a_restart_is_a_short_outage() -> None:
    """And a long one suspends the rule; after the end it is decided late, once."""
    made = engine()
    passed(made, at("05:00"), at("05:50"))
    [alert] = passed(restarted(made), at("05:52"), at("07:00"))
    assert alert.severity == "warning"
    [alert] = passed(restarted(made), at("06:10"), at("07:00"))
    assert alert.message.endswith("kitchen for 20 minutes, hall for 20 minutes")
    late = restarted(made)
    [alert] = passed(late, at("09:00"), at("09:10"))
    assert (alert.severity, alert.raised_at) == ("info", at("09:00"))
    assert not passed(restarted(late), at("09:20"), at("09:30"))


def test_an_alert_that_was_raised_is_not_raised_again() -> None:
    """Whatever is restarted after it."""
    made = engine()
    assert len(passed(made, at("05:00"), at("06:40"))) == 1
    assert not passed(restarted(made), at("06:41"), at("09:00"))


def test_a_disk_that_returns_late_what_was_kept() -> None:
    """What was heard before the restart counts all the same."""
    made = engine()
    passed(made, at("05:00"), at("05:50"))
    made.decide(water("05:50"))
    rows = made.absence.vigils.rows()
    again = engine()
    passed(again, at("05:51"), at("05:53"))
    again.absence.vigils.found(rows)
    assert not passed(again, at("05:53"), at("07:00"))


def test_a_first_start_after_the_time_says_nothing() -> None:
    """Nobody had asked for that morning."""
    assert not passed(engine(), at("07:00"), at("12:00"))


def test_a_machine_that_slept_could_not_hear() -> None:
    """The lid was closed from before until after."""
    made = engine()
    made.due(at("05:00"))
    [alert] = made.due(at("07:00"))
    assert alert.severity == "info"


def test_the_house_may_stop_it() -> None:
    """Nobody is at home when the time is over; unknown stops nothing."""
    mode = {"mode": SelectConfig(type="select")}
    home = rule(when={"mode": ["home", "night"]})
    assert len(passed(engine(home, house=mode), at("05:00"), at("07:00"))) == 1
    made = engine(home, house=mode)
    made.note_house("mode", "away", at("05:45"))
    assert not passed(made, at("05:50"), at("07:00"))


def test_new_rules_go_on_where_the_former_were() -> None:
    """What was heard counts for a rule that waits for the same, and not for one that waits for another."""
    for more, alerts in (({"severity": "critical"}, 0), ({"unless_heard": UP | {"hear": ["speech"]}}, 1)):
        made = engine()
        passed(made, at("05:00"), at("05:50"))
        made.decide(water("05:50"))
        changed = RuleEngine([rule(**more)], zone=BERLIN, sources=["kitchen", "hall"])
        changed.take_over(made, [])
        assert len(passed(changed, at("05:50"), at("07:00"))) == alerts


def test_an_event_explains_why_no_alert_came() -> None:
    """With when it was heard, or that it was at another time."""
    made = engine()
    [trace] = made.explain(water("06:10"))
    assert trace.outcome == "stopped"
    [step] = trace.steps
    assert (step.clause, step.passed, step.wanted) == ("unless_heard", False, "not from 05:30 to 06:30")
    assert step.found == "Water running in kitchen at 06:10"
    [trace] = made.explain(water("09:00"))
    assert trace.steps[0].found == "heard at another time"
    assert not made.explain(event("dog_bark"))


def test_a_replay_decides_as_then() -> None:
    """With few looks at the clock, and the time as it was."""
    made = engine(online=(), replayed=True)
    made.due(at("04:00"))
    assert not made.due(at("05:45"))
    [alert] = made.due(at("12:00"))
    assert alert.raised_at - at("06:30") == timedelta(seconds=30)
    made = engine(online=(), replayed=True)
    made.due(at("04:00"))
    made.due(at("05:40"))
    made.absence.note_source(SourceStatus("hall", False, at("05:40")))
    [alert] = made.due(at("12:00"))
    assert alert.severity == "info"


def test_a_test_rings_as_the_rule_would() -> None:
    """Without waiting for a morning."""
    alert = engine(rule(notify=["phones"], severity="critical")).test(at("12:00"))
    assert (alert.test, alert.severity, alert.notify) == (True, "critical", ("phones",))
    assert alert.message.startswith("Test: not heard: running water or footsteps")
    assert rule().gravest_severity == "warning"


@pytest.mark.parametrize(
    ("more", "fix"),
    [
        ({"hear": ["speech"]}, "exclude each other"),
        ({"between": "22:00-07:00"}, "exclude each other"),
        ({"cooldown_s": 10}, "exclude each other"),
        ({"unless_heard": UP | {"by": "10 h"}}, '"05:30"'),
        ({"unless_heard": UP | {"from": "5.30"}}, '"05:30"'),
        ({"unless_heard": UP | {"hear": []}}, "at least 1"),
    ],
)
def test_a_mistake_is_named(more: dict[str, Any], fix: str) -> None:
    """What belongs to a sound that is heard has no meaning here."""
    with pytest.raises(ValidationError) as error:
        rule(**more)
    assert fix in str(error.value)


def test_a_sound_that_nobody_can_hear_is_no_rule() -> None:
    """It would be missed every day."""
    able = Capabilities(frozenset({"water_running"}), ("kitchen", "hall"), {})
    [finding] = check_rules([rule()], able)
    assert (finding.fatal, finding.place) == (False, ("rules", 0, "unless_heard"))
    assert "hears footsteps" in finding.text
    [finding, *_] = check_rules([rule()], Capabilities(frozenset({"speech"}), ("kitchen", "hall"), {}))
    assert finding.fatal


def test_it_is_written_as_it_is_read() -> None:
    """`from` is a word of Python, and of the file."""
    written = rule().model_dump(mode="json", exclude_unset=True)
    assert written["unless_heard"] == UP
    assert Rule.model_validate(written) == rule()


ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo", "UTC"]
).map(ZoneInfo)
DAYS = st.dates(date(2024, 1, 1), date(2027, 12, 31))
TIMES = st.times().map(lambda time: f"{time:%H:%M}")


@given(ZONES, DAYS, TIMES, TIMES)
def test_every_day_has_one_window_also_when_the_clocks_change(
    zone: ZoneInfo, day: date, begins: str, ends: str
) -> None:
    """It begins and ends at the times on the wall, where those exist, lasts an hour more or less at most, and
    does not reach into the next."""
    block = rule(unless_heard=UP | {"from": begins, "by": ends}).unless_heard
    assert block is not None
    window, following = (window_on(block, each, zone) for each in (day, day + timedelta(days=1)))
    nominal = timedelta(days=int(ends <= begins)) + (
        datetime.combine(day, block.times[1]) - datetime.combine(day, block.times[0])
    )
    assert abs((window.end - window.begin) - nominal) <= timedelta(
        hours=24 if zone.key == "Pacific/Apia" else 1
    )
    assert window.begin < following.begin
    assert window.begin.astimezone(zone).strftime("%H:%M") == begins or not _exists(day, begins, zone)
    assert window_at(rule(unless_heard=block.model_dump()), window.begin, zone) == window


def _exists(day: date, clock: str, zone: ZoneInfo) -> bool:
    local = datetime.combine(day, time.fromisoformat(clock), zone)
    return local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)


MINUTES = st.integers(0, 59)


@given(
    outages=st.lists(st.tuples(MINUTES, MINUTES, st.sampled_from(["kitchen", "hall"])), max_size=4),
    sounds=st.lists(MINUTES, max_size=2),
    spring=st.booleans(),
)
def test_any_outage_and_any_sound(
    outages: list[tuple[int, int, str]], sounds: list[int], spring: bool
) -> None:
    """Heard: no alert. Not heard: the alert, unless one of the rooms was away for more than a tenth of the
    time. The same on the day on which the clocks go forward at two."""
    begin = datetime(2026, 3, 29 if spring else 22, 5, 30, tzinfo=BERLIN).astimezone(UTC)
    made = engine()
    made.due(begin - timedelta(minutes=1))
    lost = dict.fromkeys(("kitchen", "hall"), 0)
    alerts: list[Alert] = []
    for minute in range(65):
        off = {source for first, last, source in outages if first <= minute <= last}
        for source in lost:
            lost[source] += minute < 60 and source in off
            made.absence.note_source(SourceStatus(source, source not in off, begin))
        for step in range(0, 60, 10):
            now = begin + timedelta(minutes=minute, seconds=step)
            alerts += made.due(now)
        if minute in sounds:
            made.decide(event("footsteps", at=now))
    blind = max(lost.values()) * 60 > 300
    expected = [] if sounds else ["info" if blind else "warning"]
    assert [alert.severity for alert in alerts] == expected
