"""What is changed without the configuration: step by step, and never against a life-safety alarm."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.capabilities import in_force
from monitor.config.loading import as_configured, load_config
from monitor.config.overrides import (
    FILE,
    MOST_STEPS,
    Step,
    apply,
    read_steps,
    undo,
    with_overrides,
    without,
    write_steps,
)
from monitor.errors import ConfigError, StoreError
from monitor.labels import LIFE_SAFETY
from testkit.builders import START

HOUSE = """
state_dir: {folder}
sources:
  - {{type: demo, name: hall}}
  - {{type: demo, name: porch.cam, labels: {{dog_bark: {{onset: 0.8}}}}}}
labels: {{dog_bark: {{onset: 0.6}}}}
"""


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Path:
    return house_file(tmp_path)


def house_file(folder: Path) -> Path:
    path = folder / "house.yaml"
    path.write_text(HOUSE.format(folder=folder).replace("porch.cam", "porch"))
    return path


def onset(house: Path, source: str, label: str = "dog_bark") -> float:
    return in_force(load_config(house))[source][label].onset


def changed(house: Path, values: dict[str, Any]) -> Step:
    return apply(as_configured(house), values, by="test", at=START)


def test_steps_are_laid_over_and_taken_back_one_by_one(house: Path):
    """Of each place the last step holds; a source's own value stands over everybody's."""
    changed(house, {"labels.dog_bark.onset": 0.7, "labels.cat.onset": 0.33})
    changed(house, {"sources.porch.labels.dog_bark.onset": 0.9})
    assert (onset(house, "hall"), onset(house, "porch"), onset(house, "hall", "cat")) == (0.7, 0.9, 0.33)

    taken = undo(house.parent)
    assert taken is not None
    assert list(taken.values) == ["sources.porch.labels.dog_bark.onset"]
    assert onset(house, "porch") == 0.8
    undo(house.parent)
    assert onset(house, "hall") == 0.6
    assert undo(house.parent) is None


def test_none_means_as_the_file_has_it(house: Path):
    """A change can be ended without taking back what came after it."""
    changed(house, {"labels.dog_bark.onset": 0.7})
    changed(house, {"labels.dog_bark.onset": None})
    assert onset(house, "hall") == 0.6


def test_who_edits_the_file_means_it(house: Path):
    """A change holds until its place in the file says something else than it did then."""
    changed(house, {"labels.dog_bark.onset": 0.7})
    house.write_text(house.read_text().replace("onset: 0.6", "onset: 0.5"))
    assert onset(house, "hall") == 0.5


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("labels.dog_bark.onset", 1.5, "is too much; at most 1"),
        ("labels.dogbark.onset", 0.5, "did you mean 'dog_bark'"),
        ("labels.dog_bark.onsets", 0.5, "did you mean 'onset'"),
        ("sources.hal.labels.dog_bark.onset", 0.5, "did you mean 'hall'"),
        ("dog_bark", 0.5, "write labels.LABEL.KEY"),
        ("labels.smoke_alarm.onset", 0.5, "in the configuration alone"),
    ],
)
def test_what_cannot_be_is_refused_with_the_fix(house: Path, place: str, value: float, said: str):
    """Nothing is kept of a step in which anything is wrong."""
    with pytest.raises(ConfigError, match=said):
        changed(house, {"labels.cat.onset": 0.5, place: value})
    assert read_steps(house.parent) == []


def test_values_that_do_not_fit_together_are_refused(house: Path):
    """`off` above its onset would be an event that never stays."""
    with pytest.raises(ConfigError, match="above onset"):
        changed(house, {"labels.cat.onset": 0.4, "labels.cat.off": 0.6})
    assert read_steps(house.parent) == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"steps": [{"at": "noon"}]}', '{"steps": [1]}', "[" * 9999])
def test_a_damaged_file_costs_the_changes_and_stops_nothing(house: Path, text: str):
    """The daemon listens by its configuration; a command says what to do."""
    (house.parent / FILE).write_text(text)
    assert onset(house, "hall") == 0.6
    with pytest.raises(StoreError, match="remove it"):
        undo(house.parent)


def test_what_no_longer_fits_is_left_out(house: Path):
    """A source that was taken away takes its own changes with it, and no others."""
    changed(house, {"sources.porch.labels.cat.onset": 0.9, "labels.cat.onset": 0.4})
    house.write_text(house.read_text().replace("name: porch", "name: garden"))
    assert onset(house, "garden", "cat") == 0.4


def test_a_disk_that_takes_nothing_leaves_what_was_in_force(house: Path):
    """The step is refused with its reason, and the steps before it hold: never half a file."""
    changed(house, {"labels.dog_bark.onset": 0.7})
    (house.parent / f"{FILE}.part").mkdir()
    with pytest.raises(StoreError, match=FILE):
        changed(house, {"labels.dog_bark.onset": 0.9})
    with pytest.raises(StoreError, match=FILE):
        undo(house.parent)
    assert onset(house, "hall") == 0.7


def test_the_file_stays_small(tmp_path: Path):
    """The oldest of too many steps become one, and hold."""
    step = Step(START, "test", {"labels.cat.onset": 0.2}, {"labels.cat.onset": None})
    later = replace(step, values={"labels.cat.hits": 3}, configured={"labels.cat.hits": None})
    write_steps(tmp_path, [step, *[later] * (MOST_STEPS + 5)])
    steps = read_steps(tmp_path)
    assert len(steps) == MOST_STEPS
    assert steps[0].values == {"labels.cat.onset": 0.2, "labels.cat.hits": 3}


values = st.floats(0, 1) | st.integers(1, 20) | st.none()
places = st.builds(
    "{}labels.{}.{}".format,
    st.sampled_from(["", "sources.hall.", "sources.porch."]),
    st.sampled_from([*sorted(LIFE_SAFETY), "dog_bark"]),
    st.sampled_from(["onset", "hits", "within_s", "hold_s", "off"]),
)


@settings(max_examples=25)
@given(steps=st.lists(st.dictionaries(places, values, max_size=3), max_size=5))
def test_no_change_whatever_touches_a_life_safety_alarm(tmp_path_factory, steps):
    """Not even steps written into the file by hand: smoke, fire and CO are heard as configured."""
    folder = tmp_path_factory.mktemp("state")
    house = house_file(folder)
    write_steps(folder, [Step(START, "somebody", one, dict.fromkeys(one)) for one in steps])
    before, after = in_force(as_configured(house)), in_force(with_overrides(as_configured(house)))
    for source in ("hall", "porch"):
        for label in LIFE_SAFETY:
            assert after[source][label] == before[source][label]


def test_the_configuration_is_known_again_below_what_was_changed(house: Path):
    """The page knows what is in force; what it changes next is held against the file."""
    written = as_configured(house)
    changes = {"labels.dog_bark.onset": 0.9, "labels.cat.heard": False}
    apply(written, changes, by="page", at=START)
    laid = with_overrides(written)
    assert laid.labels["cat"].heard is False
    after = without(laid, read_steps(house.parent))
    assert (after.labels["dog_bark"].onset, after.labels["cat"].heard) == (0.6, None)


def test_a_step_that_changes_nothing_is_none(house: Path):
    """The same value again, what the file has anyway, nothing in place of nothing: an undo takes back what
    somebody saw change."""
    changed(house, {"labels.dog_bark.onset": 0.6})
    changed(house, {"labels.cat.onset": None})
    assert read_steps(house.parent) == []
    changed(house, {"labels.dog_bark.onset": 0.7})
    changed(house, {"labels.dog_bark.onset": 0.7})
    assert len(read_steps(house.parent)) == 1
    changed(house, {"labels.dog_bark.onset": None})
    assert len(read_steps(house.parent)) == 2


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("onset", "abc", "should be a number, such as 0.7, not 'abc'"),
        ("onset", 7, "7 is too much; at most 1"),
        ("hits", "x", "should be a whole number, not 'x'"),
        ("heard", "maybe", "should be true or false, not 'maybe'"),
    ],
)
def test_what_is_wrong_with_a_value_is_in_plain_words(house: Path, key: str, value: object, words: str):
    """Not in those of a library."""
    with pytest.raises(ConfigError, match=words):
        changed(house, {f"labels.dog_bark.{key}": value})
