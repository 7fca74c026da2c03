"""Timestamps that lie, and holes that are there."""

from collections.abc import Callable
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.timing.timestamps import Timestamps

PACKET_S = 0.02


def holes(
    stamp: Callable[[int], float], late: Callable[[int], float] = lambda _: 0.0, count: int = 1500
) -> list[float]:
    """What is found missing in sound that is whole: packet by packet stamped and delayed like this."""
    stamps = Timestamps()
    found = [
        stamps.missing_s(stamp(number), PACKET_S, number * PACKET_S + late(number)) for number in range(count)
    ]
    return [each for each in found if each]


@given(ticks_per_tick=st.floats(0, 20))
def test_stamps_in_a_wrong_unit_make_no_hole(ticks_per_tick: float) -> None:
    """90 kHz for 8 kHz, 48 kHz, half of it, all zero: the sound is whole."""
    assert holes(lambda number: number * PACKET_S * ticks_per_tick) == []


@pytest.mark.parametrize("jitter_s", [0.05, 0.15, 0.25, 0.9])
def test_stamps_with_jitter_make_no_hole(jitter_s: float) -> None:
    """Stamped by a busy processor, up to a second late."""
    rng = np.random.default_rng(1)
    assert holes(lambda number: number * PACKET_S + rng.uniform(0, jitter_s)) == []


def test_stamps_of_the_moment_of_sending_make_no_hole() -> None:
    """Ten packets at once, five times a second, each stamped when it leaves."""
    assert holes(lambda n: n // 10 * 0.2 + n % 10 * 0.001, late=lambda n: (9 - n % 10) * PACKET_S) == []


@pytest.mark.parametrize("far_s", [0.5, 3, 20, 37_600, -9_800])
def test_a_stray_stamp_makes_no_hole(far_s: float) -> None:
    """One packet in a hundred is stamped somewhere else; no time has passed for that."""
    assert holes(lambda number: number * PACKET_S + (far_s if number % 100 == 99 else 0)) == []


@pytest.mark.parametrize("lost_s", [0.2, 1.0, 12.0])
def test_lost_packets_are_a_hole_of_their_length(lost_s: float) -> None:
    """Stamps that kept step name what is missing, and go on doing so after it."""
    stamps, found = Timestamps(), []
    for cycle in range(4):
        for number in range(250):
            at_s = cycle * (5 + lost_s) + number * PACKET_S
            found.append(stamps.missing_s(at_s, PACKET_S, at_s))
    assert [round(each, 6) for each in found if each] == [lost_s] * 3


def test_a_sender_that_begins_anew_after_a_pause_is_a_hole_of_unknown_length() -> None:
    """Its stamps begin at 0 again, and four seconds have passed."""
    stamps = Timestamps()
    for number in range(250):
        assert stamps.missing_s(number * PACKET_S, PACKET_S, number * PACKET_S) == 0
    assert stamps.missing_s(0.0, PACKET_S, 9.0) == inf
    assert stamps.missing_s(PACKET_S, PACKET_S, 9.0 + PACKET_S) == 0


def test_a_sender_that_begins_anew_without_a_pause_is_no_hole() -> None:
    """As when a camera's clock is set: the sound goes on."""
    assert holes(lambda number: number * PACKET_S + (1e6 if number >= 700 else 0)) == []


def test_sound_without_stamps_has_no_holes() -> None:
    """Not every container has any."""
    assert Timestamps().missing_s(None, 1.0, 0.0) == 0
