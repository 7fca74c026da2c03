"""The process for heavy work: `python -m monitor.web.trying.child [MODULE...]`.

It takes a pickled `Job` on standard input. What the job writes goes to standard output. Whoever hears goes
before it, and it ends when nobody reads any more. It imports the modules that it is given while it waits for
the job, and ends when none comes.
"""

import json
import os
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

from monitor.errors import ConfigError, EarwitnessError
from monitor.logs import get_logger

log = get_logger()

NICE = 5
"""A third of the weight of whoever hears. With 19, a seventieth, a board that is busy would never come to an
end; the work is in a process of its own, so that it holds nobody's interpreter in any case."""

Write = Callable[[bytes], Any]


class Job(Protocol):
    """What is to be done. It must not begin to write before it knows that it can be done."""

    def work(self, write: Write) -> None:
        """Do it. Raises EarwitnessError where it cannot be done."""


def line(document: dict[str, Any]) -> bytes:
    """A line of JSON."""
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def main() -> None:
    """Do the job on standard input."""
    try:
        os.nice(NICE)
    except OSError as error:
        # Under a stricter unit than ours; the work is done all the same.
        log.warning("the page's heavy work cannot get a lower priority", why=str(error))
    for module in sys.argv[1:]:
        import_module(module)
    try:
        job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 - the pipe is our own parent's
    except EOFError:
        return
    out = sys.stdout.buffer
    with suppress(BrokenPipeError):
        try:
            job.work(out.write)
        except ConfigError as error:
            found = [one.removeprefix("--set: ").removeprefix("--set ") for one in error.problems]
            out.write(line({"problems": found}))
        except EarwitnessError as error:
            out.write(line({"problems": [str(error)]}))
        out.flush()


if __name__ == "__main__":
    main()
