import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.recordings.evaluation.metrics import (
    EventRate,
    Proportion,
    average_precision,
    calibration_error,
    poisson_upper,
)


def test_average_precision_of_a_known_order() -> None:
    """Right, wrong, right: (1/1 + 2/3) / 2."""
    truth = np.array([True, False, True, False])

    assert average_precision(truth, np.array([0.9, 0.8, 0.7, 0.1])) == pytest.approx((1 + 2 / 3) / 2)


def test_a_classifier_that_says_the_same_of_everything_has_the_share_of_positives() -> None:
    """Equal scores share their place, whatever the order of the clips."""
    truth = np.array([True] + [False] * 9)

    assert average_precision(truth, np.full(10, 0.5)) == pytest.approx(0.1)
    assert average_precision(truth[::-1], np.full(10, 0.5)) == pytest.approx(0.1)


def test_without_positives_there_is_no_average_precision() -> None:
    """Not 0 and not 1."""
    assert math.isnan(average_precision(np.zeros(3, bool), np.arange(3.0)))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1), st.randoms())
def test_average_precision_does_not_depend_on_the_order_of_clips(
    pairs: list[tuple[bool, int]], random: Random
) -> None:
    """Nor leaves 0-1."""
    shuffled = random.sample(pairs, len(pairs))
    first, second = (
        average_precision(np.array([t for t, _ in p]), np.array([float(s) for _, s in p]))
        for p in (pairs, shuffled)
    )

    assert (math.isnan(first) and math.isnan(second)) or first == pytest.approx(second)
    assert math.isnan(first) or 0 < first <= 1 + 1e-9


def test_honest_scores_have_no_calibration_error() -> None:
    """Of ten sounds scored 0.3, three are there."""
    truth = np.array([True] * 3 + [False] * 7)

    assert calibration_error(truth, np.full(10, 0.3)) == pytest.approx(0)
    assert calibration_error(truth, np.full(10, 0.9)) == pytest.approx(0.6)


def test_intervals_of_proportions() -> None:
    """Wilson's interval for 8 of 10 (from his formula), and for nothing seen."""
    assert Proportion(8, 10).interval == pytest.approx((0.490, 0.943), abs=0.001)
    assert Proportion(0, 0).interval == (0, 1)
    assert math.isnan(Proportion(0, 0).value)


@pytest.mark.parametrize(("events", "bound"), [(0, 2.996), (1, 4.744), (5, 10.513), (40, 52.069)])
def test_the_rule_of_three_and_its_like(events: int, bound: float) -> None:
    """One-sided 95 % bounds of a Poisson mean, as printed in tables (half the chi-square quantile)."""
    assert poisson_upper(events) == pytest.approx(bound, abs=0.01)


def test_no_event_in_thirty_hours_is_not_never() -> None:
    """At most 0.1 per hour, with 95 % confidence."""
    assert EventRate(0, 30.0).per_hour == 0
    assert EventRate(0, 30.0).upper_per_hour == pytest.approx(0.0999, abs=0.001)
    assert math.isnan(EventRate(0, 0).per_hour)
