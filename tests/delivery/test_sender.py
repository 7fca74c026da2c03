"""From the outbox to a publisher and back, with real threads and a real store."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Self

import pytest
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.delivery.coalescer import Coalescer
from monitor.delivery.outbox import SqliteOutbox
from monitor.delivery.sender import MANY, WINDOW, Sender
from monitor.delivery.stuck import Still
from monitor.publishers.base import (
    DELIVERED,
    Failed,
    House,
    OnOutcome,
    PublishOutcome,
    Refused,
    ignore,
    topic_of,
)
from monitor.types import Alert, Message, SoundEvent
from testkit.builders import alert, event
from testkit.fakes import FakeClock, raise_it
from testkit.noisy_house import until

WAIT_S = 60.0
"""How long a test waits for what must happen; never how long it takes."""


class Receiver:
    """A publisher whose receiver is the test: what was handed over, and when it is acknowledged."""

    def __init__(self, *, is_ready: bool = True, acknowledges: bool = True) -> None:
        self.name = "mqtt"
        self.on_ready: Callable[[], None] = lambda: None
        self.since: datetime | None = None
        self.connections = 0
        self.raises: dict[str, Exception] = {}
        self._changed = threading.Condition()
        self._handed: list[tuple[Message, bool]] = []
        self._owed: list[OnOutcome] = []
        self.most_owed = 0
        """Messages that were ever handed over and not acknowledged at once."""
        self.outcomes: dict[str, PublishOutcome] = {}
        """Of each topic that is not delivered."""
        self.tried: list[str] = []
        self._is_ready = is_ready
        self._acknowledges = acknowledges
        self.asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None: ...

    def announce(self, house: House) -> None: ...

    def ready(self) -> bool:
        self.asked += 1
        return self._is_ready

    def lost_since(self) -> datetime | None:
        since, self.since = self.since, None
        return since

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        if error := self.raises.get(getattr(message, "id", "")):
            raise error
        if isinstance(message, SoundEvent | Alert) and (outcome := self.outcomes.get(topic_of(message))):
            with self._changed:
                self.tried.append(message.id)
                self._changed.notify_all()
            done(outcome)
            return
        with self._changed:
            self._handed.append((message, late))
            self._changed.notify_all()
            if not self._acknowledges:
                self._owed.append(done)
                self.most_owed = max(self.most_owed, len(self._owed))
                return
        done(DELIVERED)

    def become(self, *, is_ready: bool, lost_since: datetime | None = None) -> None:
        self.since, self._is_ready = lost_since, is_ready
        if is_ready:
            self.on_ready()

    def acknowledge(self, count: int | None = None) -> None:
        """Acknowledge the oldest `count` of what is owed, from this thread."""
        with self._changed:
            owed, self._owed = self._owed[:count], self._owed[len(self._owed[:count]) :]
        for done in owed:
            done(DELIVERED)

    def handed(self, count: int) -> list[str]:
        """The ids handed over, once there are `count`."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._handed) >= count, WAIT_S), self._handed
            return [getattr(message, "id", "") for message, _ in self._handed]

    def wait(self, fact: Callable[[], bool]) -> None:
        """Wait for something that was handed over or tried."""
        with self._changed:
            assert self._changed.wait_for(fact, WAIT_S), (self.tried, self._handed)

    def wait_more_than(self, count: int) -> None:
        """Wait until more messages than that were tried or handed over."""
        self.wait(lambda: len(self.tried) + len(self._handed) > count)

    def messages(self) -> list[tuple[Message, bool]]:
        with self._changed:
            return list(self._handed)


def broken(error: BaseException) -> None:
    raise AssertionError("the sender stopped") from error


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[SqliteOutbox]:
    with SqliteOutbox(tmp_path / "outbox.db", SystemClock(), raise_it) as outbox:
        yield outbox


def sender(outbox: SqliteOutbox, receiver: Receiver, **more: object) -> Sender:
    return Sender(outbox, receiver, broken, SystemClock(), **more)  # type: ignore[arg-type]


def put(outbox: SqliteOutbox, *ids: str) -> None:
    for id in ids:
        outbox.put(event(id=id), ["mqtt"])


def test_what_is_put_is_delivered_and_released(outbox: SqliteOutbox) -> None:
    """A put wakes the sender; an acknowledgement empties the outbox; nothing of it is late."""
    receiver = Receiver()
    with sender(outbox, receiver) as running:
        put(outbox, "one", "two")

        assert receiver.handed(2) == ["one", "two"]
        assert running.settle(WAIT_S)
        assert outbox.backlog() == {}
        assert running.delivered == 2
        assert [late for _, late in receiver.messages()] == [False, False]


def test_nothing_is_released_before_it_is_acknowledged(outbox: SqliteOutbox) -> None:
    """Handing over is not delivering: until the receiver says so, the message stays on disk."""
    receiver = Receiver(acknowledges=False)
    with sender(outbox, receiver) as running:
        put(outbox, "one")
        receiver.handed(1)
        assert outbox.backlog() == {"mqtt": 1}

        receiver.acknowledge()
        assert running.settle(WAIT_S)
        assert outbox.backlog() == {}


def test_a_slow_receiver_bounds_what_is_in_flight(outbox: SqliteOutbox) -> None:
    """A receiver that takes and does not acknowledge is handed one window, then more as it acknowledges, in
    order, each once."""
    receiver = Receiver(acknowledges=False)
    everything = [str(number) for number in range(3 * WINDOW)]
    put(outbox, *everything)
    with sender(outbox, receiver) as running:
        receiver.handed(WINDOW)
        taken = 0
        while taken < len(everything):
            taken = len(receiver.handed(taken + 1))
            receiver.acknowledge()

        assert running.settle(WAIT_S)
        assert receiver.handed(len(everything)) == everything
        assert receiver.most_owed == WINDOW


def test_a_receiver_that_is_away_gets_everything_when_it_is_back(outbox: SqliteOutbox) -> None:
    """While it is not ready nothing is handed over; when it calls, all of it is, in order."""
    receiver = Receiver(is_ready=False)
    with sender(outbox, receiver) as running:
        put(outbox, *[str(number) for number in range(200)])
        assert not running.settle(0.1)
        assert receiver.messages() == []

        receiver.become(is_ready=True)
        assert receiver.handed(200) == [str(number) for number in range(200)]


def test_a_missed_call_costs_a_second_not_an_alert(outbox: SqliteOutbox) -> None:
    """A publisher that is ready again and does not say so is found out."""
    receiver = Receiver(is_ready=False)
    with sender(outbox, receiver):
        put(outbox, "one")
        receiver._is_ready = True

        assert receiver.handed(1) == ["one"]


def test_a_house_that_was_away_hears_its_alerts_again(outbox: SqliteOutbox) -> None:
    """Alerts delivered since the time that the publisher names go out again, with the same id and late;
    earlier ones do not."""
    receiver = Receiver()
    with sender(outbox, receiver) as running:
        outbox.put(alert(id="safe"), ["mqtt"])
        assert running.settle(WAIT_S)
        since = SystemClock().now()
        outbox.put(alert(id="lost"), ["mqtt"])
        assert running.settle(WAIT_S)
        receiver.become(is_ready=True, lost_since=since)

        assert receiver.handed(3) == ["safe", "lost", "lost"]
        assert [late for _, late in receiver.messages()] == [False, False, True]


def test_a_message_that_was_not_taken_is_tried_again(outbox: SqliteOutbox) -> None:
    """A failure loses nothing and keeps the order."""
    receiver = Receiver()
    receiver.outcomes["kitchen/event"] = Failed("no")
    with sender(outbox, receiver) as running:
        put(outbox, "one", "two")
        assert not running.settle(0.1)
        assert receiver.messages() == []
        receiver.outcomes.clear()

        assert receiver.handed(2) == ["one", "two"]


def test_one_impossible_message_does_not_silence_the_next(outbox: SqliteOutbox) -> None:
    """A bug in publishing one message is logged with its traceback; what follows is delivered."""
    receiver = Receiver()
    receiver.raises["bad"] = ZeroDivisionError()
    with capture_logs() as logs, sender(outbox, receiver) as running:
        put(outbox, "bad", "good")

        assert receiver.handed(1) == ["good"]
        assert running.settle(WAIT_S)
    assert [(line["log_level"], line["id"]) for line in logs] == [("error", "bad")]
    assert running.standstill.figures().delivered == 1  # what was given up is no sign that anybody takes it


def test_a_stale_alert_informs(tmp_path: Path) -> None:
    """An alert older than its rule allows is delivered with severity info; a fresh one is not touched."""
    path = tmp_path / "outbox.db"
    with SqliteOutbox(path, SystemClock(), raise_it) as before:
        before.put(alert(id="stale", stale_after_s=0.0), ["mqtt"])
        before.put(alert(id="fresh", stale_after_s=1000.0), ["mqtt"])
    receiver = Receiver()
    with SqliteOutbox(path, SystemClock(), raise_it) as outbox, sender(outbox, receiver):
        receiver.handed(2)

    severities = [message.severity for message, _ in receiver.messages() if isinstance(message, Alert)]
    assert severities == ["info", "critical"]


def test_leaving_keeps_what_is_undelivered(outbox: SqliteOutbox) -> None:
    """The thread ends, what was not acknowledged stays, and an acknowledgement after that still counts."""
    receiver = Receiver(acknowledges=False)
    with sender(outbox, receiver):
        put(outbox, "one", "two")
        receiver.handed(2)
    assert outbox.backlog() == {"mqtt": 2}
    assert not any(thread.name == "send-mqtt" for thread in threading.enumerate())

    receiver.acknowledge(1)
    assert [entry.message.id for entry in outbox.waiting("mqtt")] == ["two"]


def test_a_receiver_that_hangs_does_not_hold_the_stop(outbox: SqliteOutbox) -> None:
    """A notifier stuck in its network is left behind after two seconds, with one line about it."""
    entered, release = threading.Event(), threading.Event()

    class Hanging(Receiver):
        def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
            entered.set()
            release.wait()

    with capture_logs() as logs:
        with sender(outbox, Hanging()):
            put(outbox, "one")
            assert entered.wait(WAIT_S)
        release.set()

    assert [line["log_level"] for line in logs] == ["warning"]
    assert outbox.backlog() == {"mqtt": 1}


def test_an_idle_courier_rests(outbox: SqliteOutbox) -> None:
    """With nothing to do the publisher is asked a handful of times, not thousands."""
    receiver = Receiver()
    with sender(outbox, receiver) as running:
        put(outbox, "one")
        assert running.settle(WAIT_S)
        asked = receiver.asked
        assert not threading.Event().wait(0.5)

        assert receiver.asked - asked <= 3


def test_a_bug_of_the_store_stops_the_daemon(outbox: SqliteOutbox) -> None:
    """What is no weather ends the thread through `failed`, not in silence."""
    errors: list[BaseException] = []
    failure_seen = threading.Event()

    def failed(error: BaseException) -> None:
        errors.append(error)
        failure_seen.set()

    class Broken(Receiver):
        def lost_since(self) -> datetime | None:
            raise ZeroDivisionError

    with Sender(outbox, Broken(), failed, SystemClock()):
        assert failure_seen.wait(WAIT_S)
    assert isinstance(errors[0], ZeroDivisionError)


def test_a_storm_reaches_a_person_as_one_message(outbox: SqliteOutbox) -> None:
    """With the choice for notifiers, a backlog of one rule leaves as one message that releases all of it,
    after the alarm that came last."""
    receiver = Receiver()
    for number in range(20):
        outbox.put(alert("dog_bark", id=f"bark{number}"), ["mqtt"])
    outbox.put(alert("smoke_alarm", id="fire"), ["mqtt"])
    with sender(outbox, receiver, choice=Coalescer()) as running:
        assert running.settle(WAIT_S)

    assert receiver.handed(2) == ["fire", "bark19"]
    assert outbox.backlog() == {}


def test_an_alarm_is_seen_behind_any_backlog(outbox: SqliteOutbox) -> None:
    """After days without a network more waits than is looked at at once: the smoke alarm that came last is
    the first to be notified."""
    barks = [alert("dog_bark", id=f"bark{number}", severity="info") for number in range(MANY + 100)]
    outbox.put_all([(bark, ["mqtt"]) for bark in barks])
    outbox.put(alert("smoke_alarm", id="fire"), ["mqtt"])
    receiver = Receiver()
    with sender(outbox, receiver, choice=Coalescer()):
        assert receiver.handed(1)[0] == "fire"


class Clock(FakeClock):
    """Moved by hand, for what is tried again after half a minute."""


def put_and_wait(outbox: SqliteOutbox, receiver: Receiver, *messages: SoundEvent | Alert) -> None:
    """Until each was handed over or refused."""
    for message in messages:
        before = len(receiver.tried) + len(receiver.messages())
        outbox.put(message, ["mqtt"])
        receiver.wait_more_than(before)


def test_a_refused_topic_holds_up_no_other(outbox: SqliteOutbox) -> None:
    """Events that the receiver refuses wait, however many there are; alerts pass them."""
    receiver = Receiver()
    receiver.outcomes["kitchen/event"] = Refused("not allowed")
    put(outbox, *[f"e{number}" for number in range(3 * WINDOW)])
    with sender(outbox, receiver):
        receiver.wait(lambda: len(receiver.tried) >= 1)
        outbox.put(alert(id="fire"), ["mqtt"])

        assert receiver.handed(1) == ["fire"]
        assert outbox.backlog() == {"mqtt": 3 * WINDOW}


def test_a_refused_topic_is_tried_again_with_one_message(outbox: SqliteOutbox) -> None:
    """A moment later, not each of hundreds: once it is taken the others follow in their order."""
    receiver, clock = Receiver(), Clock()
    receiver.outcomes["kitchen/event"] = Refused("not allowed")
    ids = [f"e{number:03d}" for number in range(WINDOW)]
    put(outbox, *ids)
    with Sender(outbox, receiver, broken, clock) as running:
        receiver.wait(lambda: len(receiver.tried) == WINDOW)
        clock.advance(61)
        receiver.on_ready()
        receiver.wait(lambda: len(receiver.tried) == WINDOW + 1)
        receiver.outcomes.clear()
        clock.advance(61)
        receiver.on_ready()

        assert receiver.handed(WINDOW) == ids
        assert running.settle(WAIT_S)


def test_a_new_alert_is_tried_although_earlier_ones_were_refused(outbox: SqliteOutbox) -> None:
    """Whoever it is for may have come meanwhile; what was refused before follows at once."""
    receiver = Receiver()
    receiver.outcomes["alert"] = Refused("nobody subscribes")
    with sender(outbox, receiver):
        put_and_wait(outbox, receiver, alert(id="a1"), alert(id="a2"))
        receiver.outcomes.clear()
        outbox.put(alert(id="a3"), ["mqtt"])

        assert receiver.handed(3) == ["a3", "a1", "a2"]


def test_another_connection_may_take_what_was_refused(outbox: SqliteOutbox) -> None:
    """A broker that comes back may have another access list."""
    receiver = Receiver()
    receiver.outcomes["kitchen/event"] = Refused("not allowed")
    with sender(outbox, receiver):
        put_and_wait(outbox, receiver, event(id="e1"))
        receiver.outcomes.clear()
        receiver.connections += 1
        receiver.on_ready()

        assert receiver.handed(1) == ["e1"]


def test_what_is_refused_too_long_is_given_up_but_for_alarms(tmp_path: Path) -> None:
    """Kept for as long as the refusal says; smoke, carbon monoxide and fire are never given up by age."""
    path, clock, receiver = tmp_path / "outbox.db", Clock(), Receiver()
    receiver.outcomes["alert"] = Refused("nobody subscribes", keep_s=600.0)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        outbox.put(alert("glass_break", id="glass"), ["mqtt"])
        outbox.put(alert("smoke_alarm", id="smoke"), ["mqtt"])
        clock.advance(700)
        with capture_logs() as logs, Sender(outbox, receiver, broken, clock):
            receiver.wait(lambda: len(receiver.tried) >= 2)

        assert [entry.message.id for entry in outbox.waiting("mqtt")] == ["smoke"]
        assert [line["id"] for line in logs if "given up" in line["event"]] == ["glass"]


def test_what_waits_behind_one_that_is_given_up_is_tried(tmp_path: Path) -> None:
    """Events, one after the other; and the alarm that nobody took, as soon as somebody takes it."""
    path, clock, receiver = tmp_path / "outbox.db", Clock(), Receiver()
    nobody = Refused("nobody subscribes", keep_s=600.0)
    receiver.outcomes |= {"alert": nobody, "kitchen/event": nobody}
    with SqliteOutbox(path, clock, raise_it) as outbox:
        outbox.put(alert("glass_break", id="glass"), ["mqtt"])
        outbox.put(alert("smoke_alarm", id="smoke"), ["mqtt"])
        for id in ("one", "two"):
            outbox.put(event(id=id), ["mqtt"])
        with Sender(outbox, receiver, broken, clock):
            receiver.wait(lambda: {"smoke", "glass", "one"} <= set(receiver.tried))
            clock.advance(700)
            receiver.on_ready()
            until(lambda: outbox.backlog()["mqtt"] == 1, "three to be given up", WAIT_S)
            receiver.outcomes.clear()
            clock.advance(100)
            receiver.on_ready()
            until(lambda: not outbox.backlog().get("mqtt"), "the alarm to be taken", WAIT_S)
    assert receiver.handed(1) == ["smoke"]
    assert "two" in receiver.tried


def stands_still(running: Sender, is_so: bool = True) -> bool:
    """Wait until a standstill has begun, or ended."""
    return until(lambda: (running.standstill.figures().for_s > 0.0) is is_so, "a standstill", WAIT_S) >= 0.0


def test_a_channel_stands_still_while_something_waits_and_nothing_arrives(outbox: SqliteOutbox) -> None:
    """Not ready; handed over and not acknowledged; not taken, with the reason. What arrives ends it."""
    receiver = Receiver(is_ready=False, acknowledges=False)
    with sender(outbox, receiver) as running:
        assert running.standstill.figures() == Still()
        put(outbox, "one")
        assert stands_still(running)
        receiver.become(is_ready=True)
        receiver.handed(1)
        assert stands_still(running)
        receiver.acknowledge()
        assert stands_still(running, False)

        receiver.outcomes = {"kitchen/event": Failed("no room")}
        put(outbox, "two")
        receiver.wait(lambda: receiver.tried != [])
        assert stands_still(running)
        until(lambda: running.standstill.figures().reason == "no room", "the reason", WAIT_S)


def test_what_is_held_back_on_purpose_is_no_standstill(outbox: SqliteOutbox) -> None:
    """A storm waits for company for up to a quarter of an hour."""
    receiver = Receiver()
    with sender(outbox, receiver, choice=Coalescer()) as running:
        outbox.put(alert(id="one"), ["mqtt"])
        receiver.handed(1)
        outbox.put(alert(id="two"), ["mqtt"])
        until(lambda: outbox.backlog() == {"mqtt": 1}, "one to be held back", WAIT_S)
        assert stands_still(running, False)
