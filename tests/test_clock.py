"""Waits between attempts."""

import random
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from monitor.clock import Backoff, next_at


def test_waits_double_up_to_the_longest():
    """1, 2, 4, 8, 8 ... s, each within 20 %."""
    backoff = Backoff(1, 8, random.Random(1))
    for expected_s in (1, 2, 4, 8, 8):
        assert 0.8 * expected_s <= backoff.next_s() <= 1.2 * expected_s


def test_success_begins_anew():
    """After a reset the next wait is the shortest again."""
    backoff = Backoff(1, 8, random.Random(1))
    for _ in range(4):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 1.2


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("day", "shown", "offset"),
    [
        ("2026-03-28", "02:30", "+01:00"),
        ("2026-03-29", "03:30", "+02:00"),  # 02:30 is left out on this day
        ("2026-10-25", "02:30", "+02:00"),  # and comes twice on this one
        ("2026-10-26", "02:30", "+01:00"),
    ],
)
def test_a_time_of_day_comes_once_a_day_also_where_the_clocks_change(day: str, shown: str, offset: str):
    """From midnight on it is this one; after it, the next day's."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    found = next_at(midnight, time(2, 30), zone=BERLIN)
    assert found.astimezone(BERLIN).isoformat() == f"{day}T{shown}:00{offset}"
    assert (
        next_at(found, time(2, 30), zone=BERLIN).astimezone(BERLIN).date() > found.astimezone(BERLIN).date()
    )


def test_a_weekday_comes_once_a_week():
    """Sunday's eleven o'clock, from a Sunday at eleven, is a week later."""
    sunday = datetime(2026, 3, 22, 11, tzinfo=BERLIN)
    found = next_at(sunday, time(11), 6, BERLIN)
    assert found.astimezone(BERLIN).isoformat() == "2026-03-29T11:00:00+02:00"
