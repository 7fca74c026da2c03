"""scripts/install, in a folder that stands for the whole machine.

Two programs stand in for what is not here: `systemctl` writes down what it is asked, `scripts/setup` takes
the virtual environment that runs the tests instead of fetching another.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PARTS = ("pyproject.toml", "constraints.txt", "README.md", "LICENSE", "monitor", "config", "systemd")
SETUP = f"""#!/usr/bin/env bash
set -eu
tree="$(cd "$(dirname "$0")/.." && pwd -P)"
program="$tree/.venv/bin/earwitness"
mkdir -p "$tree/.venv/bin"
ln -s {sys.executable} "$tree/.venv/bin/python"
printf '#!/bin/sh\\nPYTHONPATH=%s exec {sys.executable} -m monitor "$@"\\n' "$tree" > "$program"
chmod +x "$program"
"""
SUDO = """#!/bin/bash
case "$1" in
    scripts/install) exec "$@" --prefix {root} ;;
    tar) exec "${{@/#\\//{root}/}}" ;;
    *) exec "$@" ;;
esac
"""
SYSTEMCTL = """#!/bin/sh
echo "$*" >> {log}
case "$*" in
    is-active*) [ -e {folder}/runs ] ;;
    restart*|"enable --now"*) [ ! -e {folder}/does-not-start ] ;;
esac
"""


class Machine:
    """A prefix with systemd, and a checkout to install from."""

    def __init__(self, folder: Path) -> None:
        self.root, self.checkout, self._tools = folder / "root", folder / "checkout", folder / "tools"
        self._tools.mkdir()
        (self.root / "run" / "systemd" / "system").mkdir(parents=True)
        self._asked = self._tools / "asked"
        self._program("systemctl", SYSTEMCTL.format(log=self._asked, folder=self._tools))
        for part in PARTS:
            whole = ROOT / part
            if whole.is_dir():
                shutil.copytree(whole, self.checkout / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                self.checkout.mkdir(exist_ok=True)
                shutil.copy(whole, self.checkout / part)
        for part in ("scripts", "docs"):
            (self.checkout / part).mkdir()
        shutil.copy(ROOT / "scripts" / "install", self.checkout / "scripts" / "install")
        (self.checkout / "scripts" / "setup").write_text(SETUP)
        (self.checkout / "scripts" / "setup").chmod(0o755)

    def _program(self, name: str, text: str) -> None:
        (self._tools / name).write_text(text)
        (self._tools / name).chmod(0o755)

    def mark(self, name: str, *, is_there: bool = True) -> None:
        """`runs`: the service runs. `does-not-start`: it ends at every start."""
        (self._tools / name).unlink(missing_ok=True)
        if is_there:
            (self._tools / name).touch()

    def install(self, *options: str) -> "subprocess.CompletedProcess[str]":
        script = [str(self.checkout / "scripts" / "install"), "--prefix", str(self.root), *options]
        path = f"{self._tools}:{os.environ['PATH']}"
        return subprocess.run(
            script, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path}
        )

    def types(self, commands: str) -> "subprocess.CompletedProcess[str]":
        """What somebody pastes into a shell in the checkout. `sudo` makes them root of the prefix."""
        self._program("sudo", SUDO.format(root=self.root))
        path = f"{self._tools}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-euc", commands], cwd=self.checkout, capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": path},
        )  # fmt: skip

    def asked(self) -> list[str]:
        """What systemctl was asked since the last time."""
        lines = self._asked.read_text().splitlines() if self._asked.exists() else []
        self._asked.unlink(missing_ok=True)
        return lines

    @property
    def configuration(self) -> Path:
        return self.root / "etc" / "earwitness" / "earwitness.yaml"

    @property
    def unit(self) -> Path:
        return self.root / "etc" / "systemd" / "system" / "earwitness.service"

    @property
    def current(self) -> Path:
        """The release that the service would start."""
        return (self.root / "opt" / "earwitness" / "current").resolve()

    def releases(self) -> list[Path]:
        return sorted((self.root / "opt" / "earwitness" / "releases").iterdir())


@pytest.fixture(name="machine", scope="module")
def _machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """With the program installed."""
    machine = Machine(tmp_path_factory.mktemp("machine"))
    done = machine.install()
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture(autouse=True)
def _healthy(machine: Machine) -> None:
    machine.asked()
    machine.mark("runs")
    machine.mark("does-not-start", is_there=False)


def mode(path: Path) -> str:
    return stat.filemode(path.stat().st_mode)


def test_a_new_machine_has_program_configuration_and_service(machine: Machine) -> None:
    """The configuration can be read by the service's user, its secrets cannot; the command is on PATH."""
    assert machine.releases() == [machine.current]
    assert (
        f"ExecStart={machine.root}/opt/earwitness/current/.venv/bin/earwitness run"
        in machine.unit.read_text()
    )
    assert mode(machine.configuration) == "-rw-r--r--"
    assert mode(machine.configuration.parent / "credentials") == "drwx------"
    assert "state_dir: /var/lib/earwitness" in machine.configuration.read_text()
    command = [str(machine.root / "usr" / "local" / "bin" / "earwitness"), "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith(
        "earwitness "
    )


def test_an_update_restarts_what_runs_and_keeps_the_configuration(machine: Machine) -> None:
    """And finds the secrets in the credentials folder. One release is left."""
    before = machine.current
    written = machine.configuration.read_text()
    with_secret = written.replace(
        "host: 127.0.0.1", 'host: 127.0.0.1, username: a, password: "${MQTT_PASSWORD}"'
    )
    machine.configuration.write_text(with_secret)
    (machine.configuration.parent / "credentials" / "MQTT_PASSWORD").write_text("s3cret\n")
    done = machine.install()

    assert done.returncode == 0, done.stderr
    assert machine.asked() == [
        "daemon-reload",
        "is-active --quiet earwitness.service",
        "restart earwitness.service",
    ]
    assert machine.current != before
    assert machine.releases() == [machine.current]
    assert with_secret != written
    assert machine.configuration.read_text() == with_secret


def test_a_service_that_somebody_has_stopped_stays_stopped(machine: Machine) -> None:
    """An update is no reason to listen."""
    machine.mark("runs", is_there=False)

    assert machine.install().returncode == 0
    assert machine.asked() == ["daemon-reload", "is-active --quiet earwitness.service"]


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("configuration", 78, "mend "),
        ("mode", 1, "cannot be read by the service's user"),
        ("setup", 1, "no network"),
    ],
)
def test_what_is_wrong_is_found_before_anything_is_replaced(
    machine: Machine, what: str, code: int, words: str
) -> None:
    """A configuration that the new program refuses, one that the service cannot read, packages that cannot be
    had: the old program goes on, and systemd is not asked for anything."""
    before, unit, text = machine.current, machine.unit.read_text(), machine.configuration.read_text()
    setup = machine.checkout / "scripts" / "setup"
    if what == "configuration":
        machine.configuration.write_text(text + "colour: red\n")
    elif what == "mode":
        machine.configuration.chmod(0o600)
    else:
        setup.write_text("#!/bin/sh\necho no network >&2\nexit 1\n")
    done = machine.install()
    machine.configuration.write_text(text)
    machine.configuration.chmod(0o644)
    setup.write_text(SETUP)

    assert done.returncode == code
    assert words in done.stderr
    assert machine.asked() == []
    assert machine.releases() == [before]
    assert (machine.current, machine.unit.read_text()) == (before, unit)


def test_a_new_program_that_does_not_start_makes_way_for_the_old_one(machine: Machine) -> None:
    """Program and unit file are those of before, and they are started."""
    before, unit = machine.current, machine.unit.read_text()
    shipped = machine.checkout / "systemd" / "earwitness.service"
    shipped.write_text(shipped.read_text() + "# of the new one\n")
    machine.mark("does-not-start")
    done = machine.install()

    assert done.returncode == 1
    assert "error: the program of before is back" in done.stderr
    assert machine.asked()[-2:] == ["daemon-reload", "restart earwitness.service"]
    assert machine.releases() == [before]
    assert (machine.current, machine.unit.read_text()) == (before, unit)


def test_an_installation_of_the_former_layout_is_taken_over(machine: Machine) -> None:
    """It lay right in /opt/earwitness; if the new one does not start, it is used again."""
    target = machine.root / "opt" / "earwitness"
    shutil.rmtree(target)
    (target / "monitor").mkdir(parents=True)
    former = machine.unit.read_text().replace("/current/", "/")
    machine.unit.write_text(former)
    machine.mark("does-not-start")
    assert machine.install().returncode == 1
    assert machine.unit.read_text() == former
    assert [each.name for each in target.iterdir() if each.name != "releases"] == ["monitor"]
    machine.mark("does-not-start", is_there=False)
    assert machine.install().returncode == 0
    assert sorted(each.name for each in target.iterdir()) == ["current", "releases"]


def test_an_interpreter_in_somebodys_home_is_out_of_the_services_reach(tmp_path: Path) -> None:
    """A Python that root has for itself would run everything but the service."""
    function = re.search(
        r"^is_within_reach\(\) \{.*?^\}", (ROOT / "scripts" / "install").read_text(), re.M | re.S
    )
    assert function is not None
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "python3").touch()

    def reaches(path: Path) -> bool:
        script = f'{function[0]}\nis_within_reach "$1"'
        return subprocess.run(["bash", "-euc", script, "install", str(path)], check=False).returncode == 0

    assert reaches(Path("/bin/sh"))
    assert not reaches(home / "python3")


def test_help_teaches_and_a_slip_of_the_pen_does_nothing(machine: Machine) -> None:
    """Every option with its sentence; an option that nobody knows is an error."""
    shown = machine.install("--help")
    assert shown.returncode == 0
    assert all(option in shown.stdout for option in ("--prefix", "--uninstall", "--purge"))
    for options in (("--remove",), ("--purge",)):
        assert machine.install(*options).returncode == 2
    assert machine.asked() == []


def test_the_guides_commands_back_up_and_restore(machine: Machine) -> None:
    """As docs/guides/service.md prints them: configuration, secrets with their modes, and what was kept are
    on the new machine, and nothing writes while they are copied."""
    state = machine.root / "var" / "lib" / "private" / "earwitness" / "outbox.db"
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text("three alerts that wait")
    secret = machine.configuration.parent / "credentials" / "MQTT_PASSWORD"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    written = machine.configuration.read_text() + "# of the old machine\n"
    machine.configuration.write_text(written)
    back_up, restore = guides_commands("Back up and restore")

    assert machine.types(back_up).returncode == 0
    assert [line.split()[0] for line in machine.asked()] == ["stop", "start"]
    assert machine.install("--uninstall", "--purge").returncode == 0
    machine.asked()
    done = machine.types(restore)

    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in machine.asked()] == ["daemon-reload", "enable", "stop", "start"]
    assert machine.configuration.read_text() == written
    assert (secret.read_text(), mode(secret), mode(secret.parent)) == ("s3cret\n", "-rw-------", "drwx------")
    assert state.read_text() == "three alerts that wait"


def guides_commands(heading: str) -> list[str]:
    """The blocks of commands below a heading of the guide."""
    guide = (ROOT / "docs" / "guides" / "service.md").read_text()
    section = guide.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def test_what_is_uninstalled_leaves_what_was_written_by_people(machine: Machine) -> None:
    """Until it is purged."""
    state = machine.root / "var" / "lib" / "private" / "earwitness"
    state.mkdir(parents=True, exist_ok=True)
    (machine.root / "var" / "lib" / "earwitness").symlink_to("private/earwitness")

    assert machine.install("--uninstall").returncode == 0
    assert machine.asked() == ["disable --now earwitness.service", "daemon-reload"]
    assert not machine.unit.exists()
    assert not (machine.root / "opt" / "earwitness").exists()
    assert machine.configuration.exists()
    assert state.exists()
    assert machine.install("--uninstall", "--purge").returncode == 0
    assert [each.name for each in machine.root.glob("*/**/*earwitness*")] == []


def test_setup_says_that_it_goes_on(tmp_path: Path):
    """While an installer says nothing; its exit status is kept, and nothing ticks afterwards."""
    os.mkfifo(tmp_path / "end")
    program = (ROOT / "scripts/setup").read_text()
    function = program[program.index("ticking() {") : program.index("have_package() {")]
    script = f"tick_s=0.1\nsilent() {{ read -r line < {tmp_path}/end; return 7; }}\n{function}ticking silent"
    with subprocess.Popen(["bash", "-c", script], stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "still installing" in running.stderr.readline()
        (tmp_path / "end").write_text("now\n")
        assert set(running.stderr.read().splitlines()) <= {
            "     0 s  still installing",
            "     1 s  still installing",
        }
    assert running.returncode == 7
