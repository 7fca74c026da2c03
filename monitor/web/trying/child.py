"""The process in which the last days are decided again: `python -m monitor.web.trying.child`.

It takes a pickled `Job` on standard input and writes lines of JSON: `{"progress": 0-1}` while it works, and
at last `{"outcomes": […]}` or `{"problems": […]}`. Whoever hears goes before it, and it ends when nobody
reads any more.
"""

import json
import os
import pickle
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.config.model import Config
from monitor.errors import ConfigError, StoreError
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.replay import Outcome, replay
from monitor.types import Alert

NICE = 5
"""A third of the weight of whoever hears. With 19, a seventieth, a board that is busy would never come to an
end; the work is in a process of its own, so that it holds nobody's interpreter in any case."""
EVERY_S = 0.2
MOST_OUTCOMES = 2000


@dataclass(frozen=True, slots=True)
class Job:
    """What to decide again."""

    config: Config
    folder: Path
    since: datetime
    until: datetime
    changes: tuple[str, ...]


def main() -> None:
    """Do the job on standard input."""
    with suppress(OSError):
        os.nice(NICE)
    job: Job = pickle.load(sys.stdin.buffer)  # noqa: S301 - the pipe is our own parent's
    with suppress(BrokenPipeError):
        try:
            _say({"outcomes": _outcomes(job)})
        except ConfigError as error:
            _say({"problems": [one.removeprefix("--set: ").removeprefix("--set ") for one in error.problems]})
        except StoreError as error:
            _say({"problems": [str(error)]})


def _outcomes(job: Job) -> list[dict[str, Any]]:
    with History(job.folder / SCORES) as history:
        found = replay(history, job.config, job.since, job.until, job.changes, _progress(job))
    # Alerts, and events that would be other ones; of too many the latest.
    told = [one for one in found if isinstance(one.message, Alert) or one.change != "as before"]
    rest = sum(one.change == "as before" for one in found if not isinstance(one.message, Alert))
    return [_plain(one) for one in told[-MOST_OUTCOMES:]] + [{"kind": "same events", "count": rest}]


def _progress(job: Job) -> Callable[[datetime], None]:
    whole_s, said_s = (job.until - job.since).total_seconds(), 0.0

    def at(moment: datetime) -> None:
        nonlocal said_s
        if time.monotonic() - said_s >= EVERY_S:
            said_s = time.monotonic()
            _say({"progress": round((moment - job.since).total_seconds() / whole_s, 3)})

    return at


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _plain(one: Outcome) -> dict[str, Any]:
    message = one.message
    common = {"change": one.change, "at": one.at.isoformat(), "shift_s": round(one.shift_s, 1)}
    if isinstance(message, Alert):
        labels = list(dict.fromkeys(event.label for event in message.events))
        sources = list(dict.fromkeys(event.source for event in message.events))
        what = {"kind": "alert", "rule": message.rule, "severity": message.severity}
        return {**common, **what, "labels": labels, "sources": sources, "id": message.id}
    return {
        **common, "kind": "event", "labels": [message.label], "sources": [message.source], "id": message.id,
        "score": round(message.score, 4),
    }  # fmt: skip


if __name__ == "__main__":
    main()
