"""Saying again what is still wrong."""

import pytest

from monitor.publishers.terminal.reminder import Reminder, spoken_length


def test_it_is_said_ever_more_seldom():
    """A day of trouble is some thirty lines, not ten thousand; at most an hour passes without one."""
    reminder = Reminder(0.0)
    times_s = [second for second in range(86_400) if reminder.due(second)]
    assert times_s[:5] == [60, 180, 420, 900, 1860]
    assert times_s[-1] - times_s[-2] == 3600
    assert len(times_s) == 28


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40 s"), (60, "1 min"), (3600, "60 min"), (7200, "2 h"), (200_000, "2 days")]
)
def test_a_length_of_time_is_read_at_a_glance(seconds, words):
    """In one unit."""
    assert spoken_length(seconds) == words
