import numpy as np
import pytest

from scripts.scenes.backgrounds import Kind, a_day, kinds
from scripts.scenes.composing import Bed
from scripts.scenes.scoring import FalseEvent


def false(path: str, label: str = "siren") -> FalseEvent:
    """A false event over this recording."""
    return FalseEvent("one", label, 0.0, 0.9, "tagger", "music", path)


def beds(*paths: str) -> list[Bed]:
    """Six minutes of each."""
    return [Bed("music", path, 360.0 * n, 360.0 * (n + 1)) for n, path in enumerate(paths)]


def test_a_recording_heard_again_is_not_another_recording():
    """Hours grow, distinct minutes do not."""
    kind = kinds([("music", beds("a", "a", "b"), [false("a")])], {"siren"})["music"]
    assert kind.hours == pytest.approx(0.3)
    assert kind.distinct_minutes == pytest.approx(12)
    assert kind.an_hour == pytest.approx(1 / 0.3)


def test_only_labels_that_count_are_false():
    """A false siren is no critical event."""
    found = kinds([("music", beds("a"), [false("a")])], {"gunshot"})
    assert found["music"].an_hour == 0


def test_one_bad_recording_widens_the_bound():
    """Ten false events of one recording say less than ten of ten."""
    names = [str(n) for n in range(10)]
    one = Kind()
    one.add(beds(*names), [false("0")] * 10)
    spread = Kind()
    spread.add(beds(*names), [false(name) for name in names])
    rng = np.random.default_rng(0)
    assert one.an_hour == spread.an_hour
    assert one.bound(rng) > 1.5 * spread.bound(rng)


def test_where_nothing_was_false_the_rule_of_three_bounds_it():
    """Three in the hours of distinct recordings."""
    kind = Kind()
    kind.add(beds("a", "a", "b"), [])
    assert kind.bound(np.random.default_rng(0)) == pytest.approx(15)


def test_a_day_weighs_kinds_by_their_hours():
    """A false siren an hour of music, in three hours of music."""
    kind = Kind()
    kind.add(beds(*map(str, range(10))), [false(str(n)) for n in range(10)])
    mean, bound = a_day({"music": kind}, {"music": 3.0})
    assert mean == pytest.approx(30)
    assert bound >= mean
