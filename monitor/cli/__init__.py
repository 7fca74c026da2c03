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
    given = sys.argv[1:] if arguments is None else arguments
    _greet(given)
    with quits_at_once(), _without_collecting():
        from monitor.cli.app import command_line, run_command

        answering = command_line(given)
    run_command(answering, given)


def _greet(given: Sequence[str]) -> None:
    """Tell whoever looks on that it begins: what follows may be silent for seconds on a busy machine."""
    if given and given[0] in ("run", "demo") and not {"-h", "--help"} & set(given) and sys.stderr.isatty():
        sys.stderr.write("earwitness starts; this takes some seconds.\n")


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Inside the `with` block the garbage collector rests, and afterwards it leaves out what is there then:
    what is imported stays, and each look through it takes 40 ms."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
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
