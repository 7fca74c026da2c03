"""How loud each minute was, kept for a year."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.history.loudness.minutes import INSERT, SCHEMA, forget_minutes, minutes, row
from monitor.history.reader import History
from monitor.history.writer import MIGRATIONS, ScoreStore
from monitor.types import SoundLevel
from testkit.builders import START
from testkit.fakes import FakeClock

NOON = START.replace(hour=12, minute=0, second=0)


def level(
    number: int, source: str = "kitchen", laeq_dbfs: float = -46.0, covered_s: float = 60
) -> SoundLevel:
    return SoundLevel(source, NOON + timedelta(minutes=number), laeq_dbfs, covered_s, 0, 98.5)


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        yield connection


def test_minutes_are_kept_beside_the_scores_and_longer(tmp_path: Path):
    """To a tenth of a decibel; also where scores are let go after a day, and where it is not calibrated."""
    clock, path = FakeClock(), tmp_path / "scores.db"
    own = SoundLevel("hall", NOON, -63.2, 58)
    with ScoreStore(path, clock, keep_s=86_400) as store:
        for one in (level(0), own, level(1)):
            store.measured(one)
        store.flush()
        clock.advance(300 * 86_400)
        store.flush()
        with History(path) as history, history.rows() as found:
            assert list(minutes(found, NOON, NOON + timedelta(minutes=1))) == [own, level(0), level(1)]
            assert list(minutes(found, NOON + timedelta(seconds=1), NOON + timedelta(hours=1), "hall")) == []


def test_a_file_from_before_is_taken_over(tmp_path: Path):
    """What was kept stays, and minutes are kept beside it."""
    path = tmp_path / "scores.db"
    with closing(sqlite3.connect(path)) as before, before:
        for script in MIGRATIONS[:-1]:
            before.executescript(script)
        before.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
        before.execute("INSERT INTO level VALUES (NULL, 1, 'kitchen', -50, -60)")
    with ScoreStore(path, FakeClock()) as store:
        store.measured(level(0))
        store.flush()
    with History(path) as history, history.rows() as found:
        assert list(minutes(found, NOON, NOON)) == [level(0)]


def test_of_a_minute_that_comes_twice_the_one_that_was_measured_longer_stays(rows: sqlite3.Connection):
    """The clock was set back."""
    for covered_s in (50, 59, 45):
        rows.execute(INSERT, row(level(0, laeq_dbfs=-covered_s, covered_s=covered_s)))
    assert [one.laeq_dbfs for one in minutes(rows, NOON, NOON)] == [-59.0]


def test_what_is_older_than_a_year_goes_and_of_too_much_the_oldest(rows: sqlite3.Connection):
    """A house of many rooms cannot fill the disk."""
    rows.executemany(INSERT, [row(level(number)) for number in range(10)])
    forget_minutes(rows, NOON + timedelta(days=366, minutes=2))
    assert [one.started_at.minute for one in minutes(rows, NOON, NOON + timedelta(hours=1))] == [
        *range(2, 10)
    ]
    forget_minutes(rows, NOON + timedelta(days=1), most_rows=3)
    assert [one.started_at.minute for one in minutes(rows, NOON, NOON + timedelta(hours=1))] == [7, 8, 9]
