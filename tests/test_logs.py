"""What becomes of lines that are logged."""

import subprocess
import sys
from pathlib import Path

from structlog.testing import capture_logs

from monitor.logs import Lapse

_LOGS = """
from monitor.logs import configure_logging, get_logger
configure_logging(json=True)
get_logger().warning("the disk is full", free_bytes=0)
print("still alive")
"""


def test_a_log_that_cannot_be_written_stops_nobody() -> None:
    """Standard error on a full disk costs the line, not the thread that wrote it."""
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run([sys.executable, "-c", _LOGS], stdout=subprocess.PIPE, stderr=full, check=False)
    assert ran.stdout == b"still alive\n"


def test_lines_for_programs_are_json() -> None:
    """One object per line, with level and time."""
    ran = subprocess.run([sys.executable, "-c", _LOGS], capture_output=True, text=True, check=True)
    assert '"event": "the disk is full"' in ran.stderr
    assert '"level": "warning"' in ran.stderr


def test_a_fault_that_lasts_is_logged_at_its_beginning_and_at_its_end() -> None:
    """Not in between, and its end only if it had begun."""
    lapse = Lapse("the disk is full", "there is room again")
    with capture_logs() as logs:
        lapse.end()
        for _ in range(3):
            lapse.begin(free_bytes=0)
        for _ in range(3):
            lapse.end()
        lapse.begin()
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("the disk is full", "warning"), ("there is room again", "info"), ("the disk is full", "warning"),
    ]  # fmt: skip


def test_logging_loads_nothing_that_draws_tracebacks() -> None:
    """A daemon would load it at each start and never show one; who wants rich still has it afterwards."""
    program = (
        "import sys, monitor.logs; print(sorted({'attr', 'pygments', 'rich'} & {*sys.modules})); "
        "import rich; print(rich.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["[]", "rich"]
