"""A password in a file that everybody can read."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli import main

HOUSE = """\
sources:
  - {type: stream, name: porch, url: "rtsp://me:s3cret@10.0.0.7/1"}
  - {type: stream, name: yard, url: "rtsp://10.0.0.8/1"}
  - {type: stream, name: gate, url: "rtsp://me:${GATE}@10.0.0.9/1"}
publishers:
  - {type: mqtt, host: 10.0.0.2, username: a, password: "ab://[s3cret"}
  - {type: mqtt, name: other, host: 10.0.0.3, username: a, password: "${MQTT}"}
notifiers:
  - type: notify
    urls: ["tgram://123456789:AAABBBCCCDDDEEEFFFGGGHHHIIIJJJKKKLL/12345678", "json://10.0.0.4", "syslog://",
           "mqtt://10.0.0.5/alerts", "mailto://home.org?user=a&pass=s3cret&from=a@home.org&smtp=10.0.0.5"]
"""


@pytest.fixture(name="house")
def _house() -> Iterator[Path]:
    """A configuration in a folder that every user of the machine can enter, with its credentials."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        credentials = Path(folder) / "credentials"
        credentials.mkdir(mode=0o700)
        for name in ("GATE", "MQTT"):
            (credentials / name).write_text("s3cret")
        path = Path(folder) / "earwitness.yaml"
        path.write_text(HOUSE)
        yield path


def warned_lines(path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `check` warns of secrets."""
    with pytest.raises(SystemExit):
        main(["check", "--json", "--config", str(path)])
    shown = capsys.readouterr().out
    assert "s3cret" not in shown
    found = json.loads(shown)
    assert found["problems"] == []
    return [line for line in found["warnings"] if "a secret" in line]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_check_warns_of_a_secret_that_every_user_can_read(house: Path, capsys) -> None:
    """With its line and where to put it instead. An address without a password is no secret."""
    house.chmod(0o644)
    fix = f"write ${{NAME}} there and the secret into {house.parent}/credentials/NAME"
    assert warned_lines(house, capsys) == [
        f"{house}:{line}: {place}: a secret that every user of this machine can read; {fix}"
        for line, place in (
            (2, "sources[0].url"),
            (6, "publishers[0].password"),
            (10, "notifiers[0].urls[0]"),
            (11, "notifiers[0].urls[4]"),
        )
    ]


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_a_file_of_ones_own_may_hold_secrets(house: Path, capsys) -> None:
    """Nobody else can read it, by its mode or that of a folder above."""
    house.chmod(0o600)
    assert warned_lines(house, capsys) == []
    house.chmod(0o644)
    house.parent.chmod(0o700)
    assert warned_lines(house, capsys) == []


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_a_variable_that_is_not_set_is_no_secret(house: Path, capsys) -> None:
    """It is named as not set, and not also as a secret in the file."""
    house.chmod(0o644)
    (house.parent / "credentials" / "GATE").unlink()
    with pytest.raises(SystemExit):
        main(["check", "--json", "--config", str(house)])
    found = json.loads(capsys.readouterr().out)
    assert "${GATE} is not set" in json.dumps(found["problems"])
    assert not [line for line in found["warnings"] if "sources[2].url" in line]
