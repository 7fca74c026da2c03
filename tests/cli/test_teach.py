"""`earwitness review` and `suggest`, as they are typed."""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config.capabilities import in_force
from monitor.config.loading import load_config
from testkit.judged_house import live, state
from tests.cli.test_commands import earwitness, unboxed

DOGS = [0.93, 0.999, 0.94, 0.9985, 0.92, 0.9991, 0.95]


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(state(tmp_path, "labels: {dog_bark: {onset: 0.9}}\n"))
    live(load_config(path), DOGS, datetime.now(UTC))
    return path


def answered(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def test_three_questions_a_day_and_more_for_who_wants(house, capsys, monkeypatch):
    """Skipped ones count, for each was a question; --more goes on; then nothing is left."""
    answered("x\ns\nu\ny\n", monkeypatch)
    assert earwitness("review", "--config", house) == 0
    shown = capsys.readouterr()
    assert shown.out.count("hall: dog bark?") == 3
    assert "y right, n wrong" in shown.err
    assert earwitness("review", "--config", house) == 0
    assert "Enough for today" in capsys.readouterr().err
    answered("p\n" + "y\n" * 9, monkeypatch)
    assert earwitness("review", "--more", "--config", house) == 0
    shown = capsys.readouterr()
    assert shown.out.count("hall: dog bark?") == len(DOGS) - 3
    assert "clips: true" in shown.err
    assert earwitness("review", "--more", "--config", house) == 0
    assert "No more questions" in capsys.readouterr().out


def test_a_suggestion_changes_nothing_until_it_is_taken(house, capsys, monkeypatch):
    """Shown with what it rests on; taken with --apply; taken back by `undo`."""
    assert earwitness("suggest", "--config", house) == 0
    assert "begin with: earwitness review" in unboxed(capsys.readouterr().out)
    answered("n\n" * 9, monkeypatch)
    assert earwitness("review", "--more", "--config", house) == 0
    assert earwitness("suggest", "--config", house) == 0
    shown = capsys.readouterr()
    assert "0 right and 7 wrong verdicts" in shown.out
    assert "would be gone: " in shown.out
    assert "Nothing is changed yet" in shown.err
    assert in_force(load_config(house))["hall"]["dog_bark"].onset == 0.9

    assert earwitness("suggest", "--apply", "--config", house) == 0
    assert in_force(load_config(house))["hall"]["dog_bark"].onset > 0.9
    assert earwitness("undo", "--config", house) == 0
    assert "suggestion: " in capsys.readouterr().out
    assert in_force(load_config(house))["hall"]["dog_bark"].onset == 0.9


def test_an_alarm_gets_no_suggestion_and_a_reason(house, capsys):
    """Nothing that people say of it changes when it is reported."""
    assert earwitness("suggest", "--label", "smoke_alarm", "--config", house) == 1
    assert "may save a life" in capsys.readouterr().out
    assert earwitness("suggest", "--label", "low_battery_chirp", "--config", house) == 1
    assert "by its rhythm" in capsys.readouterr().out


def test_what_was_missed_is_noted_with_the_reason(house, capsys):
    """A look that came near, or a gate that did not open; an alarm is not taught by it."""
    missed = ("review", "--missed", "-2m", "--label")
    assert earwitness(*missed, "dog_bark", "--config", house) == 0
    assert "The nearest look gave dog bark 0.9" in capsys.readouterr().out
    assert earwitness(*missed, "doorbell", "--config", house) == 0
    assert "the gate did not open" in capsys.readouterr().out
    assert earwitness(*missed, "smoke_alarm", "--config", house) == 2


def test_aims_that_contradict_each_other_are_refused(house, capsys):
    """One at a time, for each has an onset of its own."""
    assert earwitness("suggest", "--right", "0.9", "--false-per-week", "1", "--config", house) == 2
    assert "state one aim" in unboxed(capsys.readouterr().err)
