"""Receivers are closed together: one that hangs holds up nobody."""

from pathlib import Path
from threading import Event
from typing import Self

import pytest
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.runtime.line import Line, close_all
from monitor.store.outbox import SqliteOutbox
from tests.builders import START, alert
from tests.runtime.test_courier import WAIT_S, Receiver


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


def line(outbox: SqliteOutbox, receiver: Receiver) -> Line:
    return Line(outbox, receiver, lambda error: None, SystemClock())


def test_one_that_hangs_is_named_and_left_behind(tmp_path: Path) -> None:
    """The others have taken leave by then, with everything that was theirs delivered."""
    may_leave = Event()
    hung = [Leaving(f"hung{n}", may_leave) for n in range(3)]
    well = Leaving("well")
    with SqliteOutbox(tmp_path / "outbox.db", SystemClock()) as outbox:
        lines = [line(outbox, receiver).__enter__() for receiver in (*hung, well)]
        outbox.put(alert(), ["well"], START)
        with capture_logs() as logs:
            close_all(lines)
        assert well.left.is_set()
        assert outbox.backlog() == {}
        assert not any(receiver.left.is_set() for receiver in hung)
        may_leave.set()
        assert all(receiver.left.wait(WAIT_S) for receiver in hung)
    [said] = [line["threads"] for line in logs if "left behind" in line["event"]]
    assert said == ["close-hung0", "close-hung1", "close-hung2"]


def test_a_receiver_that_cannot_be_opened_leaves_no_courier(tmp_path: Path) -> None:
    """The error reaches whoever opens it; nothing runs on."""
    with SqliteOutbox(tmp_path / "outbox.db", SystemClock()) as outbox:
        with pytest.raises(ValueError, match="no such receiver"):
            line(outbox, Broken()).__enter__()
        outbox.put(alert(), ["mqtt"], START)
        assert outbox.backlog() == {"mqtt": 1}
