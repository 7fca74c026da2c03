"""Whoever does not answer is passed over to the next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import Clock, SystemClock
from monitor.delivery.escalation import (
    ACKNOWLEDGED_S,
    DANGER_OVER_S,
    Call,
    Escalation,
    Unanswered,
)
from monitor.delivery.escalator import Escalator
from monitor.delivery.outbox import SqliteOutbox
from monitor.schema import ESCALATION_CHANNEL
from monitor.types import Alert, SoundEvent
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock, raise_it

WAIT_S = 60.0


def urgent(id: str = "a1", rule: str = "Smoke", after_s: float = 60.0) -> Alert:
    return alert(
        "smoke_alarm", id, rule=rule, notify=("me", "partner", "neighbour"), escalate_after_s=after_s
    )


def called(escalation: Escalation, now_s: float) -> list[str]:
    return [step.notifier if isinstance(step, Call) else "nobody" for step in escalation.due(now_s)]


def test_without_escalation_everybody_is_notified_at_once() -> None:
    """A rule that lists notifiers and no wait notifies all of them, and nothing is left open."""
    escalation = Escalation()

    assert escalation.raised(alert(notify=("me", "partner")), 0.0) == ("me", "partner")
    assert escalation.next_due_s() is None


def test_one_after_the_other_until_somebody_answers() -> None:
    """The first at once, each next after the wait; when all were notified, that nobody answered."""
    escalation = Escalation()

    assert escalation.raised(urgent(), 0.0) == ("me",)
    assert called(escalation, 59.9) == []
    assert called(escalation, 60.0) == ["partner"]
    assert called(escalation, 119.9) == []
    assert called(escalation, 120.0) == ["neighbour"]
    assert escalation.due(180.0) == [Unanswered("Smoke", frozenset({"a1"}))]
    assert escalation.next_due_s() is None


def test_the_next_in_line_learns_why_they_are_called() -> None:
    """The same alert with the same id, and words that say nobody has answered."""
    escalation = Escalation()
    escalation.raised(urgent(), 0.0)
    (step,) = escalation.due(60.0)

    assert isinstance(step, Call)
    assert step.alert.id == "a1"
    assert step.alert.message == "Nobody has answered yet: smoke_alarm in the kitchen"


@pytest.mark.parametrize("answer", ["a1", "a2", None])
def test_an_answer_stops_the_incident(answer: str | None) -> None:
    """Acknowledging any alert of an incident, or all, ends it for all its alerts."""
    escalation = Escalation()
    escalation.raised(urgent("a1"), 0.0)
    escalation.raised(urgent("a2"), 10.0)

    assert escalation.acknowledge(answer, 20.0) == {"a1", "a2"}
    assert called(escalation, 1000.0) == []


def test_an_answer_to_something_else_changes_nothing() -> None:
    """An unknown id, or one that was settled before, settles nothing."""
    escalation = Escalation()
    escalation.raised(urgent(rule="Smoke"), 0.0)

    assert escalation.acknowledge("a999", 1.0) == frozenset()
    assert called(escalation, 60.0) == ["partner"]


def test_a_storm_is_one_incident_and_does_not_put_off_the_next() -> None:
    """Alerts of the rule every second join: the partner is called once, in time, and hears the rest too."""
    escalation = Escalation()
    calls = []
    for second in range(100):
        notified = escalation.raised(urgent(f"a{second}"), float(second))
        assert notified == (("me",) if second <= 60 else ("me", "partner"))
        calls += called(escalation, float(second))

    assert calls == ["partner"]
    assert len(escalation.acknowledge("a7", 100.0)) == 100


def test_rules_are_incidents_of_their_own() -> None:
    """An answer to one rule's alert leaves another's open."""
    escalation = Escalation()
    escalation.raised(urgent("a1", "Smoke"), 0.0)
    escalation.raised(urgent("a2", "Glass"), 0.0)
    escalation.acknowledge("a1", 1.0)

    assert called(escalation, 60.0) == ["partner"]


def test_after_an_answer_the_first_is_notified_and_nobody_else() -> None:
    """For ten minutes somebody is on it; then the rule escalates again."""
    escalation = Escalation()
    escalation.raised(of("scream", "a1"), 0.0)
    escalation.acknowledge("a1", 30.0)

    assert escalation.raised(of("scream", "a2"), 31.0) == ("me",)
    assert called(escalation, 500.0) == []
    escalation.raised(of("scream", "a3"), 30.0 + ACKNOWLEDGED_S)
    assert called(escalation, 30.0 + ACKNOWLEDGED_S + 60.0) == ["partner"]


def test_a_test_calls_the_first_and_nobody_after() -> None:
    """A test is never open: nobody has to answer it, and the neighbours sleep on."""
    escalation = Escalation()

    assert escalation.raised(replace(urgent("t1"), test=True), 0.0) == ("me",)
    assert escalation.next_due_s() is None
    assert escalation.acknowledge(None, 20.0) == frozenset()
    assert escalation.raised(urgent("a1"), 60.0) == ("me",)
    assert called(escalation, 120.0) == ["partner"]


def of(label: str, id: str, *rooms: str, update: bool = False) -> Alert:
    """An alert of a rule that hears every danger, about sounds that go on in these rooms."""
    events = tuple(event(label, id=f"{label}/{room}", source=room) for room in rooms or ("kitchen",))
    return replace(urgent(id, "Alarms"), events=events, update=update)


def test_an_answer_to_smoke_says_nothing_about_carbon_monoxide() -> None:
    """One rule hears both: smoke acknowledged, and CO five minutes later is escalated."""
    escalation = Escalation()
    escalation.raised(of("smoke_alarm", "a1"), 0.0)
    escalation.acknowledge("a1", 10.0)

    assert escalation.raised(of("co_alarm", "a2", "bedroom"), 310.0) == ("me",)
    assert called(escalation, 370.0) == ["partner"]


def test_an_answer_covers_the_rooms_heard_so_far() -> None:
    """The kitchen is answered for; the bedroom that joins later rings and escalates anew, same id."""
    escalation = Escalation()
    escalation.raised(of("smoke_alarm", "a1"), 0.0)
    escalation.acknowledge("a1", 10.0)
    bedroom = of("smoke_alarm", "a1", "kitchen", "bedroom", update=True)

    assert escalation.rings(bedroom, 1200.0)
    assert escalation.raised(bedroom, 1200.0) == ("me",)
    (call,) = escalation.due(1260.0)
    assert isinstance(call, Call)
    assert (call.notifier, call.alert.update) == ("partner", False)
    assert escalation.acknowledge("a1", 1261.0) == {"a1"}
    assert not escalation.rings(bedroom, 1300.0)


def test_a_room_that_joins_an_unanswered_danger_does_not_ring_again() -> None:
    """It goes to whoever was called, quietly; the next in line is called with all rooms."""
    escalation = Escalation()
    escalation.raised(of("smoke_alarm", "a1"), 0.0)
    bedroom = of("smoke_alarm", "a1", "kitchen", "bedroom", update=True)

    assert not escalation.rings(bedroom, 30.0)
    assert escalation.raised(bedroom, 30.0) == ("me",)
    (call,) = escalation.due(60.0)
    assert isinstance(call, Call)
    assert len(call.alert.events) == 2
    assert not call.alert.update


def test_an_answer_lasts_while_the_danger_does_and_two_minutes() -> None:
    """An alarm that pauses calls nobody else; the next fire does, although somebody answered for the last."""
    escalation = Escalation()
    toast = of("smoke_alarm", "a1")
    escalation.raised(toast, 0.0)
    escalation.acknowledge("a1", 10.0)
    escalation.ended(toast.events[0], 3600.0)

    pause = replace(toast, id="a2", events=(event("smoke_alarm", id="again"),))
    assert escalation.raised(pause, 3610.0) == ("me",)
    assert escalation.next_due_s() is None
    escalation.ended(pause.events[0], 3700.0)
    escalation.raised(of("smoke_alarm", "a3"), 3700.0 + DANGER_OVER_S)
    assert called(escalation, 4000.0) == ["partner"]


def test_the_next_in_line_hears_of_the_gravest() -> None:
    """A doorbell after the smoke alarm, under the same rule, takes nothing from it."""
    escalation = Escalation()
    escalation.raised(urgent("a1"), 0.0)
    escalation.raised(
        alert(
            "doorbell", "a2", rule="Smoke", severity="info", notify=("me", "partner"), escalate_after_s=60.0
        ),
        50.0,
    )
    (step,) = escalation.due(60.0)

    assert isinstance(step, Call)
    assert step.alert.id == "a1"


def test_a_restart_goes_on_where_the_last_run_was() -> None:
    """What was passed on is taken up as passed on; what fell due meanwhile is due at once."""
    before, after = Escalation(), Escalation()
    before.raised(urgent(), 0.0)
    (passed_on,) = before.due(60.0)
    assert isinstance(passed_on, Call)

    after.resumed(urgent(), 0.0, waited_s=100.0)
    after.resumed(passed_on.alert, 0.0, waited_s=40.0)

    assert called(after, 0.0) == []
    (step,) = after.due(20.0)
    assert isinstance(step, Call)
    assert step.notifier == "neighbour"
    assert step.alert.message == "Nobody has answered yet: smoke_alarm in the kitchen"
    assert step.alert.why["told_before"] == ["me", "partner"]


@given(st.lists(st.floats(0, 500), max_size=30), st.none() | st.floats(0, 500))
def test_each_notifier_is_called_once_per_incident(
    raised_at_s: list[float], answered_at_s: float | None
) -> None:
    """Whenever alerts come and whenever somebody answers: nobody is called twice for one incident, in the
    listed order, and never after the answer."""
    escalation = Escalation()
    moments = sorted(
        [(at_s, "raise") for at_s in raised_at_s] + [(float(s), "tick") for s in range(0, 700, 5)]
    )
    answered = False
    calls: list[str] = []
    for count, (now_s, what) in enumerate(moments):
        if answered_at_s is not None and not answered and now_s >= answered_at_s:
            answered = bool(escalation.acknowledge(None, now_s))
            calls = []
        if what == "raise":
            escalation.raised(urgent(f"a{count}"), now_s)
        calls += called(escalation, now_s)
        if calls and calls[-1] == "nobody":
            assert calls == ["partner", "neighbour", "nobody"]
            calls = []
        assert calls == ["partner", "neighbour"][: len(calls)]
        assert not (answered and calls and now_s < (answered_at_s or 0) + ACKNOWLEDGED_S)


def broken(error: BaseException) -> None:
    raise AssertionError("the escalator stopped") from error


@contextmanager
def escalator(outbox: SqliteOutbox, clock: Clock | None = None) -> Iterator[Escalator]:
    channels = {"me": ["me", "me#2"], "partner": ["partner"], "neighbour": ["neighbour"]}
    with Escalator(outbox, ["mqtt"], channels, broken, clock or SystemClock()) as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox.db"


def test_an_alert_is_put_for_everybody_who_is_to_hear_it(path: Path) -> None:
    """The broker always, as it gets every event; every channel of the first notifier; and the escalation
    keeps it open."""
    with SqliteOutbox(path, SystemClock(), raise_it) as outbox, escalator(outbox) as running:
        running.put_all([urgent(), event()])

        assert outbox.backlog() == {"mqtt": 2, "me": 1, "me#2": 1, ESCALATION_CHANNEL: 1}
        assert running.acknowledge("a1") == {"a1"}
        assert ESCALATION_CHANNEL not in outbox.backlog()


def test_the_next_is_called_when_the_time_has_come(path: Path) -> None:
    """The thread wakes by itself, calls the next, and closes the incident after the last."""
    partner, neighbour = Event(), Event()
    with SqliteOutbox(path, SystemClock(), raise_it) as outbox, escalator(outbox) as running:
        outbox.listen("partner", partner.set)
        outbox.listen("neighbour", neighbour.set)
        running.put_all([urgent(after_s=0.05)])

        assert partner.wait(WAIT_S)
        assert neighbour.wait(WAIT_S)


def test_an_open_incident_survives_the_end_of_the_process(path: Path) -> None:
    """A run that ended without an answer goes on in the next: whoever was due meanwhile is called at once,
    and an answer still counts."""
    clock, partner = FakeClock(), Event()
    with SqliteOutbox(path, clock, raise_it) as outbox, escalator(outbox, clock) as running:
        running.put_all([urgent(after_s=60.0)])
    clock.advance(61)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        outbox.listen("partner", partner.set)
        with escalator(outbox, clock) as running:
            assert partner.wait(WAIT_S)
            assert running.acknowledge("a1") == {"a1"}
    with SqliteOutbox(path, clock, raise_it) as outbox, escalator(outbox, clock) as running:
        assert running.acknowledge(None) == frozenset()


def test_the_last_in_line_is_called_however_often_the_daemon_restarts(path: Path) -> None:
    """Each run passes the alert on once; none begins with the first again."""
    clock, calls = FakeClock(), []
    for notifier in ("partner", "neighbour"):
        with SqliteOutbox(path, clock, raise_it) as outbox:
            woken = Event()
            outbox.listen(notifier, woken.set)
            with escalator(outbox, clock) as running:
                if notifier == "partner":
                    running.put_all([urgent(after_s=60.0)])
                    clock.advance(61)
                    running.put_all([event()])  # wakes it: its clock is not the wall's
                assert woken.wait(WAIT_S)
                calls.append(notifier)
        clock.advance(61)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert outbox.backlog()["partner"] == outbox.backlog()["neighbour"] == 1


def going_on(state: str = "started", **more: Any) -> SoundEvent:
    return event("smoke_alarm", "e1", state=state, **more)


def next_call(escalation: Escalation, now_s: float) -> Alert:
    (step,) = escalation.due(now_s)
    assert isinstance(step, Call)
    return step.alert


ENDED = going_on("ended", ended_at=START, ended_by="quiet")


def test_the_next_in_line_learns_that_the_sound_has_ended() -> None:
    """Once, however many are called after; where it goes on in one room, it is not over."""
    escalation = Escalation()
    escalation.raised(replace(urgent(), events=(going_on(),)), 0.0)
    assert len(escalation.ended(ENDED, 30.0)) == 1
    text = "Nobody has answered yet: smoke_alarm in the kitchen (the sound has ended since)"
    assert [next_call(escalation, at_s).message for at_s in (60.0, 120.0)] == [text, text]

    both = Escalation()
    both.raised(replace(urgent(), events=(going_on(), event("smoke_alarm", "e2", state="updated"))), 0.0)
    both.ended(ENDED, 30.0)
    assert "ended" not in next_call(both, 60.0).message


@pytest.mark.parametrize("by", ["restart", "shutdown", "source_lost"])
def test_a_sound_that_was_cut_short_may_sound_on(by: str) -> None:
    """Nobody heard it end: nobody is told that it has."""
    escalation = Escalation()
    escalation.raised(replace(urgent(), events=(going_on(),)), 0.0)
    assert escalation.ended(going_on("ended", ended_at=START, ended_by=by), 30.0) == []
    assert "ended" not in next_call(escalation, 60.0).message


def test_a_call_that_was_due_while_we_were_away_is_late_and_knows_what_had_ended(path: Path) -> None:
    """The daemon was gone for minutes: the alert says that it is late, and what ended before is known."""
    clock, partner = FakeClock(), Event()
    with SqliteOutbox(path, clock, raise_it) as outbox, escalator(outbox, clock) as running:
        running.put_all([replace(urgent(after_s=60.0), events=(going_on(),))])
        running.put_all([ENDED])
    clock.advance(480)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        outbox.listen("partner", partner.set)
        with escalator(outbox, clock) as running:
            assert partner.wait(WAIT_S)
            [entry] = outbox.waiting("partner")
            assert running.acknowledge("a1") == {"a1"}
        assert outbox.waiting(ESCALATION_CHANNEL) == []
    assert isinstance(entry.message, Alert)
    assert (entry.late, entry.message.lag_s) == (True, 420.0)
    assert entry.message.message.endswith("(the sound has ended since)")


def test_a_call_in_time_is_not_late() -> None:
    """To be called after the others is no delay."""
    escalation = Escalation()
    escalation.raised(urgent(), 0.0)
    assert next_call(escalation, 60.5).lag_s == 0.0
