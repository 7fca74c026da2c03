"""What keeps coming and has no name."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from monitor.classifiers.taggers.embedded import shipped_model
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.teaching.taught.background import households_of
from monitor.teaching.taught.unnamed import LEAST_TIMES, Unclaimed, unnamed
from testkit.fakes import FakeClock
from testkit.taught import shipped_sha256
from tests.cli.test_commands import earwitness

SIZE = 40
MORNING = datetime(2026, 3, 1, 7, 10, tzinfo=UTC)


def heard(
    direction: int, count: int, days: int, source: str = "kitchen", hour: int = 0
) -> tuple[np.ndarray, list[Unclaimed]]:
    """Sounds of one kind, spread over days."""
    rng = np.random.default_rng(direction)
    rows = 0.1 * rng.normal(size=(count, SIZE))
    rows[:, direction] += 1.0
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    sounds = [
        Unclaimed(f"{direction:06x}{n:06x}", source, MORNING + timedelta(days=n % days, hours=hour))
        for n in range(count)
    ]
    return rows.astype(np.float32), sounds


def test_what_came_often_enough_is_found_with_where_and_when():
    """Nine times on four days; what came on two days, or four times, is left alone, and noise is no group."""
    kinds = [
        heard(0, 9, 4, hour=12),
        heard(1, 12, 3, "hall"),
        heard(2, 20, 2),
        heard(3, LEAST_TIMES - 1, 4),
        *(heard(n, 1, 1) for n in range(10, 30)),
    ]
    rows = np.concatenate([rows for rows, _ in kinds])
    sounds = [sound for _, own in kinds for sound in own]

    hall, kitchen = unnamed(rows, sounds)

    assert (hall.source, len(hall.sounds), hall.days, hall.hour) == ("hall", 12, 3, 7)
    assert (kitchen.source, len(kitchen.sounds), kitchen.days, kitchen.hour) == ("kitchen", 9, 4, 19)
    assert {one.segment_id[:6] for one in kitchen.sounds} == {"000000"}
    assert unnamed(rows[:0], []) == []


def test_a_group_is_taught_by_the_command_that_is_shown(tmp_path: Path, capsys):
    """From the history alone: no recording is kept."""
    house = tmp_path / "house.yaml"
    house.write_text(f"state_dir: {tmp_path}\nsources: [{{type: demo, name: hall}}]\n")
    assert earwitness("unnamed", "--config", house) == 0
    assert "No sound without a name" in capsys.readouterr().out

    now = datetime.now(UTC)
    rng = np.random.default_rng(1)
    beep, *others = households_of(shipped_model(), shipped_sha256()).sounds[:60]
    with ScoreStore(tmp_path / SCORES, FakeClock(now)) as store:
        for n in range(60):
            each = beep + 0.002 * rng.normal(size=len(beep)) if n < 10 else others[n - 1]
            at_us = round((now - timedelta(days=n % 4, hours=2)).timestamp() * 1e6)
            row = (f"{n:012x}", at_us, "kitchen", None, each.astype("<f2").tobytes(), None)
            store._remember("background", row)
        store.flush()
    assert earwitness("unnamed", "--config", house) == 0
    shown = capsys.readouterr().out
    assert "10 times on 4 days" in shown
    ids = shown.split("teach NAME ")[1].split()[:8]
    assert earwitness("teach", "beeper", *ids, "--config", house) == 0
    assert "hears 8 of 8" in capsys.readouterr().out
