"""Minutes an hour, and chirps, from the history that the daemon writes."""

import csv
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.errors import StoreError
from monitor.history.diary.chirps import chirps
from monitor.history.diary.hours import begun_by_hour, chart, entries, export
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.types import SoundEvent
from testkit.fakes import FakeClock
from tests.cli.test_commands import earwitness

NIGHT = datetime(2026, 3, 1, 2, 50, tzinfo=UTC)


def event(
    number: int, label: str, source: str, minute: float, lasts_min: float | None, **evidence: object
) -> SoundEvent:
    at = NIGHT + timedelta(minutes=minute)
    end = None if lasts_min is None else at + timedelta(minutes=lasts_min)
    return SoundEvent(
        id=f"{number:012x}", label=label, source=source, state="ended" if end else "started",
        certainty="confirmed", started_at=at, at=end or at, score=0.9, classifier="embedded",
        ended_at=end, ended_by="quiet" if end else None, evidence=evidence,
    )  # fmt: skip


def lived(folder: Path, events: list[SoundEvent]) -> Path:
    with ScoreStore(folder / SCORES, FakeClock(NIGHT + timedelta(hours=6)), keep_s=1e9) as store:
        for one in events:
            store.post(one, one.at)
        store.flush()
    return folder / SCORES


def test_minutes_are_counted_by_hour_and_once_in_the_house(tmp_path: Path):
    """A snore that crosses the hour, heard in two rooms; a cough that goes on."""
    path = lived(
        tmp_path,
        [
            event(1, "snoring", "bedroom", 0, 20),
            event(2, "snoring", "hall", 5, 10),
            event(3, "cough", "hall", 60, None),
        ],
    )
    with History(path) as history, history.rows() as rows:
        found = entries(rows, NIGHT - timedelta(hours=1), NIGHT + timedelta(minutes=63), UTC)

    table = {(one.hour.hour, one.source, one.label): (one.minutes, one.events) for one in found}
    assert table == {
        (2, "house", "snoring"): (10, 2),
        (2, "bedroom", "snoring"): (10, 1),
        (2, "hall", "snoring"): (5, 1),
        (3, "house", "snoring"): (10, 0),
        (3, "bedroom", "snoring"): (10, 0),
        (3, "hall", "snoring"): (5, 0),
        (3, "house", "cough"): (3, 1),
        (3, "hall", "cough"): (3, 1),
    }
    snoring, cough = chart(found)
    assert "20.0 min      2 times  |  ██" in snoring
    assert cough.startswith("Cough")


def test_an_hour_is_one_of_the_house(tmp_path: Path):
    """In Nepal, 5:45 h ahead, 02:50 UTC is 08:35: an hour there begins at a quarter past of UTC."""
    kathmandu = ZoneInfo("Asia/Kathmandu")
    path = lived(tmp_path, [event(1, "snoring", "bedroom", 0, 30), event(2, "snoring", "bedroom", 40, 5)])
    with History(path) as history, history.rows() as rows:
        found = entries(rows, NIGHT - timedelta(hours=1), NIGHT + timedelta(hours=2), kathmandu)
        begun = begun_by_hour(rows, NIGHT - timedelta(hours=1), kathmandu)

    table = {f"{one.hour:%H:%M}": (one.minutes, one.events) for one in found if one.source == "bedroom"}
    assert table == {"08:00": (25, 1), "09:00": (10, 1)}
    assert {hour: count for hour, count in enumerate(begun["snoring"]) if count} == {8: 1, 9: 1}


def test_the_hour_that_comes_twice_is_two(tmp_path: Path):
    """At 01:00 UTC of this day 03:00 becomes 02:00 in Berlin: each has its own hour and offset."""
    back = (datetime(2026, 10, 25, 0, 30, tzinfo=UTC) - NIGHT).total_seconds() / 60
    path = lived(tmp_path, [event(1, "snoring", "bedroom", back, 60)])
    since = NIGHT + timedelta(minutes=back)
    with History(path) as history, history.rows() as rows:
        found = entries(rows, since, since + timedelta(hours=2), ZoneInfo("Europe/Berlin"))

    hours = {one.hour.isoformat(): one.minutes for one in found if one.source == "bedroom"}
    assert hours == {"2026-10-25T02:00:00+02:00": 30, "2026-10-25T02:00:00+01:00": 30}


def test_what_is_exported_can_be_proven_unchanged(tmp_path: Path):
    """The sum is that of the file, in the form that `sha256sum -c` reads."""
    path = lived(tmp_path, [event(1, "snoring", "bedroom", 0, 20)])
    with History(path) as history, history.rows() as rows:
        found = entries(rows, NIGHT - timedelta(hours=1), NIGHT + timedelta(hours=1), UTC)
    file = tmp_path / "diary.csv"

    digest = export(found, file)

    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    assert (tmp_path / "diary.csv.sha256").read_text() == f"{digest}  diary.csv\n"
    rows_read = list(csv.DictReader(file.read_text().splitlines()))
    assert rows_read[0] == {
        "hour": "2026-03-01T02:00:00+00:00", "source": "house", "label": "snoring", "minutes": "10.00",
        "events": "1",
    }  # fmt: skip
    with pytest.raises(StoreError, match="is a folder"):
        export(found, tmp_path)


def test_a_chirp_is_found_with_where_it_is_loudest(tmp_path: Path):
    """Two alarms of different pitch, one heard in two rooms."""
    more = {"pattern": "chirp", "cycles": 2, "on_s": 0.1, "off_s": 41.9}
    path = lived(
        tmp_path,
        [
            event(1, "low_battery_chirp", "kitchen", 0, 90, **more, pitch_hz=3105, snr_db=12.0),
            event(2, "low_battery_chirp", "hall", 1, 95, **more, pitch_hz=3100, snr_db=31.0),
            event(3, "low_battery_chirp", "cellar", -60, 30, **more, pitch_hz=3900, snr_db=9.0),
        ],
    )
    with History(path) as history, history.rows() as rows:
        hall, cellar = chirps(rows, NIGHT - timedelta(days=1))

    now = NIGHT + timedelta(minutes=97)
    assert "low-battery chirp every 42 s since" in hall.sentence(now)
    assert "loudest in the hall (hall 31 dB, kitchen 12 dB over the noise, 3.1 kHz)" in hall.sentence(now)
    assert "last heard" not in hall.sentence(now)
    assert "heard in the cellar" in cellar.sentence(now)
    assert "last heard" in cellar.sentence(now)


def test_as_they_are_typed(tmp_path: Path, capsys):
    """With nothing, and with something."""
    house = tmp_path / "house.yaml"
    house.write_text(f"state_dir: {tmp_path}\nsources: [{{type: demo, name: hall}}]\n")
    assert earwitness("diary", "--config", house) == 1
    assert "nothing has been kept yet" in capsys.readouterr().err
    recent = datetime.now(UTC) - timedelta(hours=2)
    one = event(1, "snoring", "hall", 0, 20)
    lived(tmp_path, [replace(one, started_at=recent, at=recent, ended_at=recent + timedelta(minutes=20))])
    file = tmp_path / "diary.csv"
    assert earwitness("diary", "--config", house, "--csv", file) == 0
    shown = capsys.readouterr()
    assert "Snoring" in shown.out
    assert "SHA-256" in shown.err
    assert file.exists()
    assert earwitness("chirps", "--config", house) == 0
    assert "No chirp" in capsys.readouterr().out
