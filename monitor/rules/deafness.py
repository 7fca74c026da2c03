"""Sources that have not listened for a while: the alert that nobody else can raise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.types import Alert, SourceStatus, new_id

RULE = "Not listening"


@dataclass(slots=True)
class _Lost:
    since: datetime
    reason: str
    told: bool = False


class Deafness:
    """Tells once that a source has been lost for `after_s`, and once that it listens again. Shorter losses
    are weather and told to nobody here.

    Home Assistant shows a lost source by itself; who is only called by a notifier would take the silence of a
    broken camera for a quiet house. 0 tells nothing.
    """

    def __init__(self, after_s: float, notify: Sequence[str]) -> None:
        self._after_s = after_s
        self._notify = tuple(notify)
        self._lost: dict[str, _Lost] = {}

    def note(self, status: SourceStatus, now: datetime) -> list[Alert]:
        """A source came or went; one that came to its end, as a recording does, is not missed."""
        if not status.online and status.ended_by == "source_lost":
            lost = self._lost.setdefault(status.source, _Lost(now, ""))
            lost.reason = status.reason
            return []
        lost_before = self._lost.pop(status.source, None)
        if lost_before is None or not lost_before.told:
            return []
        away_s = (now - lost_before.since).total_seconds()
        return [self._alert(status.source, now, f"{status.source} is being listened to again", away_s, "")]

    def due(self, now: datetime) -> list[Alert]:
        """The sources whose time has come."""
        alerts = []
        for source, lost in self._lost.items():
            away_s = (now - lost.since).total_seconds()
            if self._after_s and not lost.told and away_s >= self._after_s:
                lost.told = True
                message = f"{source} has not been listened to for {away_s / 60:.0f} min: {lost.reason}"
                alerts.append(self._alert(source, now, message, away_s, lost.reason))
        return alerts

    def _alert(self, source: str, now: datetime, message: str, away_s: float, reason: str) -> Alert:
        return Alert(
            id=new_id(),
            rule=RULE,
            severity="warning" if reason else "info",
            events=(),
            raised_at=now,
            message=message,
            why={"source": source, "lost_for_s": round(away_s, 1), "reason": reason},
            notify=self._notify,
        )
