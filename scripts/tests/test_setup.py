"""scripts/setup, by its own functions."""

import re
import subprocess
from pathlib import Path

SETUP = Path(__file__).parents[1] / "setup"
PIP = """Collecting typer==0.29.2
  Downloading typer-0.29.2-py3-none-any.whl (121 kB)
Requirement already satisfied: pip in ./.venv/lib
  Using cached rich-15.0.0-py3-none-any.whl (310 kB)
Installing collected packages: rich, typer
"""
APT = """Reading package lists...
Get:1 http://deb.debian.org/debian bookworm/main amd64 libportaudio2 amd64 19.6.0-1.2 [65.2 kB]
Selecting previously unselected package libportaudio2:amd64.
Setting up libportaudio2:amd64 (19.6.0-1.2) ...
"""


def shown(text: str) -> list[str]:
    """What `progress` makes of the lines of an installer, without the seconds."""
    function = re.search(r"^progress\(\) \{.*?^\}", SETUP.read_text(), re.MULTILINE | re.DOTALL)
    assert function is not None
    script = f"{function[0]}\nprogress"
    done = subprocess.run(["bash", "-euc", script], input=text, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return [re.sub(r"^ +\d+ s  ", "", line) for line in done.stderr.splitlines()]


def test_a_first_run_shows_what_is_being_installed() -> None:
    """Minutes of silence look like a program that hangs."""
    assert shown(PIP) == [
        "Downloading typer-0.29.2-py3-none-any.whl (121 kB)",
        "Using cached rich-15.0.0-py3-none-any.whl (310 kB)",
        "Installing collected packages: rich, typer",
    ]
    assert [line.split()[0] for line in shown(APT)] == ["Get:1", "Setting"]
