import numpy as np
import pytest

from monitor.labels import vocabulary
from scripts.train_tagger import made
from scripts.train_tagger.targets import INDEX
from testkit.household import MAKERS

EVERY = [*(m for label in INDEX for m in made.makers_of(label)), *made.NO_LABEL]


def test_made_sounds_are_sounds_of_the_vocabulary() -> None:
    """So are those that they leave open, which never include their own."""
    for each in EVERY:
        assert each.label is None or each.label in INDEX
        assert set(each.open) <= INDEX.keys() - {each.label}


def test_every_household_sound_is_used() -> None:
    """And a label has a share of made examples only if something makes them."""
    assert all(made.makers_of(label) for label in MAKERS)
    assert all(made.makers_of(label) for label in made.SHARE)


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.make.__name__)
def test_makers_make_sound(each: made.Made) -> None:
    """At the student's rate; finite, not silent, within full scale."""
    samples = each.make(np.random.default_rng(0), 16_000)

    assert np.isfinite(samples).all()
    assert 0.01 < np.abs(samples).max() <= 1.001


def test_smoke_alarms_are_made_in_more_than_one_way() -> None:
    """Rhythm and sounder vary widely: the recordings of them are a dozen."""
    rng = np.random.default_rng(0)

    assert len({made.draw(rng, "smoke_alarm").make for _ in range(20)}) > 1


def test_what_is_taken_for_a_critical_sound_is_none() -> None:
    """A confuser is never the sound that it is to be told from."""
    for label, others in made.CONFUSED_WITH.items():
        assert label in INDEX
        assert set(others) <= INDEX.keys() - {label}
        assert not any(vocabulary()[other].severity_default == "critical" for other in others)
