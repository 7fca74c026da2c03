"""How the sources usually are, kept over restarts."""

from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.gate.habit import KNOWN_MINUTES
from monitor.history.habits import FILE, KeptHabits
from testkit.builders import START


def heard(kept: KeptHabits, days: int = 1) -> None:
    for day in range(days):
        for second in range(60 * KNOWN_MINUTES):
            kept.of("hall").add_life(START + timedelta(days=day, seconds=second), -60 - day)


def test_what_was_learnt_outlasts_a_restart(tmp_path: Path) -> None:
    """Written at the end, read by the thread that may wait for a disk, and learnt on."""
    before = KeptHabits(tmp_path, ["hall"])
    before.tend(0.0, last=False)
    heard(before)
    before.tend(10.0, last=True)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600

    after = KeptHabits(tmp_path, ["hall", "porch"])
    assert after.of("hall").quietest_dbfs is None
    after.tend(0.0, last=False)
    after.of("hall").catch_up()
    assert after.of("hall").quietest_dbfs == pytest.approx(-60)
    assert after.of("porch").quietest_dbfs is None


def test_it_is_written_every_hour(tmp_path: Path) -> None:
    """A power cut costs an hour."""
    kept = KeptHabits(tmp_path, ["hall"])
    kept.tend(0.0, last=False)
    heard(kept)
    kept.tend(3500.0, last=False)
    assert not (tmp_path / FILE).exists()
    kept.tend(3600.0, last=False)
    assert (tmp_path / FILE).exists()


def test_a_disk_that_takes_it_again_is_logged(tmp_path: Path) -> None:
    """As the failure was, once."""
    blocked = tmp_path / FILE
    blocked.mkdir()
    kept = KeptHabits(tmp_path, ["hall"])
    heard(kept)
    with capture_logs() as logs:
        for hour in range(3):
            kept.tend(3600.0 * hour, last=False)
        blocked.rmdir()
        kept.tend(3600.0 * 4, last=False)
    what = "how quiet the sources usually are is"
    assert [line["event"] for line in logs][-2:] == [f"{what} not being kept", f"{what} kept again"]


@pytest.mark.parametrize("text", ["", "[]", '{"hall": 3}', '{"hall": {"x": {"minutes": NaN}}}', "[" * 99999])
def test_a_damaged_file_costs_what_was_known(tmp_path: Path, text: str) -> None:
    """It is said once, and written anew."""
    (tmp_path / FILE).write_text(text)
    kept = KeptHabits(tmp_path, ["hall"])
    with capture_logs() as logs:
        kept.tend(0.0, last=False)
    heard(kept)
    kept.tend(9.0, last=True)
    again = KeptHabits(tmp_path, ["hall"])
    again.tend(0.0, last=False)
    assert [line["log_level"] for line in logs] == (["warning"] if text != "[]" else [])
