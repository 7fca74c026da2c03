"""Waits between attempts."""

import random

from monitor.clock import Backoff


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
