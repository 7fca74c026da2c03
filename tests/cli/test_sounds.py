"""`earwitness teach`, as it is typed."""

from pathlib import Path

import numpy as np
import pytest

from testkit import alarms
from testkit.taught import record, tune
from tests.cli.test_commands import earwitness, unboxed


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(f"state_dir: {tmp_path / 'state'}\nsources: [{{type: demo, name: hall}}]\n")
    return path


def test_a_tune_is_taught_heard_listed_and_forgotten(house: Path, capsys):
    """From five recordings made by arithmetic; a sixth is heard."""
    clips = [record(house.parent, tune(n), f"tune{n}.wav") for n in range(6)]
    assert earwitness("teach", "washer_done", *clips[:5], "--config", house) == 0
    shown = capsys.readouterr()
    assert "Washer done (washer_done), learning until" in shown.out
    assert "expected: hears 5 of 5" in shown.out
    assert "second factor: its rhythm, " in shown.out
    assert "which 5 of 5 hearings have" in shown.out
    assert "hear: [washer_done]" in shown.err

    assert earwitness("analyze", clips[5], "--config", house) == 0
    assert "washer_done" in capsys.readouterr().out
    assert earwitness("teach", "washer_done", "--config", house) == 0  # from the clips it was taught from
    assert earwitness("teach", "--list", "--config", house) == 0
    assert "second factor: its rhythm, " in capsys.readouterr().out  # learnt again from what is kept of it

    house.write_text(house.read_text() + "rules: [{name: washer, hear: [washer_done]}]\n")
    assert earwitness("check", "--config", house) == 0
    assert earwitness("teach", "--forget", "washer_done", "--config", house) == 1
    assert "a rule names washer_done" in capsys.readouterr().err
    house.write_text(house.read_text().replace("washer_done", "dog_bark"))
    assert earwitness("teach", "--forget", "washer_done", "--config", house) == 0
    assert earwitness("teach", "--forget", "washer_done", "--config", house) == 1


def test_a_smoke_alarm_cannot_be_taught(house: Path, capsys):
    """Neither by its name nor by its sound."""
    alarm = alarms.played(alarms.piezo(), alarms.temporal_three(4), 16_000)
    clips = [record(house.parent, alarm, f"beep{n}.wav") for n in range(3)]
    assert earwitness("teach", "smoke_alarm", *clips, "--config", house) == 2
    assert "it is heard without teaching" in unboxed(capsys.readouterr().err)
    assert earwitness("teach", "kitchen_beep", *clips, "--config", house) == 1
    assert "is heard without teaching. Nothing is taught" in capsys.readouterr().out


def test_what_teaches_nothing_is_left_out_with_the_reason(house: Path, capsys):
    """Silence, a recording that is overdriven, an event that is not there."""
    silent = record(house.parent, np.zeros(16_000, np.float32), "silent.wav")
    loud = record(house.parent, np.clip(20 * tune(1), -1, 1), "loud.wav")
    assert earwitness("teach", "gate", silent, loud, "0123456789ab", "--config", house) == 1
    shown = capsys.readouterr()
    for reason in ("too quiet", "overdriven", "no such event"):
        assert reason in shown.err
    assert "too few" in shown.out


def test_it_names_what_is_missing(house: Path, capsys):
    """Neither recordings nor a sound that was taught before."""
    assert earwitness("teach", "gate", "--config", house) == 2
    assert earwitness("teach", "gate", "--now", "--config", house) == 1
    assert "needs one that runs" in capsys.readouterr().err
    assert earwitness("teach", "--config", house) == 0
    assert "Nothing is taught yet" in capsys.readouterr().out


def test_what_is_made_now_is_heard_by_a_source_that_is_there(house: Path, capsys):
    """A slip of the pen, and a daemon that does not run, are said before anybody makes a sound."""
    assert earwitness("teach", "gate", "--now", "--source", "hal", "--config", house) == 2
    assert "did you mean 'hall'?" in unboxed(capsys.readouterr().err)
    assert earwitness("teach", "gate", "--now", "--source", "hall", "--config", house) == 1
    assert "--now needs one that runs" in unboxed(capsys.readouterr().err)
