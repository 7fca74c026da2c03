"""Sources that have not been heard for a while: the alert that nobody else can raise."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor.types import Alert, Problem, ProblemKind, SourceStatus, new_id

RULE = "Not listening"
BACK_S = 60.0
"""A source is listened to again when it has been for so long: a camera that comes for a second in every ten
is as good as lost."""
DEAD_SOUND: dict[ProblemKind, str] = {
    "digital_silence": "it delivers nothing but digital silence; is it muted, or its microphone dead?",
    "frozen": "it delivers the same sound again and again; restart it",
}
"""What makes a source deaf whose connection is well."""


@dataclass(slots=True)
class _Lost:
    """A source that is not heard, or was not until a moment ago."""

    since_s: float
    reasons: dict[type, str] = field(default_factory=dict)
    """By what told of it: the connection, the sound. None is left when the source is heard."""
    reason: str = ""
    times: int = 0
    back_since_s: float | None = None
    told: bool = False

    def because(self, of: type, reason: str, now_s: float) -> None:
        """Add a reason, or take it back with an empty one."""
        was_heard = not self.reasons
        self.reasons.pop(of, None)
        if reason:
            self.reasons[of] = self.reason = reason
        if self.reasons and was_heard:
            self.times += 1
            self.back_since_s = None
        elif not self.reasons and not was_heard:
            self.back_since_s = now_s


class SourceOutage:
    """Tells once that a source has been lost for `after_s`, or has delivered no living sound, and once that
    it is heard again for good. Shorter losses are weather and told to nobody here.

    Home Assistant shows a lost source by itself; who is only called by a notifier would take the silence of a
    broken camera for a quiet house. 0 tells nothing. Time is that of a monotonic clock: a house whose clock
    is set after a power cut has not been deaf since 1970.

    Some cameras send zeros while it is quiet. A source whose dead sound has come to life by itself before is
    taken for one of these, and its dead sound is no alert any more.
    """

    def __init__(self, after_s: float, notify: Sequence[str]) -> None:
        self._after_s = after_s
        self._notify = tuple(notify)
        self._lost: dict[str, _Lost] = {}
        self._revived: set[str] = set()

    def note(self, news: SourceStatus | Problem, now_s: float) -> None:
        """A source came or went, or its sound is dead or alive; one that came to its end, as a recording
        does, is not missed."""
        if isinstance(news, SourceStatus) and not news.online and news.ended_by != "source_lost":
            self._lost.pop(news.source, None)
            return
        reason = _why_deaf(news)
        if isinstance(news, Problem):
            if not reason and self._is_dead(news.source):
                self._revived.add(news.source)
            reason = "" if news.source in self._revived else reason
        if reason or news.source in self._lost:
            self._lost.setdefault(news.source, _Lost(now_s)).because(type(news), reason, now_s)

    def due(self, now: datetime, now_s: float) -> list[Alert]:
        """The sources whose time has come; `now` is when the alerts are raised."""
        alerts = [self._due(source, lost, now, now_s) for source, lost in list(self._lost.items())]
        return [alert for alert in alerts if alert is not None]

    def _is_dead(self, source: str) -> bool:
        return source in self._lost and Problem in self._lost[source].reasons

    def _due(self, source: str, lost: _Lost, now: datetime, now_s: float) -> Alert | None:
        away_s = now_s - lost.since_s
        if lost.back_since_s is not None:
            if now_s - lost.back_since_s < min(BACK_S, self._after_s):
                return None
            del self._lost[source]
            back = f"{source} is being listened to again"
            return self._alert(source, now, back, lost.back_since_s - lost.since_s, "") if lost.told else None
        if not self._after_s or lost.told or away_s < self._after_s:
            return None
        lost.told = True
        how = "has not been listened to" if lost.times == 1 else f"has broken off {lost.times} times, now"
        message = f"{source} {how} for {away_s / 60:.0f} min: {lost.reason}"
        return self._alert(source, now, message, away_s, lost.reason)

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


def _why_deaf(news: SourceStatus | Problem) -> str:
    """Empty for a source that is heard."""
    if isinstance(news, Problem):
        return next((DEAD_SOUND[kind] for kind in news.kinds if kind in DEAD_SOUND), "")
    return "" if news.online else news.reason or "its connection is lost"
