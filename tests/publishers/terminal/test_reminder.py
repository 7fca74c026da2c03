"""Saying again what is still wrong."""

from monitor.publishers.terminal.reminder import Reminder


def test_it_is_said_ever_more_seldom():
    """A day of trouble is some thirty lines, not ten thousand; at most an hour passes without one."""
    reminder = Reminder(0.0)
    times_s = [second for second in range(86_400) if reminder.due(second)]
    assert times_s[:5] == [60, 180, 420, 900, 1860]
    assert times_s[-1] - times_s[-2] == 3600
    assert len(times_s) == 28
