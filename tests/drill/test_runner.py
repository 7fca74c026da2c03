"""A drill in the daemon: asked for, heard, reported, and kept."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from threading import enumerate as threads

import pytest

from monitor.audio import SAMPLE_RATE_HZ, Piece
from monitor.drill.report import (
    AFTERWARDS_S,
    FILE,
    REQUEST,
    DrillReport,
    RoomReport,
    drill_figures,
    keep_drill,
    read_drills,
)
from monitor.drill.runner import DrillRunner
from monitor.errors import StoreError
from monitor.events.tracker import Tracker
from monitor.pipeline.decisions import DecisionEngine
from monitor.rhythm.detector import RhythmDetector
from monitor.rules.drill import LASTS_S
from monitor.rules.engine import RuleEngine
from monitor.rules.model import Rule
from monitor.types import Alert
from testkit import alarms
from testkit.builders import START, frames, noise
from testkit.fakes import FakeClock

RULES = [Rule(name="Smoke", hear=("smoke_alarm",), severity="critical")]


def ask(folder: Path, at: datetime, label: str = "smoke_alarm") -> None:
    row = {"id": "d1", "label": label, "asked_at": at.isoformat()}
    (folder / REQUEST).write_text(json.dumps(row))


def bug(error: BaseException) -> None:
    raise AssertionError from error


def test_a_drill_from_the_request_to_the_report(tmp_path: Path):
    """The hall hears it with its margin, the cellar does not; the alert was a test."""
    clock = FakeClock(START)
    runner = DrillRunner(tmp_path, ["hall", "cellar"], clock)
    engine = DecisionEngine(Tracker(), RuleEngine(RULES))
    ask(tmp_path, START)
    [command] = runner.tend(bug)
    engine.apply_command(command, START)
    assert not (tmp_path / REQUEST).exists()
    assert read_drills(tmp_path)[0].ended_at is None

    dry = alarms.played(alarms.piezo(3100), alarms.temporal_three(3), SAMPLE_RATE_HZ)
    samples = noise(10 + len(dry) / SAMPLE_RATE_HZ + 20, -60)
    samples[10 * SAMPLE_RATE_HZ :][: len(dry)] += 0.02 * dry
    detector = RhythmDetector("hall")
    found: list[Alert] = []
    for frame in frames(samples, "hall"):
        runner.push(Piece.of(frame))
        for message in engine.decide(detector.push(frame), frame.ends_at):
            runner.decided(message)
            found += [message] if isinstance(message, Alert) else []
    assert [one.test for one in found] == [True]

    clock.advance(120)
    assert runner.tend(bug) == []
    for thread in threads():
        if thread.name == "drill":
            thread.join(300)
    [report] = read_drills(tmp_path)
    hall, cellar = report.rooms
    assert (report.coverage, report.alert_ids) == ("1 of 2 rooms", (found[0].id,))
    assert (hall.heard, hall.pattern, cellar.heard) == (True, "T3", False)
    assert hall.pitch_hz == pytest.approx(3100, abs=60)
    assert hall.margin_db is not None
    assert 10 < hall.margin_db < 50
    assert hall.confirmed_s is not None
    assert runner.figures() == {"last": START.isoformat(), "coverage": "1 of 2 rooms", "overdue": False}
    assert runner.tend(bug) == []


@pytest.mark.parametrize(
    ("text", "label", "age_s"),
    [
        ("{", "", 0),
        (None, "smoke_alarm", 3600),
        (None, "dog_bark", 0),
        ('{"id": "d1", "label": "smoke_alarm", "asked_at": "2026-01-01T12:00:00"}', "", 0),
        ('{"id": "d1", "label": ["smoke_alarm"], "asked_at": "2026-01-01T12:00:00Z"}', "", 0),
    ],
)
def test_a_request_that_is_none_begins_nothing(tmp_path: Path, text: str | None, label: str, age_s: float):
    """Damaged, of a daemon that was down, of a sound that has no test button, or without a zone in its time:
    gone, and nothing rings."""
    runner = DrillRunner(tmp_path, ["hall"], FakeClock(START))
    ask(tmp_path, START - timedelta(seconds=age_s), label)
    if text is not None:
        (tmp_path / REQUEST).write_text(text)
    assert runner.tend(bug) == []
    assert not (tmp_path / REQUEST).exists()
    assert runner.tend(bug) == []


def test_a_disk_that_keeps_nothing_stops_no_drill(tmp_path: Path):
    """The alarm rings as a test all the same, and former drills are as they were."""
    former = DrillReport("d0", "smoke_alarm", START, (RoomReport("hall"),), START)
    keep_drill(tmp_path, former)
    (tmp_path / f"{FILE}.part").mkdir()
    with pytest.raises(StoreError):
        keep_drill(tmp_path, former)
    ask(tmp_path, START)
    assert [one.name for one in DrillRunner(tmp_path, ["hall"], FakeClock(START)).tend(bug)] == ["drill"]
    assert read_drills(tmp_path) == [former]


def test_a_state_folder_that_is_none_asks_for_no_drill(tmp_path: Path):
    """A file where the folder should be, or a folder in its place: the daemon goes on."""
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / REQUEST).mkdir(parents=True)
    for folder in (tmp_path / "file", tmp_path / "folder", tmp_path / "none"):
        assert DrillRunner(folder, ["hall"], FakeClock(START)).tend(bug) == []


def test_the_last_drill_is_overdue_after_five_weeks():
    """One in which no room heard anything proves nothing."""
    heard = DrillReport("d1", "smoke_alarm", START, (RoomReport("hall", pattern="T3"),), START)
    deaf = DrillReport("d2", "smoke_alarm", START, (RoomReport("hall"),), START)
    assert drill_figures([heard, deaf], START + timedelta(days=34)) == {
        "last": START.isoformat(), "coverage": "1 of 1 rooms", "overdue": False,
    }  # fmt: skip
    assert drill_figures([heard], START + timedelta(days=36))["overdue"]
    assert drill_figures([], START)["overdue"]


def test_a_former_drill_without_a_zone_in_its_time_is_damage(tmp_path: Path):
    """Health would compare it with the clock, and end the daemon."""
    keep_drill(tmp_path, DrillReport("d0", "smoke_alarm", START, (RoomReport("hall", pattern="T3"),), START))
    text = (tmp_path / FILE).read_text()
    (tmp_path / FILE).write_text(text.replace("+00:00", ""))
    with pytest.raises(StoreError, match="names no zone"):
        read_drills(tmp_path)
    runner = DrillRunner(tmp_path, ["hall"], FakeClock(START))
    assert runner.tend(bug) == []
    assert runner.figures()["overdue"]


def test_a_clock_that_is_set_makes_a_drill_no_longer(tmp_path: Path):
    """It ends when its time is over, whatever the clock on the wall shows."""
    clock = FakeClock(START)
    runner = DrillRunner(tmp_path, ["hall"], clock)
    ask(tmp_path, START)
    runner.tend(bug)
    clock.set_wall(-3600)
    clock.advance(LASTS_S + AFTERWARDS_S)
    runner.tend(bug)
    for thread in threads():
        if thread.name == "drill":
            thread.join(300)
    [report] = read_drills(tmp_path)
    assert report.ended_at is not None
