"""The unit file, judged by systemd's own tools."""

import re
import subprocess
from pathlib import Path

from monitor.config.loading import load_config

UNIT = Path(__file__).parent.parent / "systemd" / "earwitness.service"


def analyzed(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # `verify` insists that the program exists; it lives in /opt on the machine where it is installed.
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"/opt/\S+/earwitness run", "/bin/true", UNIT.read_text()))
    return subprocess.run(
        ["systemd-analyze", *arguments, str(unit)], capture_output=True, text=True, check=False
    )


def test_systemd_understands_every_line(tmp_path):
    """An unknown key is only a warning on standard error: any output there is a failure."""
    result = analyzed(tmp_path, "verify")
    assert (result.returncode, result.stderr) == (0, "")


def test_the_service_is_confined(tmp_path):
    """The exposure is 2.0 or better, with microphone and network allowed."""
    result = analyzed(tmp_path, "security", "--offline=true", "--threshold=20")
    assert result.returncode == 0, result.stdout[-300:]


def installed(tmp_path: Path, text: str) -> Path:
    """The configuration that `scripts/install` makes of this one, by its own function."""
    given, written = tmp_path / "given.yaml", tmp_path / "written.yaml"
    given.write_text(text)
    script = (UNIT.parent.parent / "scripts" / "install").read_text()
    function = re.search(r"^write_configuration\(\) \{.*?^\}", script, re.MULTILINE | re.DOTALL)
    assert function is not None
    command = f'{function[0]}\nwrite_configuration "$1" "$2"'
    subprocess.run(["bash", "-euc", command, "install", str(given), str(written)], check=True)
    return written


def test_who_looks_back_finds_what_the_service_keeps(tmp_path):
    """The installed configuration names the unit's state folder, for `sudo earwitness explain`, which systemd
    does not tell it; one that is named already stays."""
    minimal = (UNIT.parent.parent / "config" / "minimal.yaml").read_text()
    assert "StateDirectory=earwitness" in UNIT.read_text().splitlines()
    assert load_config(installed(tmp_path, minimal)).state_folder({}) == Path("/var/lib/earwitness")
    custom = load_config(installed(tmp_path, minimal + "state_dir: /srv/ears\n"))
    assert custom.state_folder({}) == Path("/srv/ears")


def test_a_reload_is_the_hangup_that_reads_the_configuration_anew():
    """`systemctl reload earwitness`."""
    assert "ExecReload=kill -HUP $MAINPID" in UNIT.read_text().splitlines()


def test_a_wrong_configuration_is_not_tried_again():
    """Exit 78 ends the restarts; the watchdog and the notify protocol are on."""
    lines = UNIT.read_text().splitlines()
    assert {"Type=notify", "RestartPreventExitStatus=78", "WatchdogSec=60", "Restart=always"} <= set(lines)
