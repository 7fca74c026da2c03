"""`earwitness set` and `undo`, as they are typed."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.cli.console import DEMO, NOWHERE, where_kept
from monitor.config.capabilities import in_force
from monitor.config.loading import as_configured, default_config, load_config
from monitor.config.overrides import apply
from monitor.config.taught import write_taught
from monitor.runtime.instance import OnlyInstance
from testkit.fakes import raise_it
from testkit.taught import taught
from tests.cli.test_commands import earwitness, unboxed


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(f"state_dir: {tmp_path}\nsources: [{{type: demo, name: hall}}]\n")
    return path


def test_a_change_is_in_force_and_listed_until_it_is_taken_back(house, capsys):
    """Set, checked, undone: the configuration itself is never written."""
    text = house.read_text()
    assert earwitness("set", "dog_bark.onset=0.61", "--source", "hall", "--config", house) == 0
    assert in_force(load_config(house))["hall"]["dog_bark"].onset == 0.61
    assert earwitness("check", "--config", house) == 0
    assert "sources.hall.labels.dog_bark.onset = 0.61" in capsys.readouterr().err
    assert earwitness("undo", "--list", "--config", house) == 0
    assert "command line" in capsys.readouterr().out

    assert earwitness("undo", "--config", house) == 0
    assert in_force(load_config(house))["hall"]["dog_bark"].onset != 0.61
    assert earwitness("undo", "--config", house) == 1
    assert house.read_text() == text


def test_what_is_no_change_is_answered_with_an_example(house, capsys):
    """A slip of the pen changes nothing; neither does an alarm that must be heard."""
    assert earwitness("set", "dog_bark", "--config", house) == 2
    assert "dog_bark.onset=0.7" in unboxed(capsys.readouterr().err)
    assert earwitness("set", "smoke_alarm.onset=1", "--config", house) == 78
    assert "in the configuration alone" in capsys.readouterr().err


def test_a_rule_is_listed_as_it_is_written(house, capsys):
    """On one line of YAML, not as Python; and an empty list is said to be one."""
    assert earwitness("undo", "--list", "--config", house) == 0
    assert "There is nothing to take back" in capsys.readouterr().out
    rule = {"name": "Dogs", "hear": ["dog_bark"], "between": "22:00-07:00"}
    apply(as_configured(house), {"rules.Dogs": rule}, by="page", at=datetime.now(UTC))
    apply(as_configured(house), {"labels.insect.heard": False}, by="page", at=datetime.now(UTC))
    written = "rules.Dogs = {name: Dogs, hear: [dog_bark], between: '22:00-07:00'}"
    assert earwitness("undo", "--list", "--config", house) == 0
    assert written in unboxed(capsys.readouterr().out)
    assert earwitness("check", "--config", house) == 0
    shown = unboxed(capsys.readouterr().err)
    assert written in shown
    assert "labels.insect.heard = off" in shown


def test_the_scene_that_plays_is_meant_where_there_is_no_configuration(tmp_path, monkeypatch, capsys):
    """Also where a house was listened to before: whoever runs now is asked for a drill."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    own = default_config([NOWHERE])
    (own.state_folder() / DEMO).mkdir(parents=True)
    (own.state_folder() / "scores.db").touch()
    assert where_kept(own, None) == own
    with OnlyInstance(own.state_folder() / DEMO, raise_it):
        write_taught(own.state_folder() / DEMO, taught())
        assert where_kept(own, None).state_folder() == own.state_folder() / DEMO
        assert where_kept(own, None).taught.labels == ("washer_done",)
        with OnlyInstance(own.state_folder(), raise_it):
            assert where_kept(own, None) == own
