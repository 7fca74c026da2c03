"""The program as a whole."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path


def test_ctrl_c_while_it_imports_printed_a_traceback():
    """It ends at once, without a word, as a program does that was stopped by its user."""
    command = [sys.executable, "-X", "importtime", "-m", "monitor", "--help"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "typer" in line)  # the first of many imports is done
        os.kill(process.pid, signal.SIGINT)
        shown, said = process.communicate()

    assert process.returncode == 130
    assert shown == ""
    assert "Traceback" not in said


def test_a_demo_says_at_once_that_it_begins(tmp_path: Path):
    """On a terminal, before the imports that take seconds on a busy machine; then what it plays."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-X", "importtime", "-m", "monitor", "demo"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        said = ""
        with os.fdopen(ours, errors="replace") as terminal:
            for line in terminal:
                said += line
                if "Demo: listening to a built-in scene" in line:
                    break
            process.kill()

    assert "earwitness starts" in said
    assert said.index("earwitness starts") < said.index("typer")
    assert "built-in scene" in said


def test_closed_streams_are_no_error_and_no_file_takes_their_place(tmp_path: Path):
    """As some start us: `<&- >&- 2>&-`. A database that became standard error would be written into."""
    program = (
        "import os, sys; from monitor.cli import main\n"
        "try: main(['check', '--config', sys.argv[1]])\n"
        "finally: open(sys.argv[2], 'w').write(' '.join(os.readlink(f'/proc/self/fd/{n}') for n in range(3)))"
    )
    house, found = tmp_path / "house.yaml", tmp_path / "found"
    house.write_text(f"state_dir: {tmp_path}\nsources: [{{type: demo, name: hall}}]\n")
    script = 'exec "$0" -c "$1" "$2" "$3" <&- >&- 2>&-'
    command = ["sh", "-c", script, sys.executable, program, str(house), str(found)]

    assert subprocess.run(command, check=False).returncode == 0
    assert found.read_text() == "/dev/null /dev/null /dev/null"
