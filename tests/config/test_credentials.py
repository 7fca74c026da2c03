"""Where `${NAME}` comes from."""

from pathlib import Path

import pytest

from monitor.config.credentials import Credentials
from monitor.config.yaml_document import read_document


def folder(path: Path, **files: str) -> Path:
    path.mkdir(mode=0o700)
    for name, secret in files.items():
        (path / name).write_text(secret)
    return path


def test_the_environment_comes_first_then_systemd_then_the_folder(tmp_path: Path) -> None:
    """The service has the same secrets as whoever checks its configuration beforehand."""
    beside = folder(tmp_path / "credentials", A="beside\n", B="beside\n", C="beside\n")
    systemd = folder(tmp_path / "systemd", earwitness_A="systemd\n", earwitness_B="systemd\n")
    found = Credentials({"A": "environment", "CREDENTIALS_DIRECTORY": str(systemd)}, beside)

    assert [found.value(name) for name in "ABC"] == ["environment", "systemd", "beside"]


def test_a_configuration_finds_the_credentials_beside_it(tmp_path: Path) -> None:
    """/etc/earwitness/credentials for /etc/earwitness/earwitness.yaml, as the guide has it."""
    folder(tmp_path / "credentials", MQTT_PASSWORD="s3cret\n")
    house = tmp_path / "earwitness.yaml"
    house.write_text("password: ${MQTT_PASSWORD}\n")

    assert read_document(house, {}).values == {"password": "s3cret"}


@pytest.mark.parametrize("name", ["../outside", "A/B", "", "."])
def test_a_name_cannot_leave_the_folder(name: str, tmp_path: Path) -> None:
    """It is a name, not a path."""
    (tmp_path / "outside").write_text("x")
    with pytest.raises(LookupError, match="a name has letters, digits and _ only"):
        Credentials({}, folder(tmp_path / "credentials")).value(name)


def test_what_nobody_has_is_said_with_both_ways_to_give_it(tmp_path: Path) -> None:
    """A variable, or a file in the folder that is looked into."""
    with pytest.raises(LookupError) as caught:
        Credentials({}, tmp_path / "none").value("KEY")

    fix = f"`export KEY=...`, or write it into the file {tmp_path}/none/KEY"
    assert caught.value.args == (f"is not set; {fix}",)
