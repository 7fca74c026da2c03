"""`earwitness calibrate`, as it is typed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.clock import SystemClock
from monitor.config.loading import load_config
from monitor.config.overrides import with_overrides
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.loudness.spot import measured
from monitor.runtime.instance import OnlyInstance
from monitor.types import SoundLevel
from testkit.builders import noise, tone
from testkit.fakes import raise_it
from testkit.wav import write_wav
from tests.cli.test_commands import earwitness, unboxed
from tests.loudness.test_meter import pieces


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Path:
    write_wav(tmp_path / "steady.wav", tone(1000, 12, -40.0))
    write_wav(tmp_path / "loud.wav", np.clip(tone(1000, 12, 3.0), -1, 1))
    write_wav(tmp_path / "dead.wav", np.zeros(16_000 * 12, np.float32))
    sources = [
        f"{{type: file, name: {name}, path: {tmp_path / name}.wav}}" for name in ("steady", "loud", "dead")
    ]
    path = tmp_path / "house.yaml"
    path.write_text(
        f"state_dir: {tmp_path}\nsources: [{', '.join(sources)}]\n"
        "rules: [{name: Too loud, level: {above_dba: 70, for_s: 600}, sources: [steady]}]\n"
    )
    return path


def calibration(house: Path) -> float | None:
    return load_config(house).sources[0].calibration_db


def test_what_the_meter_shows_is_known_until_it_is_taken_back(house, capsys):
    """`check` names the command before, is content after, and names it again."""
    assert earwitness("check", "--config", house) == 0
    assert "earwitness calibrate steady --dba" in unboxed(capsys.readouterr().err)
    assert earwitness("calibrate", "steady", "--dba", "62.5", "--config", house) == 0
    shown = capsys.readouterr()
    assert "62.5 dB(A) was -40.0 dBFS, so 0 dBFS is 102.5 dB(A)" in unboxed(shown.out)
    assert "no figures of a certified sound level meter" in unboxed(shown.err)
    assert calibration(house) == 102.5
    assert earwitness("check", "--config", house) == 0
    assert "sources.steady.calibration_db = 102.5" in unboxed(text := capsys.readouterr().err)
    assert "earwitness calibrate" not in unboxed(text)
    assert earwitness("undo", "--config", house) == 0
    assert calibration(house) is None


def test_where_the_daemon_runs_its_own_next_minute_counts(house, capsys):
    """The microphone may be open once only."""
    begins = datetime.now(UTC).replace(second=0, microsecond=0)
    folder = house.parent
    with OnlyInstance(folder, raise_it), ScoreStore(folder / SCORES, SystemClock()) as store:
        for number in range(4):
            store.measured(SoundLevel("steady", begins + timedelta(minutes=number), -45.0, 60.0))
        store.flush()
        assert earwitness("calibrate", "steady", "--dba", "70", "--config", house) == 0
    assert calibration(house) == 115
    assert "the daemon measures the next minute" in unboxed(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("source", "dba", "says", "code"),
    [
        ("loud", "100", "the microphone clips", 1),
        ("dead", "60", "there is no sound", 1),
        ("stedy", "60", "did you mean 'steady'?", 78),
        ("steady", "500", "--dba", 2),
    ],
)
def test_what_cannot_be_calibrated_is_named(house, capsys, source, dba, says, code):
    """And nothing is changed."""
    assert earwitness("calibrate", source, "--dba", dba, "--config", house) == code
    assert says in unboxed(capsys.readouterr().err)
    assert calibration(house) is None


def test_a_calibration_of_a_source_that_is_gone_does_not_hold(house):
    """The daemon starts all the same; what the file says later counts."""
    assert earwitness("calibrate", "steady", "--dba", "60", "--config", house) == 0
    text = house.read_text()
    house.write_text(text.replace("name: steady,", "name: steady, calibration_db: 90,"))
    assert calibration(house) == 90
    house.write_text(text.replace("steady", "other"))
    assert with_overrides(load_config(house)).sources[0].calibration_db is None


def test_a_noise_that_is_not_steady_is_noticed():
    """From its quietest to its loudest second."""
    unsteady = np.concatenate([noise(5, -40), noise(5, -25)])
    found, steady = measured(pieces(unsteady), 10.0), measured(pieces(noise(10, -40)), 10.0)
    assert found is not None
    assert steady is not None
    assert found.spread_db == pytest.approx(15, abs=1)
    assert steady.spread_db < 1
    assert measured(pieces(noise(0.5)), 10.0) is None
