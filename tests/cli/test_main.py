"""The program as a whole."""

import os
import signal
import subprocess
import sys


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
