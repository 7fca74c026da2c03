"""The last days decided again with something changed: lines of JSON, `{"progress": 0-1}` while it works, and
at last `{"outcomes": […]}`."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.config.model import Config
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.types import Alert
from monitor.web.trying.child import Write, line

if TYPE_CHECKING:
    from monitor.history.replay import Outcome

EVERY_S = 0.2
MOST_OUTCOMES = 2000


@dataclass(frozen=True, slots=True)
class Deciding:
    """What to decide again."""

    config: Config
    folder: Path
    since: datetime
    until: datetime
    changes: tuple[str, ...]

    def work(self, write: Write) -> None:
        """Decide. What it takes is imported here: the daemon itself needs none of it."""
        from monitor.history.replay import replay

        with History(self.folder / SCORES) as history:
            found = replay(history, self.config, self.since, self.until, self.changes, self._progress(write))
        # Alerts, and events that would be other ones; of too many the latest.
        told = [one for one in found if isinstance(one.message, Alert) or one.change != "as before"]
        rest = sum(one.change == "as before" for one in found if not isinstance(one.message, Alert))
        outcomes = [_plain(one) for one in told[-MOST_OUTCOMES:]]
        write(line({"outcomes": [*outcomes, {"kind": "same events", "count": rest}]}))

    def _progress(self, write: Write) -> Callable[[datetime], None]:
        whole_s, said_s = (self.until - self.since).total_seconds(), 0.0

        def at(moment: datetime) -> None:
            nonlocal said_s
            if time.monotonic() - said_s >= EVERY_S:
                said_s = time.monotonic()
                write(line({"progress": round((moment - self.since).total_seconds() / whole_s, 3)}))
                sys.stdout.flush()

        return at


def _plain(one: "Outcome") -> dict[str, Any]:
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
