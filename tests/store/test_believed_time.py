"""By which time old things are let go: a clock that leaps is not believed for a day."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.history.reader import History
from monitor.history.writer import ScoreStore
from monitor.store.believed_time import FILE, BelievedTime
from monitor.types import Findings
from testkit.builders import heard
from testkit.fakes import FakeClock

HOUR_S, DAY_S = 3600.0, 86_400.0
YEARS_S = 10 * 365 * DAY_S


def run(time: BelievedTime, clock: FakeClock, hours: float) -> None:
    """The daemon runs for so long, and looks at the clock every ten minutes."""
    for _ in range(round(hours * 6)):
        clock.advance(600)
        time.tend()


def test_a_clock_that_goes_as_it_should_is_believed(tmp_path: Path):
    """Over restarts, small corrections and a night without power."""
    clock = FakeClock()
    for off_s in (0.0, 60.0, 8 * HOUR_S, -120.0):
        clock.set_wall(off_s)
        time = BelievedTime(tmp_path, clock)
        time.tend()
        assert time.now() == clock.now()
        run(time, clock, 5)
        assert time.now() == clock.now()


def test_a_clock_that_is_years_ahead_for_a_while_makes_nothing_old(tmp_path: Path):
    """Before and after a restart time passes as the daemon runs, until the clock is right again."""
    clock = FakeClock()
    time = BelievedTime(tmp_path, clock)
    run(time, clock, 1)
    right = clock.now()
    with capture_logs() as logs:
        clock.set_wall(YEARS_S)
        run(time, clock, 10)
        assert time.now() - right == timedelta(hours=10)
        time = BelievedTime(tmp_path, clock)
        run(time, clock, 10)
        assert timedelta(hours=19) < time.now() - right <= timedelta(hours=20)
        assert "3650 days" in time.notes()["clock"]
        clock.set_wall(-YEARS_S)
        run(time, clock, 1)
    assert time.now() == clock.now()
    assert time.notes() == {}
    assert [line["event"].split(":")[0] for line in logs] == [
        "the clock leapt",
        "the clock is believed again",
    ]


def test_a_leap_that_holds_for_a_day_is_believed(tmp_path: Path):
    """The house was closed for three weeks: a day later what is old goes; nobody is told of a fault."""
    clock = FakeClock()
    run(BelievedTime(tmp_path, clock), clock, 1)
    closed_at = clock.now()
    clock.set_wall(21 * DAY_S)
    time = BelievedTime(tmp_path, clock)
    run(time, clock, 12)
    time = BelievedTime(tmp_path, clock)  # a restart in between costs at most what was not yet kept
    run(time, clock, 11)
    assert time.now() - closed_at < timedelta(days=1)
    assert time.notes() == {}
    run(time, clock, 2)
    assert time.now() == clock.now()


def test_a_clock_that_is_behind_at_every_start_costs_no_day(tmp_path: Path):
    """Without a battery it begins in 1970 until a time server answers: then it is believed at once."""
    clock = FakeClock()
    time = BelievedTime(tmp_path, clock)
    run(time, clock, 2)
    behind_s = (clock.now() - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    for _ in range(3):
        clock.set_wall(-behind_s)
        time = BelievedTime(tmp_path, clock)
        run(time, clock, 1)
        assert time.now() == clock.now()
        assert time.now().year == 1970
        clock.set_wall(behind_s)
        run(time, clock, 1)
        assert time.now() == clock.now()
        assert time.now().year > 2000


@pytest.mark.parametrize(
    "text", ["[", "{}", '{"believed": "2026-01-01T00:00:00", "leapt_to": null}', "[" * 9999]
)
def test_a_damaged_file_stops_nothing(tmp_path: Path, text: str):
    """It is logged; the clock is believed as it is."""
    (tmp_path / FILE).write_text(text)
    clock = FakeClock()
    with capture_logs() as logs:
        time = BelievedTime(tmp_path, clock)
        time.tend()
    assert time.now() == clock.now()
    assert len(logs) == 1
    assert json.loads((tmp_path / FILE).read_text())["leapt_to"] is None


def test_scores_outlast_a_clock_that_is_years_ahead(tmp_path: Path):
    """Their week is a week in which the daemon ran; then they go."""
    clock, path = FakeClock(), tmp_path / "scores.db"
    time = BelievedTime(tmp_path, clock)
    began_at = clock.now()
    with ScoreStore(path, clock, believed_now=time.now) as store:
        store.hear(Findings("kitchen", began_at, (heard("dog_bark", 0.9),)), began_at)
        store.flush()
        clock.set_wall(YEARS_S)
        for _ in range(20):
            run(time, clock, 1)
            store.flush()
        assert _looks(path, began_at) == 1
        clock.set_wall(-YEARS_S)
        run(time, clock, 1)
        store.flush()
        assert _looks(path, began_at) == 1
        for _ in range(8 * 24):
            run(time, clock, 1)
        store.flush()
        assert _looks(path, began_at) == 0


def test_where_room_is_made_a_row_from_years_ahead_costs_no_others(tmp_path: Path):
    """The oldest tenth of the rows goes, not the oldest tenth of the years."""
    clock, path = FakeClock(), tmp_path / "scores.db"
    began_at = clock.now()
    scores = tuple(heard(label, 0.25, segment_id="0123456789ab") for label in ("dog_bark", "knock"))
    with ScoreStore(path, clock, max_bytes=200_000) as store:
        for _ in range(3000):
            clock.advance(1)
            store.hear(Findings("kitchen", began_at, scores), clock.now())
        store.hear(Findings("kitchen", began_at, scores), clock.now() + timedelta(seconds=YEARS_S))
        store.flush()
        clock.advance(601)
        store.flush()
    assert 400 < _looks(path, began_at) < 3000


def _looks(path: Path, at: datetime) -> int:
    with History(path) as history:
        return len(list(history.looks(at - timedelta(days=1), at + timedelta(days=1))))
