"""A house's life as `bench teach` composes it."""

import pytest

from monitor.classifiers.taggers.embedded import EmbeddedConfig
from scripts.scenes.house_sounds import house_scene, planned
from scripts.scenes.kinds import HOUSE_HOURS
from scripts.scenes.recordings import Pool


def test_a_day_has_its_hours_and_the_first_of_it_is_like_the_rest():
    """Of each kind as long as it lasts, in a drawn order, so that a run that was stopped is a shorter day."""
    plan = planned(24, seed=3)
    assert sorted(number for number, _, _ in plan) == list(range(len(plan)))
    for kind, hours in HOUSE_HOURS.items():
        assert sum(one for _, own, one in plan if own == kind) == pytest.approx(hours, abs=0.05)
    half = plan[: len(plan) // 2]
    quiet = sum(one for _, kind, one in half if kind == "quiet") / sum(one for _, _, one in half)
    assert quiet == pytest.approx(0.5, abs=0.1)
    assert planned(24, seed=3) == plan != planned(24, seed=4)


def test_a_scene_is_heard_the_same_again(pool: Pool):
    """Looks and what beeps in them, whether it is heard alone or after others; each look holds something."""
    classifier = EmbeddedConfig(type="embedded").build()
    classifier.load()
    scene = next(one for one in planned(24, seed=3) if one[1] == "quiet")
    heard, again = (house_scene(pool, classifier, 3, *scene) for _ in range(2))
    assert heard == again
    assert heard.placed
    assert any(look.whole for look in heard.looks)
    for look in heard.looks:
        assert all(0 <= one.at_s <= look.end_s - look.start_s for one in look.beeps)
