"""How long a message has waited, across restarts and clocks that somebody sets."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.delivery.outbox import SqliteOutbox
from testkit.builders import alert
from testkit.fakes import FakeClock, raise_it

DAY_S = 86400.0


def waited_s(path: Path, clock: FakeClock) -> float:
    """What the next start takes for the age of the one message that waits."""
    with SqliteOutbox(path, clock, raise_it) as outbox:
        (entry,) = outbox.waiting("mqtt", 10)
        return entry.waited_s


@pytest.mark.parametrize("step_s", [2 * DAY_S, 30 * DAY_S, -21 * DAY_S])
def test_setting_the_clock_makes_nothing_older_in_the_same_boot(tmp_path: Path, step_s: float) -> None:
    """A clock that jumps, or was weeks behind, moves no age: the monotonic one goes on across a restart."""
    clock = FakeClock()
    with SqliteOutbox(tmp_path / "outbox.db", clock, raise_it) as outbox:
        outbox.put(alert(), ["mqtt"])
    clock.advance(60.0)
    clock.set_wall(step_s)

    assert waited_s(tmp_path / "outbox.db", clock) == pytest.approx(60.0)


@pytest.mark.parametrize(("passed_s", "expected_s"), [(60.0, 60.0), (30 * DAY_S, 1000.0)])
def test_after_another_boot_the_younger_reading_counts(
    tmp_path: Path, passed_s: float, expected_s: float
) -> None:
    """The wall clock, unless this boot is shorter: one that was weeks behind makes nothing older."""
    with SqliteOutbox(tmp_path / "outbox.db", FakeClock(), raise_it) as outbox:
        outbox.put(alert(), ["mqtt"])
    later = FakeClock(FakeClock().now() + timedelta(seconds=passed_s), boot="second")

    assert waited_s(tmp_path / "outbox.db", later) == pytest.approx(expected_s)
