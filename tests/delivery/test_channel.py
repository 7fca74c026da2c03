"""Receivers are closed together: one that hangs holds up nobody."""

from pathlib import Path
from threading import Event, Timer
from typing import Self

import pytest
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.delivery.channel import ENDED, STOPPED, Channel, close_all
from monitor.delivery.outbox import SqliteOutbox
from testkit.builders import alert
from testkit.fakes import raise_it
from tests.delivery.test_sender import WAIT_S, Receiver


class Leaving(Receiver):
    """A receiver that takes leave, once it may."""

    def __init__(self, name: str, may_leave: Event | None = None) -> None:
        super().__init__()
        self.name = name
        self.left = Event()
        self._may_leave = may_leave

    def __exit__(self, *exc: object) -> None:
        if self._may_leave is not None:
            self._may_leave.wait(WAIT_S)
        self.left.set()


class Broken(Receiver):
    """A receiver that cannot be opened."""

    def __enter__(self) -> Self:
        raise ValueError("no such receiver")


def line(outbox: SqliteOutbox, receiver: Receiver) -> Channel:
    return Channel(outbox, receiver, lambda error: None, SystemClock())


def test_one_that_hangs_is_named_and_left_behind(tmp_path: Path) -> None:
    """The others have taken leave by then, with everything that was theirs delivered."""
    may_leave = Event()
    hung = [Leaving(f"hung{n}", may_leave) for n in range(3)]
    well = Leaving("well")
    with SqliteOutbox(tmp_path / "outbox.db", SystemClock(), raise_it) as outbox:
        lines = [line(outbox, receiver).open() for receiver in (*hung, well)]
        outbox.put(alert(), ["well"])
        with capture_logs() as logs:
            close_all(lines, STOPPED)
        assert well.left.is_set()
        assert outbox.backlog() == {}
        assert not any(receiver.left.is_set() for receiver in hung)
        may_leave.set()
        assert all(receiver.left.wait(WAIT_S) for receiver in hung)
    [said] = [line["threads"] for line in logs if "left behind" in line["event"]]
    assert said == ["close-hung0", "close-hung1", "close-hung2"]


def test_at_the_end_of_all_recordings_a_receiver_that_is_not_ready_is_waited_for(tmp_path: Path) -> None:
    """A recording may be heard out before a broker is ready: what it gave is delivered all the same."""
    late = Leaving("late")
    late.become(is_ready=False)
    with SqliteOutbox(tmp_path / "outbox.db", SystemClock(), raise_it) as outbox:
        lines = [line(outbox, late).open()]
        outbox.put(alert(), ["late"])
        ready = Timer(0.1, late.become, kwargs={"is_ready": True})
        ready.start()
        close_all(lines, ENDED)
        assert outbox.backlog() == {}
        ready.join()


def test_on_a_stop_a_receiver_that_is_not_ready_is_not_waited_for(tmp_path: Path) -> None:
    """What is its own is kept for the next start."""
    away = Leaving("away")
    away.become(is_ready=False)
    with SqliteOutbox(tmp_path / "outbox.db", SystemClock(), raise_it) as outbox:
        lines = [line(outbox, away).open()]
        outbox.put(alert(), ["away"])
        close_all(lines, STOPPED)
        assert away.left.is_set()
        assert outbox.backlog() == {"away": 1}


def test_a_receiver_that_cannot_be_opened_leaves_no_sender(tmp_path: Path) -> None:
    """The error reaches whoever opens it; nothing runs on."""
    with SqliteOutbox(tmp_path / "outbox.db", SystemClock(), raise_it) as outbox:
        with pytest.raises(ValueError, match="no such receiver"):
            line(outbox, Broken()).open()
        outbox.put(alert(), ["mqtt"])
        assert outbox.backlog() == {"mqtt": 1}
