"""The daily summary: once a day at its time, also where the clocks change and over restarts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.clock import instant
from monitor.config.loading import default_config, load_config
from monitor.config.upkeep import DigestConfig
from monitor.errors import ConfigError
from monitor.history.digest.daily import FILE, RULE, DailyDigest
from monitor.history.recorder import SCORES
from monitor.history.verdicts import Verdicts
from monitor.history.writer import ScoreStore
from monitor.types import Alert, Findings, SourceStatus
from testkit.builders import event, heard
from testkit.fakes import FakeClock

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR_S = 3600.0
DRILL = {"last": (NOON - timedelta(days=12)).isoformat(), "coverage": "3 of 4 rooms", "overdue": False}


def digest(folder: Path, clock: FakeClock, verdicts: Verdicts, drill: dict[str, Any] = DRILL) -> DailyDigest:
    at = (NOON + timedelta(hours=8)).astimezone()  # eight hours after noon, whatever this machine's zone
    config = DigestConfig(at=f"{at:%H:%M}", notify=("phone",))
    return DailyDigest(config, folder, folder / SCORES, ["hall", "kitchen"], verdicts, lambda: drill, clock)


def a_day(folder: Path) -> None:
    """Two barks and a doorbell, an alert that nobody acknowledged, and a kitchen that is lost."""
    store = ScoreStore(folder / SCORES, FakeClock(NOON))
    with store:
        long_ago = NOON - timedelta(days=3)
        store.hear(Findings("hall", long_ago, (heard("cough", 0.1, long_ago, source="hall"),)), long_ago)
        for n, (label, hours) in enumerate(
            (("doorbell", -30), ("dog_bark", 1), ("dog_bark", 2), ("doorbell", 3))
        ):
            at = NOON + timedelta(hours=hours)
            store.post(event(id=f"{n:012x}", label=label, source="hall", started_at=at, at=at), at)
        at = NOON + timedelta(hours=2)
        store.post(Alert("a" * 12, "Dog", "warning", (), at, "Dog bark, hall", {}), at)
        store.post(
            SourceStatus("kitchen", False, NOON + timedelta(hours=5), "gone"), NOON + timedelta(hours=5)
        )
        store.flush()


def test_it_comes_once_a_day_with_what_was_heard(tmp_path: Path):
    """At its time, to its notifiers, as information; a restart brings no second one, the next day does."""
    clock = FakeClock(NOON)
    with Verdicts(tmp_path, clock) as verdicts:
        first = digest(tmp_path, clock, verdicts)
        assert first.due() is None
        a_day(tmp_path)
        clock.advance(8 * HOUR_S + 60)
        alert = first.due()
        assert alert is not None
        assert (alert.rule, alert.severity, alert.notify) == (RULE, "info", ("phone",))
        assert alert.message.splitlines() == [
            "1 alert: Dog; 1 not acknowledged",
            "kitchen has not been heard for 3 hours",
            "1 of 2 sources heard, 3 sounds named",
            "New after a week or more: Dog bark",
            "Last drill 12 days ago, heard in 3 of 4 rooms",
        ]
        assert first.due() is None
        assert digest(tmp_path, clock, verdicts).due() is None
        clock.advance(24 * HOUR_S)
        again = digest(tmp_path, clock, verdicts, {"last": None, "coverage": None, "overdue": True}).due()
    assert again is not None
    assert again.message.splitlines()[0] == "No alerts"
    assert again.message.splitlines()[-1] == "No drill yet: earwitness drill"


def test_one_that_the_daemon_slept_through_comes_the_same_day_or_not_at_all(tmp_path: Path):
    """Two hours late it comes; after days off only the next."""
    clock = FakeClock(NOON)
    with Verdicts(tmp_path, clock) as verdicts:
        digest(tmp_path, clock, verdicts).due()
        clock.advance(10 * HOUR_S)
        assert digest(tmp_path, clock, verdicts).due() is not None
        clock.advance(3 * 24 * HOUR_S + 12 * HOUR_S)
        assert digest(tmp_path, clock, verdicts).due() is None
        clock.advance(12 * HOUR_S)
        assert digest(tmp_path, clock, verdicts).due() is not None


def test_without_a_history_or_with_a_disk_that_keeps_nothing_it_comes_all_the_same(tmp_path: Path):
    """It says what it does not know."""
    clock = FakeClock(NOON)
    (tmp_path / FILE).mkdir()
    with Verdicts(tmp_path, clock) as verdicts:
        one = digest(tmp_path, clock, verdicts)
        one.due()
        clock.advance(9 * HOUR_S)
        alert = one.due()
    assert alert is not None
    assert "not known" in alert.message
    assert one.due() is None


def test_a_day_that_a_full_disk_did_not_keep_is_kept_when_it_has_room(tmp_path: Path):
    """So that a kill later brings no second one for the same day."""
    clock = FakeClock(NOON)
    with Verdicts(tmp_path, clock) as verdicts:
        one = digest(tmp_path, clock, verdicts)
        one.due()
        (tmp_path / FILE).unlink()
        (tmp_path / FILE).mkdir()
        clock.advance(9 * HOUR_S)
        assert one.due() is not None
        (tmp_path / FILE).rmdir()
        assert one.due() is None
        assert digest(tmp_path, clock, verdicts).due() is None
        assert instant(json.loads((tmp_path / FILE).read_text())["until"]) == NOON + timedelta(hours=8)


def test_a_notifier_that_is_not_there_is_named(tmp_path: Path):
    """By `check`, with its place."""
    assert default_config([{"type": "demo", "name": "hall"}]).digest is None
    file = tmp_path / "house.yaml"
    file.write_text("sources: [{type: demo, name: hall}]\ndigest: {at: '20:00', notify: [phon]}\n")
    with pytest.raises(ConfigError, match="no notifier is named 'phon'"):
        load_config(file)
    file.write_text("sources: [{type: demo, name: hall}]\ndigest: {at: '8 pm'}\n")
    with pytest.raises(ConfigError, match='write for example "05:30"'):
        load_config(file)


def test_a_clock_that_was_years_ahead_costs_no_digest(tmp_path: Path):
    """It was kept as having come in that time; and a clock that is behind for a minute brings no second."""
    clock = FakeClock(NOON)
    with Verdicts(tmp_path, clock) as verdicts:
        assert digest(tmp_path, clock, verdicts).due() is None
        clock.set_wall(3650 * 24 * HOUR_S)
        digest(tmp_path, clock, verdicts).due()
        clock.set_wall(-3650 * 24 * HOUR_S)
        kept = digest(tmp_path, clock, verdicts)
        assert kept.due() is None
        clock.advance(8 * HOUR_S + 60)
        assert kept.due() is not None
        assert kept.due() is None
        started = digest(tmp_path, clock, verdicts)
        clock.set_wall(-3650 * 24 * HOUR_S)
        assert started.due() is None
        clock.set_wall(3650 * 24 * HOUR_S)
        assert started.due() is None
        clock.advance(24 * HOUR_S)
        assert started.due() is not None


def test_a_time_without_a_zone_is_damage(tmp_path: Path):
    """The day begins anew, and the daemon goes on."""
    (tmp_path / FILE).write_text('{"until": "2026-05-03T20:00:00"}')
    clock = FakeClock(NOON)
    with Verdicts(tmp_path, clock) as verdicts:
        first = digest(tmp_path, clock, verdicts)
        assert first.due() is None
        clock.advance(8 * HOUR_S + 60)
        assert first.due() is not None
