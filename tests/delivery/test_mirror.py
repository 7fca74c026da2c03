"""The outbox's file: written behind, and waited for by nobody once it has stopped answering."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.delivery.mirror import MOST_PENDING, Mirror
from monitor.delivery.outbox_tables import Contents, Statement
from testkit.fakes import FakeClock, raise_it

GOING_ON = "INSERT INTO going_on VALUES (?, ?, ?)"


class Owner:
    """Has nothing but a count of changes, and gives its answer to the mirror when it is let."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.may_answer = threading.Event()
        self.mirror = Mirror(path, self.clock, self.meet, raise_it, retry_s=10.0)
        self.found: list[Contents | None] = []

    def meet(self, found: Contents | None) -> Contents | None:
        """As slow as a disk that hangs: the mirror's thread waits."""
        self.may_answer.wait()
        self.found.append(found)
        self.mirror.begin()
        return None if found is not None else Contents()

    def change(self, count: int) -> int:
        """A change like any other."""
        statements: list[Statement] = [(GOING_ON, [(str(count), 1, "{}")])]
        return self.mirror.accept(statements)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mirror.db"


def test_what_was_accepted_is_on_disk_after_the_wait(path: Path) -> None:
    """A disk that answers is waited for."""
    owner = Owner(path)
    owner.may_answer.set()
    with owner.mirror as mirror:
        for count in range(3):
            mirror.wait(owner.change(count))
        assert mirror.keeps
    again = Owner(path)
    again.may_answer.set()
    with again.mirror:
        [found] = again.found
    assert found is not None
    assert [row[0] for row in found.going_on] == ["0", "1", "2"]


def test_a_disk_that_falls_silent_is_said_once_and_recovers(path: Path) -> None:
    """It counts as not kept while it owes an answer for a second, and as kept again when it has given it."""
    owner = Owner(path)
    with owner.mirror as mirror, capture_logs() as logs:
        mirror.wait(owner.change(0))
        mirror.look()
        assert logs == []
        owner.clock.advance(1)
        mirror.look()
        mirror.look()
        assert not mirror.keeps
        owner.may_answer.set()
        assert mirror.settle(10)
        assert mirror.keeps

    assert [line["event"].split(":")[0] for line in logs] == [
        "history is not being kept", "history is being kept again",
    ]  # fmt: skip
    assert "does not answer" in logs[0]["why"]


def test_what_waits_for_a_silent_disk_is_bounded(path: Path) -> None:
    """Beyond ten thousand changes they are let go, and the file is written anew, whole."""
    owner = Owner(path)
    owner.may_answer.set()
    with owner.mirror as mirror:
        assert mirror.settle(10)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for count in range(2 * MOST_PENDING):
                owner.change(count)
            assert not mirror.keeps
        assert mirror.settle(10)
        owner.clock.advance(11)
        mirror.look()
        assert mirror.settle(10)
        assert mirror.keeps
    assert owner.found[1:] == [None]
