"""Detections become events, events alerts: the order in which they are published."""

from datetime import timedelta

import pytest

from monitor.events.settings import LABELS, Thresholds
from monitor.events.tracker import Tracker
from monitor.pipeline.decisions import DecisionEngine, cut_short
from monitor.rules.engine import RuleEngine
from monitor.rules.model import Rule
from monitor.rules.outage import SourceOutage
from monitor.types import Alert, Command, LabelState, Problem, Setting, SoundEvent, SoundLevel, SourceStatus
from testkit.builders import START, event, heard


def engine() -> DecisionEngine:
    rule = Rule.model_validate({"name": "Glass", "hear": ["glass_break"], "severity": "critical"})
    return DecisionEngine(Tracker(), RuleEngine([rule]))


def test_the_sensor_turns_on_before_the_alert_and_the_alert_comes_before_the_event():
    """Who is woken by the alert finds the sensor on."""
    posted = engine().decide([heard("glass_break")], START)
    assert [type(message) for message in posted] == [LabelState, Alert, SoundEvent]
    assert posted[0] == LabelState("kitchen", "glass_break", on=True)


def test_a_sensor_is_published_once_in_each_direction():
    """Updates of an event do not move it."""
    deciding = engine()
    posted = deciding.decide([heard("glass_break", 0.7)], START)
    posted += deciding.decide([heard("glass_break", 0.99)], START + timedelta(seconds=1))
    posted += deciding.decide([], START + timedelta(minutes=1))
    assert [message.on for message in posted if isinstance(message, LabelState)] == [True, False]
    assert [m.state for m in posted if isinstance(m, SoundEvent)] == ["started", "updated", "ended"]


def test_a_lost_source_turns_its_sensors_off():
    """With the end of its events, and the reason in them."""
    deciding = engine()
    deciding.decide([heard("glass_break")], START)
    posted = deciding.end_source("kitchen", START + timedelta(seconds=2), "source_lost")
    assert posted[0] == LabelState("kitchen", "glass_break", on=False)
    assert isinstance(posted[1], SoundEvent)
    assert posted[1].ended_by == "source_lost"


def test_the_end_of_what_an_earlier_run_began_is_where_it_was_last_heard():
    """Same id, ended by the restart: where the history knows how long its sound went on, then; else at its
    last update. The clock may meanwhile have been set back."""
    left = event(id="e1", at=START + timedelta(seconds=3))
    [end] = cut_short([left], START + timedelta(minutes=1), {})
    assert (end.id, end.state, end.ended_by, end.ended_at) == ("e1", "ended", "restart", left.at)
    assert end.at == START + timedelta(minutes=1)
    heard_until = START + timedelta(seconds=40)
    [known] = cut_short([left], START + timedelta(minutes=1), {"e1": heard_until})
    assert known.ended_at == heard_until
    [back] = cut_short([left], START - timedelta(hours=1), {})
    assert back.at == left.at


def minute(number: int, source: str = "kitchen") -> SoundLevel:
    return SoundLevel(source, START + timedelta(minutes=number), -40.0, 60.0)


def test_how_loud_a_minute_was_is_known_in_decibels_once_the_source_is_calibrated():
    """The others stay in dBFS."""
    deciding = DecisionEngine(Tracker(), RuleEngine([], calibrations={"kitchen": 100.0}))
    [kitchen, hall] = [deciding.note_minute(minute(0, source)) for source in ("kitchen", "hall")]
    assert [one.laeq_dba for one in kitchen if isinstance(one, SoundLevel)] == [60.0]
    assert [one.laeq_dba for one in hall if isinstance(one, SoundLevel)] == [None]


def test_a_minute_in_which_a_source_was_muted_is_no_minute():
    """Also the one in which it is heard again; and only that source's."""
    deciding = engine()
    muting = [Command("mute", "kitchen", on) for on in (True, False)]
    deciding.apply_command(muting[0], START)
    assert deciding.note_minute(minute(0)) == []
    assert deciding.note_minute(minute(0, "hall")) == [minute(0, "hall")]
    deciding.apply_command(muting[1], START + timedelta(seconds=90))
    assert deciding.note_minute(minute(1)) == []
    assert deciding.note_minute(minute(2)) == [minute(2)]


def test_rules_about_what_is_not_heard_know_who_listens():
    """A source that is muted, away, or delivers dead sound could not have heard it."""
    deciding = DecisionEngine(Tracker(), RuleEngine([], sources=["kitchen"]), SourceOutage(300, ()))
    absence = deciding._rules.absence

    assert not absence._is_heard("kitchen")
    deciding.note_source(SourceStatus("kitchen", True, START), 0.0)
    assert absence._is_heard("kitchen")
    for muted in (True, False):
        deciding.apply_command(Command("mute", "kitchen", muted), START)
        assert absence._is_heard("kitchen") is not muted
    for kinds in (("dead",), ()):
        deciding.note_source(Problem("kitchen", START, kinds), 0.0)
        deciding.due_alerts(START, 0.0)
        assert absence._is_heard("kitchen") is not bool(kinds)
    deciding.note_source(SourceStatus("kitchen", False, START), 0.0)
    assert not absence._is_heard("kitchen")


def test_the_test_button_rings_like_a_real_alert():
    """Its message says that it is a test."""
    [alert] = engine().apply_command(Command("test"), START)
    assert isinstance(alert, Alert)
    assert alert.rule == "Glass"
    assert alert.message.startswith("Test")


def test_a_flood_of_tests_is_one_test_in_ten_seconds():
    """Anyone on the broker can press a thousand times; the clock may be set meanwhile."""
    deciding = engine()
    pressed_at_s = [s / 10 for s in range(250)] + [-3600.0]
    posted = {s: deciding.apply_command(Command("test"), START + timedelta(seconds=s)) for s in pressed_at_s}

    assert [s for s, alerts in posted.items() if alerts] == [0.0, 10.0, 20.0, -3600.0]
    assert all(isinstance(alert, Alert) and alert.test for alerts in posted.values() for alert in alerts)


def test_muting_ends_what_is_open_and_shows_itself():
    """The sensor does not stay on behind a mute."""
    deciding = engine()
    deciding.decide([heard("glass_break")], START)
    posted = deciding.apply_command(Command("mute", "kitchen", True), START + timedelta(seconds=1))
    assert posted[0] == LabelState("kitchen", "glass_break", on=False)
    assert posted[-1] == Setting("kitchen", "mute", True)


def test_sensitivity_comes_back_as_it_is_in_force():
    """And is in force: what was just below the onset is now heard."""
    deciding = engine()
    assert deciding.decide([heard("glass_break", 0.45)], START) == []
    posted = deciding.apply_command(Command("sensitivity", "kitchen", 1.0), START)
    assert posted == [Setting("kitchen", "sensitivity", 1.0)]
    assert deciding.decide([heard("glass_break", 0.45)], START) != []


@pytest.mark.parametrize(
    "command", [Command("ack"), Command("mute"), Command("sensitivity", "kitchen", None)]
)
def test_a_command_that_says_too_little_changes_nothing(command: Command):
    """Half a command is none."""
    assert engine().apply_command(command, START) == []


def test_rules_are_exchanged_between_two_decisions():
    """From any thread; the sound that goes on rings by a rule that is new, dated as it is decided."""
    deciding = engine()
    deciding.decide([heard("glass_break")], START)
    bang = Rule.model_validate({"name": "Break-in", "hear": ["glass_break"], "severity": "warning"})
    deciding.exchange(RuleEngine([]), Thresholds().of)
    deciding.exchange(RuleEngine([bang]), Thresholds().of)

    later = START + timedelta(seconds=1)
    [alert] = deciding.decide([], later)

    assert isinstance(alert, Alert)
    assert (alert.rule, alert.raised_at) == ("Break-in", later)
    assert deciding.decide([], later) == []


def test_thresholds_are_exchanged_while_events_go_on():
    """A bark that goes on is not cut; the next needs more. A sound that is no longer heard ends, and begins
    no more; the source's sensitivity stays."""
    deciding = engine()
    deciding.apply_command(Command("sensitivity", "kitchen", -0.5), START)
    deciding.decide([heard("dog_bark", 0.8), heard("cat", 0.9)], START)
    stricter = LABELS.validate_python({"dog_bark": {"onset": 0.85}, "cat": {"heard": False}})
    deciding.exchange(RuleEngine([]), Thresholds(general=stricter).of)
    ended = [one for one in deciding.decide([], START) if isinstance(one, SoundEvent)]
    assert [(one.label, one.state) for one in ended] == [("cat", "ended")]

    after = START + timedelta(minutes=1)
    over = deciding.decide([], after)
    assert [one.label for one in over if isinstance(one, SoundEvent)] == ["dog_bark"]
    assert deciding.decide([heard("dog_bark", 0.9, at=after), heard("cat", 0.9, at=after)], after) == []
    assert deciding.decide([heard("dog_bark", 0.95, at=after + timedelta(seconds=5))], after) != []
