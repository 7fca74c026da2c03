"""Events and alerts between detection and acknowledgement, on a real disk that is made to fail."""

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.config.model import Config
from monitor.delivery.base import WHOLE_TOPIC, Entry
from monitor.delivery.deliveries import OUTBOX
from monitor.delivery.delivery import Delivery
from monitor.delivery.outbox import SqliteOutbox
from monitor.delivery.sender import as_of_now
from monitor.types import Alert, SoundEvent
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock, raise_it

ENDED = event(state="ended", ended_at=START, ended_by="quiet")
PHONE = ["phone"]
BOTH = ["mqtt", "phone"]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.db"


@pytest.fixture
def outbox(path: Path, clock: FakeClock) -> Iterator[SqliteOutbox]:
    with SqliteOutbox(path, clock, raise_it) as outbox:
        yield outbox


def ids(entries: list[Entry]) -> list[str]:
    return [entry.message.id for entry in entries]


def settled(outbox: SqliteOutbox) -> bool:
    """Wait until the disk has done what there is to do now; whether messages are on disk."""
    assert outbox.settle(10)
    return outbox.durable


def put(outbox: SqliteOutbox, *messages: SoundEvent | Alert, channels: list[str] = PHONE) -> None:
    for message in messages:
        outbox.put(message, channels)


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file of this process may grow beyond what the log of the store has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(part.stat().st_size for part in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_each_channel_gets_everything_in_order(outbox: SqliteOutbox) -> None:
    """A message waits for each of its channels, oldest first, until that channel has acknowledged it."""
    put(outbox, alert(id="first"), alert(id="second"), channels=BOTH)
    first, second = outbox.waiting("mqtt")

    outbox.release(first, START)

    assert [first.message.id, second.message.id] == ["first", "second"]
    assert ids(outbox.waiting("mqtt")) == ["second"]
    assert ids(outbox.waiting("phone")) == ["first", "second"]
    assert outbox.backlog() == {"mqtt": 1, "phone": 2}


def test_the_gravest_of_many_can_be_asked_for(outbox: SqliteOutbox) -> None:
    """Alarms of smoke, carbon monoxide and fire, then the most severe alerts, then the oldest; handed out in
    order all the same."""
    put(outbox, *(alert("dog_bark", id=str(number), severity="info") for number in range(5)))
    put(outbox, alert("glass_break", id="glass"), alert("knock", id="knock", severity="info"))
    put(outbox, alert("co_alarm", id="co", severity="info"))

    assert ids(outbox.waiting("phone", limit=1, by_severity=True)) == ["co"]
    assert ids(outbox.waiting("phone", limit=4, by_severity=True)) == ["0", "1", "glass", "co"]
    sent = [each.number for each in outbox.waiting("phone", limit=2)]
    assert ids(outbox.waiting("phone", limit=3, skip=sent, by_severity=True)) == ["2", "glass", "co"]


def test_what_is_on_its_way_is_skipped(outbox: SqliteOutbox) -> None:
    """`skip` and `limit` cut the queue where the sender stands."""
    put(outbox, *[event(id=str(i)) for i in range(5)])
    sent = [each.number for each in outbox.waiting("phone", limit=2)]

    assert ids(outbox.waiting("phone", limit=2, skip=sent)) == ["2", "3"]


def test_alerts_come_before_events(outbox: SqliteOutbox) -> None:
    """After an outage an alert does not wait behind thousands of events; each kind keeps its order."""
    put(outbox, event(id="e1"), alert(id="a1"), event(id="e2"), alert(id="a2"))

    assert ids(outbox.waiting("phone")) == ["a1", "a2", "e1", "e2"]
    assert ids(outbox.waiting("phone", limit=3)) == ["a1", "a2", "e1"]


def test_a_refused_topic_is_passed_over(outbox: SqliteOutbox) -> None:
    """Up to a number, so that a new alert is tried although earlier ones are refused; or asked for alone."""
    put(outbox, event(id="kitchen"), alert(id="old"), event(id="porch", source="porch"), alert(id="new"))
    old = outbox.waiting("phone", 1)[0].number

    skipped = outbox.waiting("phone", skip_topics={"alert": old, "kitchen/event": WHOLE_TOPIC})
    assert ids(skipped) == ["new", "porch"]
    assert ids(outbox.waiting("phone", topic="kitchen/event")) == ["kitchen"]


def test_a_put_wakes_its_channels_only(outbox: SqliteOutbox) -> None:
    """Whoever listens on a channel is called once per message for it, when it can already be read."""
    heard: list[list[str]] = []
    outbox.listen("phone", lambda: heard.append(ids(outbox.waiting("phone"))))

    put(outbox, event(id="mine"))
    put(outbox, event(id="theirs"), channels=["mqtt"])

    assert heard == [["mine"]]


def test_what_was_left_is_late_after_a_restart(path: Path, clock: FakeClock) -> None:
    """What an earlier run left is still there, in order and late; what comes now is not."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, event(id="left"))
    clock.advance(1)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, event(id="new"))

        assert [(e.message.id, e.late) for e in outbox.waiting("phone")] == [("left", True), ("new", False)]


def test_what_has_waited_for_seconds_is_late(outbox: SqliteOutbox, clock: FakeClock) -> None:
    """Late is logged for what waited over two seconds, and how long it waited."""
    put(outbox, event())
    clock.advance(2)
    assert [e.late for e in outbox.waiting("phone")] == [False]
    clock.advance(1)

    assert [(e.late, e.waited_s) for e in outbox.waiting("phone")] == [(True, 3.0)]


def test_what_is_still_to_come_is_not_late(path: Path, clock: FakeClock) -> None:
    """A recording is heard faster than it sounds: its alert waits for minutes, and is late only once its own
    time has passed, or where an earlier run left it."""
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, alert(at=clock.now() + timedelta(seconds=600)))
        clock.advance(300)
        assert [(e.late, e.waited_s) for e in outbox.waiting("phone")] == [(False, 300.0)]
    with SqliteOutbox(path, clock, raise_it) as outbox:
        clock.advance(303)
        assert [e.late for e in outbox.waiting("phone")] == [True]
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, alert(at=clock.now() + timedelta(seconds=600)))
    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert [e.late for e in outbox.waiting("phone")] == [True, True]


def test_what_was_judged_late_is_late(outbox: SqliteOutbox) -> None:
    """An overloaded machine decides long after the sound: who gets it at once must know all the same."""
    put(outbox, event(lag_s=41.0), event(id="prompt"))

    assert [e.late for e in outbox.waiting("phone")] == [True, False]


def test_setting_the_clock_makes_nothing_late(path: Path) -> None:
    """An hour forward or ten years: within one run only the monotonic clock counts, for lateness and age."""

    class SetClock(FakeClock):
        def set(self, hours: float) -> None:
            self._now += timedelta(hours=hours)

    clock = SetClock()
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, alert())
        clock.set(10 * 365 * 24)
        put(outbox, *[event(id=str(i)) for i in range(100)])

        assert [(e.message.id, e.late, e.waited_s) for e in outbox.waiting("phone", limit=1)] == [
            ("a00000000001", False, 0.0)
        ]


def test_an_alarm_is_urgent(outbox: SqliteOutbox) -> None:
    """Alerts about smoke, carbon monoxide and fire say that they may go first; nothing else does."""
    put(outbox, alert("smoke_alarm"), alert("co_alarm"), alert("glass_break"), event("smoke_alarm"))

    assert [e.urgent for e in outbox.waiting("phone")] == [True, True, False, False]


def test_alerts_delivered_lately_are_wanted_again(outbox: SqliteOutbox, clock: FakeClock) -> None:
    """On a rewind, alerts delivered since then wait again, late, with their id; events do not, and other
    channels are not touched."""
    put(outbox, alert(id="old"), alert(id="recent"), event(id="sound"), channels=BOTH)
    for channel in BOTH:
        for entry, age_s in zip(outbox.waiting(channel), (200, 60, 60), strict=True):
            outbox.release(entry, clock.now() - timedelta(seconds=age_s))

    count = outbox.rewind("mqtt", clock.now() - timedelta(seconds=120))

    assert count == 1
    assert [(e.message.id, e.late) for e in outbox.waiting("mqtt")] == [("recent", True)]
    assert outbox.waiting("phone") == []


def sequence(entry: Entry) -> int:
    """How often it was delivered before, as its receiver gets it."""
    message = as_of_now(entry)
    assert isinstance(message, Alert)
    return message.sequence


def test_repeats_are_counted_also_over_a_restart(path: Path, clock: FakeClock) -> None:
    """A receiver that got an alert before knows its repeat by its number."""
    found = []
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, alert())
        for _ in range(2):
            [entry] = outbox.waiting("phone")
            found.append(sequence(entry))
            outbox.release(entry, clock.now())
            outbox.rewind("phone", clock.now())
    with SqliteOutbox(path, clock, raise_it) as outbox:
        found += [sequence(entry) for entry in outbox.waiting("phone")]
    assert found == [0, 1, 2]


def test_a_rewind_survives_a_restart(path: Path, clock: FakeClock) -> None:
    """Delivered alerts are remembered on disk, so that a house which restarts with us loses none."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, alert())
        before.release(before.waiting("phone")[0], clock.now())
    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert outbox.waiting("phone") == []
        assert outbox.rewind("phone", clock.now()) == 1


def test_events_are_gone_when_everyone_has_them(outbox: SqliteOutbox, path: Path) -> None:
    """A delivered event leaves no row behind."""
    put(outbox, event(), channels=BOTH)
    for channel in BOTH:
        outbox.release(outbox.waiting(channel)[0], START)

    assert settled(outbox)
    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT COUNT(*) FROM message").fetchone() == (0,)
    reader.close()


def test_the_least_severe_oldest_goes_first(path: Path, clock: FakeClock) -> None:
    """A full outbox gives up events before alerts and mild before severe, counts them and says it once; an
    alarm stays to the end."""
    with SqliteOutbox(path, clock, raise_it, max_entries=50) as outbox, capture_logs() as logs:
        put(outbox, alert("smoke_alarm", id="fire", severity="info"))
        put(outbox, *[alert(id=f"alert{i}", severity="info") for i in range(5)])
        put(outbox, *[event(id=f"event{i}") for i in range(122)])
        kept = ids(outbox.waiting("phone", limit=1000))

    assert kept[:6] == ["fire", *[f"alert{i}" for i in range(5)]]
    assert kept[6:] == [f"event{i}" for i in range(122 - len(kept[6:]), 122)]
    assert len(kept) <= 50
    assert outbox.counts.shed == 128 - len(kept)
    assert sum("the outbox is full" in line["event"] for line in logs) == 2


def test_tests_are_the_first_to_go(path: Path, clock: FakeClock) -> None:
    """Who presses the test button ten thousand times evicts no alarm, nor so much as a bark: only tests."""
    with SqliteOutbox(path, clock, raise_it, max_entries=50) as outbox:
        put(outbox, alert("smoke_alarm", id="fire"), event(id="bark"))
        put(outbox, *[alert("smoke_alarm", id=f"test{i}", test=True) for i in range(190)])
        kept = ids(outbox.waiting("phone", limit=1000))

    assert {"fire", "bark"} <= set(kept)
    assert all(not entry.startswith("test0") for entry in kept)
    assert len(kept) <= 50


def test_large_messages_are_bounded_too(path: Path, clock: FakeClock) -> None:
    """The bound on size counts what is in the messages."""
    with SqliteOutbox(path, clock, raise_it, max_bytes=100_000) as outbox:
        put(outbox, *[event(id=str(i), description="x" * 10_000) for i in range(64)])

        kept = ids(outbox.waiting("phone"))
        assert 1 <= len(kept) <= 10
        assert kept[-1] == "63"


def test_what_nobody_took_for_a_week_is_given_up(path: Path, clock: FakeClock) -> None:
    """Too old is dropped at the next start, counted and logged."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, alert(id="ancient"))
    clock.advance(8 * 86400)
    with capture_logs() as logs, SqliteOutbox(path, clock, raise_it) as outbox:
        assert outbox.waiting("phone") == []
        assert outbox.counts.expired == 1
    assert [line["count"] for line in logs] == [1]


@pytest.mark.parametrize("days", [2, 30])
def test_a_clock_set_between_two_runs_makes_nothing_old(path: Path, clock: FakeClock, days: int) -> None:
    """A board without a clock starts weeks behind; what waited ten seconds has waited ten seconds."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, alert("glass_break", stale_after_s=600.0))
    clock.advance(10)
    clock.set_wall(days * 86400)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert [entry.waited_s for entry in outbox.waiting("phone")] == [10.0]


def test_a_waiting_alarm_is_never_given_up_by_age(path: Path, clock: FakeClock) -> None:
    """Smoke, carbon monoxide and fire wait as long as it takes."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, alert("smoke_alarm", id="smoke"), alert("glass_break", id="glass"))
    clock.advance(30 * 86400)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert ids(outbox.waiting("phone")) == ["smoke"]


def test_only_the_owner_can_read_it(outbox: SqliteOutbox, path: Path) -> None:
    """The directory is 0700 and every file of the store 0600: events show who is at home."""
    put(outbox, event())

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(part.stat().st_mode) for part in path.parent.iterdir()} == {0o600}


def test_alerts_go_on_when_the_disk_is_full(path: Path, clock: FakeClock) -> None:
    """With no room left, what waits and what comes is delivered from memory after one message; when there is
    room again it is on disk again, and what was delivered meanwhile does not come back."""
    with SqliteOutbox(path, clock, raise_it) as outbox, capture_logs() as logs:
        put(outbox, alert(id="before"))
        with full_disk(path):
            put(outbox, *[alert(id=f"during{i}") for i in range(300)])
            assert not settled(outbox)
            waiting = outbox.waiting("phone", limit=1000)
            assert ids(waiting) == ["before", *[f"during{i}" for i in range(300)]]
            outbox.release(waiting[0], START)
            clock.advance(11)
            put(outbox, alert(id="still full"))
            assert not settled(outbox)
        clock.advance(11)
        put(outbox, alert(id="after"))
        assert settled(outbox)
        expected = [*[f"during{i}" for i in range(300)], "still full", "after"]
        assert ids(outbox.waiting("phone", limit=1000)) == expected
    with SqliteOutbox(path, clock, raise_it) as again:
        assert ids(again.waiting("phone", limit=1000)) == expected

    assert [line["log_level"] for line in logs] == ["warning", "info"]


def test_a_disk_that_fills_up_again_and_again_is_not_said_each_time(path: Path, clock: FakeClock) -> None:
    """Room that comes and goes at once: the pause before the next return doubles, so an hour of it is a
    handful of lines; and nothing is lost."""
    with SqliteOutbox(path, clock, raise_it) as outbox, capture_logs() as logs:
        for second in range(0, 3600, 5):
            clock.advance(5)
            if settled(outbox):
                with full_disk(path):
                    put(outbox, *[alert(id=f"{second}-{i}", message="x" * 5000) for i in range(3)])
                    assert not settled(outbox)
        waiting = outbox.waiting("phone", limit=1000)

    failures = [line for line in logs if line["log_level"] == "warning"]
    assert 4 <= len(failures) <= 12
    assert len(waiting) == 3 * len(failures)


def test_a_directory_that_cannot_be_used_stops_nothing(tmp_path: Path, clock: FakeClock) -> None:
    """Where no file can be made, everything works from memory, and moves to disk as soon as it can be."""
    blocked = tmp_path / "state"
    blocked.write_text("in the way")
    path = blocked / "outbox.db"
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, alert(id="live"))
        assert ids(outbox.waiting("phone")) == ["live"]
        assert not settled(outbox)
        blocked.unlink()
        clock.advance(11)
        put(outbox, alert(id="kept"))
    with SqliteOutbox(path, clock, raise_it) as again:
        assert ids(again.waiting("phone")) == ["live", "kept"]


def test_what_could_not_be_read_at_the_start_comes_later(path: Path, clock: FakeClock) -> None:
    """When the store is held by another process at the start, its messages are delivered, late, once it is
    free; nothing in it is overwritten by what was kept in memory meanwhile."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, *[alert(id=f"left{i}") for i in range(3)])
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, alert(id="meanwhile"))
        assert ids(outbox.waiting("phone")) == ["meanwhile"]
        holder.close()
        clock.advance(11)

        assert settled(outbox)
        waiting = outbox.waiting("phone")
        assert [(e.message.id, e.late) for e in waiting[:3]] == [(f"left{i}", True) for i in range(3)]
        assert ids(waiting[3:]) == ["meanwhile"]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "empty tables", "newer"])
def test_a_damaged_store_is_set_aside(path: Path, clock: FakeClock, damage: str) -> None:
    """A file that is no store of ours is kept under its date, and a new one is begun, without being asked."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, *[event(id=str(i), description="x" * 500) for i in range(50)])
    spoil(path, damage)
    with capture_logs() as logs, SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, alert(id="live"))
        assert ids(outbox.waiting("phone"))[-1] == "live"
        clock.advance(11)
        assert settled(outbox)
        assert ids(outbox.waiting("phone"))[-1] == "live"

    assert path.with_name("outbox.db.20260102T030405Z").exists() or list(path.parent.glob("outbox.db.2026*Z"))
    assert sum("set aside" in line["event"] for line in logs) == 1
    with SqliteOutbox(path, clock, raise_it) as again:
        assert ids(again.waiting("phone")) == ["live"]


def spoil(path: Path, damage: str) -> None:
    if damage == "garbage":
        path.write_bytes(os.urandom(path.stat().st_size))
    elif damage == "truncated":
        os.truncate(path, path.stat().st_size // 2)
    else:
        with sqlite3.connect(path) as writer:
            writer.execute("PRAGMA user_version = 99" if damage == "newer" else "DROP TABLE delivery")
        writer.close()


def test_a_store_deleted_under_us_is_begun_anew(outbox: SqliteOutbox, path: Path, clock: FakeClock) -> None:
    """`rm` while running costs nothing that waits: it is carried over and written to a new file."""
    put(outbox, alert(id="before"))
    for part in path.parent.iterdir():
        part.unlink()

    put(outbox, alert(id="after"))
    settled(outbox)
    clock.advance(11)

    assert settled(outbox)
    assert ids(outbox.waiting("phone")) == ["before", "after"]
    assert path.exists()


def test_a_store_overwritten_under_us_is_replaced(outbox: SqliteOutbox, path: Path, clock: FakeClock) -> None:
    """Garbage written over the file while it is open: alerts go on, and the next file is whole."""
    put(outbox, *[alert(id=str(i)) for i in range(3)])
    for part in path.parent.iterdir():
        with part.open("r+b") as file:  # in place: a cut file takes away memory that SQLite has mapped
            file.write(os.urandom(part.stat().st_size))

    put(outbox, alert(id="live"))
    for _ in range(3):
        settled(outbox)
        clock.advance(11)

    assert settled(outbox)
    assert ids(outbox.waiting("phone")) == ["0", "1", "2", "live"]


def test_what_goes_on_is_known_at_the_next_start(path: Path, clock: FakeClock) -> None:
    """Events that began and did not end, delivered or not, as last posted; their end takes them off."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, event(id="ends"), event(id="goes on"), alert(id="no event"))
        put(before, replace(ENDED, id="ends"), event(id="goes on", state="updated", score=0.99))
        for entry in before.waiting("phone"):
            before.release(entry, START)
    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert [(left.id, left.score) for left in outbox.left_going_on] == [("goes on", 0.99)]
        put(outbox, replace(ENDED, id="goes on"))
    with SqliteOutbox(path, clock, raise_it) as again:
        assert again.left_going_on == []


def test_what_goes_on_without_receivers_is_known_at_the_next_start(path: Path, clock: FakeClock) -> None:
    """A house that notifies nobody still keeps a history: its events end there after a kill -9."""
    with SqliteOutbox(path, clock, raise_it) as before:
        before.put(event(id="goes on"), [])
        before.put(alert(), [])
        assert before.backlog() == {}
    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert [left.id for left in outbox.left_going_on] == ["goes on"]


def test_an_event_that_ends_while_the_disk_is_full_has_ended(path: Path, clock: FakeClock) -> None:
    """What goes on is carried over with the messages and written back with them."""
    with SqliteOutbox(path, clock, raise_it) as outbox:
        put(outbox, event(id="ends"), event(id="goes on"))
        with full_disk(path):
            put(outbox, *[alert(id=str(i), message="x" * 5000) for i in range(50)])
            assert not settled(outbox)
            put(outbox, replace(ENDED, id="ends"), event(id="new"))
        clock.advance(11)
        assert settled(outbox)
    with SqliteOutbox(path, clock, raise_it) as again:
        assert sorted(left.id for left in again.left_going_on) == ["goes on", "new"]


def test_an_acknowledgement_after_the_end_is_not_heard(path: Path, clock: FakeClock) -> None:
    """A receiver that hung while the daemon stopped: its thread comes too late and harms nothing."""
    with SqliteOutbox(path, clock, raise_it) as outbox, capture_logs() as logs:
        put(outbox, alert())
        [entry] = outbox.waiting("phone")
    outbox.release(entry, START)
    assert logs == []
    with SqliteOutbox(path, clock, raise_it) as again:
        assert len(again.waiting("phone")) == 1


def test_what_a_newer_version_wrote_is_left_for_it(path: Path, clock: FakeClock) -> None:
    """A row of a newer codec is passed over, not dropped; one that is damaged is given up and counted."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, event(id="newer"), event(id="damaged"), event(id="fine"))
    with sqlite3.connect(path) as writer:
        writer.execute("UPDATE message SET version = 99 WHERE body LIKE '%newer%'")
        writer.execute("UPDATE message SET body = substr(body, 1, 20) WHERE body LIKE '%damaged%'")
    writer.close()

    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert ids(outbox.waiting("phone")) == ["fine"]
        assert outbox.counts.unreadable == 1
        assert outbox.backlog() == {"phone": 2}


def test_damaged_rows_do_not_hide_what_follows(path: Path, clock: FakeClock) -> None:
    """A whole page of unreadable messages is not taken for the end of the queue."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, *[event(id=str(i)) for i in range(5)])
    with sqlite3.connect(path) as writer:
        writer.execute("UPDATE message SET body = '' WHERE number < 5")
    writer.close()

    with SqliteOutbox(path, clock, raise_it) as outbox:
        assert ids(outbox.waiting("phone", limit=2)) == ["4"]


def test_threads_share_it(outbox: SqliteOutbox) -> None:
    """Threads that put, deliver and release at the same time lose nothing and keep each one's order."""
    per_thread = 50

    def speak(name: str) -> None:
        put(outbox, *[event(id=f"{name}-{i}", source=name) for i in range(per_thread)])

    speakers = [threading.Thread(target=speak, args=(name,)) for name in ("porch", "hall", "attic")]
    for speaker in speakers:
        speaker.start()
    taken: list[str] = []
    while any(speaker.is_alive() for speaker in speakers) or outbox.backlog():
        for entry in outbox.waiting("phone", limit=7):
            taken.append(entry.message.id)
            outbox.release(entry, START)

    for name in ("porch", "hall", "attic"):
        assert [id for id in taken if id.startswith(name)] == [f"{name}-{i}" for i in range(per_thread)]


KILLED = """
import sys
from pathlib import Path
from monitor.clock import SystemClock
from monitor.delivery.outbox import SqliteOutbox
from testkit.builders import START, alert, event
from testkit.fakes import raise_it
with SqliteOutbox(Path(sys.argv[1]), SystemClock(), raise_it) as outbox:
    n = int(sys.argv[2])
    while True:
        outbox.put(alert(id=f"a{n}") if n % 3 == 0 else event(id=f"e{n}"), ["phone"])
        sys.stdout.write(f"{n}\\n")
        sys.stdout.flush()
        n += 1
"""


def test_kill_minus_nine_loses_nothing_that_was_put(path: Path) -> None:
    """Everything whose `put` returned is there after a SIGKILL at whatever instruction, in order, once."""
    clock = FakeClock()
    printed: list[int] = []
    for lines in (3, 41, 100, 257):
        start = len(printed)
        writer = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path), str(start)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        printed += [int(next(writer.stdout)) for _ in range(lines)]
        writer.send_signal(signal.SIGKILL)
        printed += [int(line) for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        writer.stdout.close()
        with SqliteOutbox(path, clock, raise_it) as outbox:
            entries = outbox.waiting("phone", limit=100_000)
            kept = [int(each.message.id[1:]) for each in sorted(entries, key=lambda each: each.number)]
            assert kept[: len(printed)] == printed
            assert len(kept) - len(printed) <= 1
            printed = kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.sampled_from(["event", "alert"])),
            st.tuples(st.just("release"), st.integers(0, 5)),
            st.tuples(st.just("restart"), st.none()),
            st.tuples(st.just("fail"), st.none()),
        ),
        max_size=25,
    )
)
def test_whatever_happens_what_is_not_released_waits(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, object]]
) -> None:
    """Through any order of puts, releases, restarts and losses of the file, exactly what was put and not
    released waits, alerts first, in the order in which they were put."""
    path, clock = tmp_path_factory.mktemp("outbox") / "outbox.db", FakeClock()
    expected: list[str] = []
    outbox = SqliteOutbox(path, clock, raise_it).__enter__()
    for count, (step, choice) in enumerate(steps):
        clock.advance(11)
        if step == "put":
            id = f"{choice}{count}"
            put(outbox, event(id=id) if choice == "event" else alert(id=id))
            expected = sorted([*expected, id], key=lambda each: each.startswith("event"))
        elif step == "release" and expected:
            index = int(str(choice)) % len(expected)
            outbox.release(outbox.waiting("phone")[index], START)
            del expected[index]
        elif step == "restart":
            outbox.__exit__()
            outbox = SqliteOutbox(path, clock, raise_it).__enter__()
        elif step == "fail":
            settled(outbox)
            path.unlink(missing_ok=True)
            clock.advance(11)
        assert ids(outbox.waiting("phone")) == expected
    outbox.__exit__()


def test_what_a_slow_disk_gives_late_is_posted_and_delivered(path: Path, clock: FakeClock) -> None:
    """The disk did not answer at the start: the messages that wait, and events that went on, come later."""
    with SqliteOutbox(path, clock, raise_it) as before:
        put(before, event(id="goes on"))
    found: list[SoundEvent] = []
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with closing(holder), SqliteOutbox(path, clock, raise_it, found_late=found.extend) as outbox:
        put(outbox, event(id="live"))
        assert ids(outbox.waiting("phone")) == ["live"]
        assert outbox.left_going_on == found == []
        holder.close()
        clock.advance(11)
        assert settled(outbox)
        assert [left.id for left in found] == ["goes on"]
        assert ids(outbox.waiting("phone")) == ["goes on", "live"]


def test_a_disk_that_takes_nothing_for_a_minute_is_an_alert(tmp_path: Path, clock: FakeClock) -> None:
    """People hear of it while everything still goes out, and health says it; and that it takes again."""
    config = Config.model_validate(
        {
            "node": "home",
            "state_dir": str(tmp_path / "state"),
            "sources": [{"type": "demo", "name": "hall"}],
            "publishers": [{"type": "console"}],
            "drill": {"chain_test": "never"},
        }
    )
    with Delivery(config, lambda _: None, lambda _: None, raise_it, clock) as delivery:
        assert settled(delivery.outbox)
        with full_disk(tmp_path / "state" / OUTBOX):
            put(delivery.outbox, *[alert(id=f"during{i}") for i in range(300)])
            assert not settled(delivery.outbox)
            assert delivery.look() == []
            clock.advance(61)
            [stuck] = delivery.look()
            assert not settled(delivery.outbox)
        assert (stuck.rule, stuck.severity) == ("Not delivering", "warning")
        assert stuck.message.startswith(
            "the disk has taken nothing for 1 minute: what waits is in memory only"
        )
        assert delivery.health()["stuck"] == [stuck.message]
        clock.advance(11)
        put(delivery.outbox, alert(id="after"))
        assert settled(delivery.outbox)
        assert delivery.look() == []
        clock.advance(61)
        [back] = delivery.look()
        assert back.message == "the disk takes again, after 1 minute"
        assert delivery.health()["stuck"] == []
