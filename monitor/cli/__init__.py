"""The command line: `earwitness --help` is where a stranger starts."""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from monitor.cli.sigint import quits_at_once


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line (by default the process's). Ends by SystemExit. For the main thread."""
    _open_closed_streams()
    with quits_at_once(), _without_collecting():
        from monitor.cli.app import run_command

    run_command(arguments)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Inside the `with` block the garbage collector rests: what is imported stays, and to look through it 170
    times takes a tenth of a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _open_closed_streams() -> None:
    """Whoever starts us may have closed them (`2>&-`). The next file to be opened, a database perhaps, would
    become standard error, and a library's message would be written into it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free is taken: this one.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115
