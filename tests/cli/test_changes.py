"""`earwitness set` and `undo`, as they are typed."""

from pathlib import Path

import pytest

from monitor.config.capabilities import in_force
from monitor.config.loading import load_config
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
