"""Which time of day rules go by."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from monitor.cli.history import moment
from monitor.cli.time_zone import zone_problem, zone_words

HOUSE = "sources: [{type: demo, name: hall}]\n"
AT_NIGHT = HOUSE + 'rules: [{name: Dog, hear: [dog_bark], between: "22:00-07:00"}]\n'


def zones(folder: Path) -> Path:
    """A folder of time zones as tzdata installs it, with two of them."""
    for name in ("UTC", "Europe/Berlin"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize("name", ["", "UTC", "Europe/Berlin", ":Europe/Berlin", "CET-1CEST", "<+03>-3"])
def test_a_zone_that_the_machine_knows_is_no_problem(name, tmp_path):
    """By name, or with its offset as POSIX has it."""
    assert zone_problem({"TZ": name, "TZDIR": str(zones(tmp_path))}) == ""


def test_a_zone_that_nobody_knows_is_named_with_the_nearest(tmp_path):
    """The C library takes it for UTC without a word: an alarm between 22:00 and 07:00 would come at noon."""
    assert zone_problem({"TZ": "europe/berln", "TZDIR": str(zones(tmp_path))}) == (
        "times count as UTC: TZ is 'europe/berln', which is no time zone here; did you mean 'Europe/Berlin'?"
    )
    assert zone_problem({"TZ": "Europe/Berlin", "TZDIR": str(tmp_path / "none")}) == (
        "times count as UTC: TZ is 'Europe/Berlin', and this machine has no time zones; install tzdata"
    )


def test_a_zone_is_shown_with_its_offset_and_its_clock():
    """As the machine that runs this has it."""
    now = datetime(2026, 1, 2, 12, 30, tzinfo=UTC)
    local = now.astimezone()
    words = zone_words(now)
    assert words == f"{local.tzname()} (UTC{local.isoformat()[-6:]}), now {local:%H:%M}"


def check(path: Path, zone: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "monitor", "check", "--config", str(path)]
    environment = {**os.environ, "TZ": zone}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_check_shows_the_zone_that_between_goes_by(tmp_path):
    """Where a rule asks for a time of day, and nowhere else; a wrong TZ is a warning in any case."""
    house = tmp_path / "house.yaml"
    house.write_text(AT_NIGHT)
    shown = check(house, "CET-1")
    assert "  local time   CET (UTC+01:00), now " in shown.stderr
    assert ": `between` and `weekdays` go by it" in shown.stderr
    assert "warning: times" not in shown.stderr
    wrong = check(house, "Nowhere/Land")
    assert "warning: times count as UTC: TZ is 'Nowhere/Land', which is no time zone here" in wrong.stderr
    assert "(UTC+00:00)" in wrong.stderr
    house.write_text(HOUSE)
    assert "local time" not in check(house, "CET-1").stderr


@pytest.mark.parametrize(
    ("written", "meant"),
    [("01:30", "2026-10-25T01:30:00+02:00"), ("08:00", "2026-10-25T08:00:00+01:00"),
     ("12:00", "2026-10-24T12:00:00+02:00"), ("2026-10-25T01:30", "2026-10-25T01:30:00+02:00")],
)  # fmt: skip
def test_a_time_before_the_clocks_changed_has_the_offset_of_then(written, meant):
    """Asked at nine on the morning on which 03:00 became 02:00 in Berlin."""
    program = (
        "import sys\nfrom datetime import datetime\nfrom monitor.cli.history import moment\n"
        "print(moment(sys.argv[1], now=datetime.fromisoformat('2026-10-25T09:00+01:00')).isoformat())"
    )
    command = [sys.executable, "-c", program, written]
    environment = {**os.environ, "TZ": "Europe/Berlin"}
    asked = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert asked.stdout.strip() == meant


@pytest.mark.parametrize(
    "written", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "99999999d", "25:00"]
)
def test_a_time_that_no_calendar_has_is_refused(written):
    """With what can be written, and no traceback."""
    with pytest.raises(typer.BadParameter, match=r"is no time; write|before the calendar"):
        moment(written)
