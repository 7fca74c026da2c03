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


def test_what_is_taught_is_taken_in_and_what_is_forgotten_is_not(file: Path):
    """A new sound, or one taught anew, no source has to know; of one forgotten events have to end."""
    write_taught(file.parent, taught())
    before = load_config(file)
    write_taught(file.parent, taught("gate"))
    with_gate = load_config(file)
    assert before != with_gate
    assert only_decisions_differ(before, with_gate)
    assert not only_decisions_differ(with_gate, before)
    write_taught(file.parent, taught("gate", hits=2))
    assert only_decisions_differ(with_gate, load_config(file))
    assert load_config(file) == load_config(file)


def test_a_sound_that_is_taught_anew_is_heard_by_those_who_listen(file: Path):
    """Of another model before: what was wrong is wrong no more. Its hits count, of several models, too."""
    write_taught(file.parent, taught(model="0" * 64))
    classifiers = load_classifiers(load_config(file))
    try:
        assert "taught with another model" in classifiers.missing["taught"]
        write_taught(file.parent, taught(hits=2))
        config = load_config(file)
        now = classifiers.taught(config.taught)
    finally:
        classifiers.close()
    assert "taught" not in now.missing
    assert "washer_done" in now.first[0].labels
    together = config.model_copy(update={"combine": "mean_log_odds", "classifiers": config.classifiers * 2})
    assert in_force(together)["hall"]["washer_done"].hits == 2
