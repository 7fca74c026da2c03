"""Taught sounds in a configuration: labels like any other."""

from pathlib import Path

import pytest

from monitor.config.capabilities import in_force, taught_problems, warnings
from monitor.config.house import build_house
from monitor.config.loading import default_config, load_config, retaught
from monitor.config.taught import write_taught
from monitor.errors import ConfigError
from monitor.labels import vocabulary
from monitor.pipeline.build import build_decision_engine, load_classifiers, only_decisions_differ
from testkit.taught import taught

HOUSE = """
state_dir: {folder}
sources: [{{type: demo, name: hall}}]
labels: {{washer_done: {{hold_s: 20}}}}
rules: [{{name: washer, hear: [washer_done]}}]
"""


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.format(folder=tmp_path))
    return path


def test_a_rule_may_name_it_as_soon_as_it_is_taught(file: Path):
    """Not before; and Home Assistant gets its entity."""
    with pytest.raises(ConfigError, match="unknown label 'washer_done'"):
        load_config(file)
    write_taught(file.parent, taught())

    config = load_config(file)

    assert "washer_done" in vocabulary()
    row = in_force(config)["hall"]["washer_done"]
    assert (row.onset, row.hits, row.hold_s) == (0.5, 1, 20)
    [room] = build_house(config).sources
    assert "washer_done" in room.labels
    assert "washer_done" in room.event_labels
    assert not warnings(config)


def test_it_is_taken_up_where_nobody_wrote_a_configuration(tmp_path: Path):
    """By who listens already, too: there is no file that would be read anew."""
    block = {"type": "demo", "name": "hall"}
    config = default_config([block]).model_copy(update={"state_dir": tmp_path})
    write_taught(tmp_path, taught())
    assert "washer_done" in in_force(retaught(config))["hall"]


def test_a_damaged_sound_stops_nothing(file: Path):
    """Its rule stays right, everything else is heard, and `check` says what is wrong."""
    write_taught(file.parent, taught()).write_text("{")
    config = load_config(file)
    [problem] = taught_problems(config)
    assert "damaged" in problem
    assert problem in warnings(config)
    classifiers = load_classifiers(config)
    try:
        assert "damaged" in classifiers.missing["taught"]
        assert "smoke_alarm" in classifiers.first[0].labels
        build_decision_engine(config, classifiers)
    finally:
        classifiers.close()


def test_a_sound_of_another_model_is_to_be_taught_again(file: Path):
    """It is not heard, and what to type is said."""
    write_taught(file.parent, taught(model="0" * 64))
    [problem] = taught_problems(load_config(file))
    assert "earwitness teach washer_done CLIPS..." in problem


def test_a_newly_taught_sound_is_no_change_of_rules_alone(file: Path):
    """Those who hear have to know it."""
    write_taught(file.parent, taught())
    before = load_config(file)
    write_taught(file.parent, taught("gate"))
    assert not only_decisions_differ(before, load_config(file))
    assert before != load_config(file)
    assert load_config(file) == load_config(file)
