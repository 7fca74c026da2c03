"""Sources that have not been heard for a while: the alert that nobody else can raise."""

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monitor.language.words import Language, lately, say
from monitor.types import Alert, Problem, ProblemKind, SourceStatus, new_id

RULE = "Not listening"
BACK_S = 60.0
"""A source counts as back when it has been heard for this time: a camera that comes for a second in every ten
is as good as lost."""
DEAD_SOUND: tuple[ProblemKind, ...] = ("digital_silence", "frozen", "dead", "hum_only")
"""Faults of the sound that count as an outage although the connection is good."""
EXCUSED_FOR_S = 14 * 86400.0
"""A spell of digital silence that ended by itself excuses later spells for this time."""
EXCUSED_SPELL_S = 86400.0
"""A spell that lasts longer is excused only by an earlier one of half its length."""
_REMEMBERED_SPELLS = 64


@dataclass(slots=True)
class _Lost:
    """A source that is not heard, or was not until a moment ago."""

    since_s: float
    reasons: dict[type, str] = field(default_factory=dict)
    """Reasons by the type of message that gave them: SourceStatus or Problem. Empty when it is heard."""
    reason: str = ""
    times: int = 0
    back_since_s: float | None = None
    raised: bool = False
    """Whether its alert was raised."""

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


class _Silences:
    """Spells of digital silence of one source. Some cameras send zeros while it is quiet: a source that came
    to life by itself is taken for one of these."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._ended: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED_SPELLS)
        """When each one ended that ended by itself, and how long it was."""

    def note(self, silent: bool, now_s: float) -> None:
        """The sound is digital silence now, or is not."""
        if silent and self._since_s is None:
            self._since_s = now_s
        elif not silent and self._since_s is not None:
            self._ended.append((now_s, now_s - self._since_s))
            self._since_s = None

    def interrupt(self) -> None:
        """The connection is lost: if sound follows, a restart brought it."""
        self._since_s = None

    def excused(self, now_s: float) -> bool:
        """Whether the spell that lasts now is one like those before."""
        recent = [length for ended_s, length in self._ended if now_s - ended_s <= EXCUSED_FOR_S]
        lasts_s = now_s - self._since_s if self._since_s is not None else 0.0
        return bool(recent) and lasts_s <= max(EXCUSED_SPELL_S, 2 * max(recent))


class SourceOutage:
    """Raises an alert once when a source has been lost, or has delivered dead sound, for `after_s`, and once
    when it is back. Shorter losses raise none.

    Home Assistant shows a lost source by itself. Without these alerts a person who only has a notifier cannot
    distinguish a broken camera from a quiet house. `after_s` 0 raises none. Time is that of a monotonic
    clock: a house whose clock is set after a power cut has not been deaf since 1970.

    Some cameras send zeros while it is quiet. So digital silence raises no alert if it has ended by itself at
    this source in the last 14 days, unless it lasts more than a day and twice as long as ever before. Other
    dead sound has no such exception.
    """

    def __init__(self, after_s: float, notify: Sequence[str]) -> None:
        self._after_s = after_s
        self._notify = tuple(notify)
        self._lost: dict[str, _Lost] = {}
        self._silences: defaultdict[str, _Silences] = defaultdict(_Silences)
        self._kinds: dict[str, tuple[ProblemKind, ...]] = {}

    def note(self, news: SourceStatus | Problem, now_s: float) -> None:
        """A source came or went, or its sound is dead or alive; one that came to its end, as a recording
        does, is not missed."""
        if isinstance(news, Problem):
            self._kinds[news.source] = news.kinds
            self._silences[news.source].note("digital_silence" in news.kinds, now_s)
            self._judge_sound(news.source, now_s)
            return
        if not news.online:
            self._silences[news.source].interrupt()
        if not news.online and news.ended_by != "source_lost":
            self._lost.pop(news.source, None)
            self._kinds.pop(news.source, None)
            return
        self._because(news.source, SourceStatus, _why_lost(news), now_s)

    def due(self, now: datetime, now_s: float) -> list[Alert]:
        """The sources whose time has come; `now` is when the alerts are raised."""
        for source in self._kinds:
            self._judge_sound(source, now_s)
        alerts = [self._due(source, lost, now, now_s) for source, lost in list(self._lost.items())]
        return [alert for alert in alerts if alert is not None]

    @property
    def waits(self) -> bool:
        """Whether a source is lost, or its sound ill."""
        return bool(self._lost or any(self._kinds.values()))

    @property
    def deaf(self) -> frozenset[str]:
        """The sources that are not heard now, by their status or their sound."""
        return frozenset(source for source, lost in self._lost.items() if lost.reasons)

    def _judge_sound(self, source: str, now_s: float) -> None:
        """Whether its sound makes the source deaf, as it is now; an excuse may have expired."""
        dead = [kind for kind in DEAD_SOUND if kind in self._kinds[source]]
        if dead == ["digital_silence"] and self._silences[source].excused(now_s):
            dead = []
        self._because(source, Problem, _dead_words(dead[-1], "en") if dead else "", now_s)

    def _because(self, source: str, of: type, reason: str, now_s: float) -> None:
        known = self._lost.get(source)
        if (reason or known) and (known is None or known.reasons.get(of, "") != reason):
            self._lost.setdefault(source, _Lost(now_s)).because(of, reason, now_s)

    def _due(self, source: str, lost: _Lost, now: datetime, now_s: float) -> Alert | None:
        away_s = now_s - lost.since_s
        if lost.back_since_s is not None:
            if now_s - lost.back_since_s < min(BACK_S, self._after_s):
                return None
            del self._lost[source]
            back = say("notice.back", source=source)
            away_s = lost.back_since_s - lost.since_s
            return self._alert(source, now, back, away_s, "") if lost.raised else None
        if not self._after_s or lost.raised or away_s < self._after_s:
            return None
        lost.raised = True
        message = say(
            "notice.lost" if lost.times == 1 else "notice.broken_off",
            source=source,
            times=lost.times,
            lately=lately(away_s),
            reason=_reason_words(lost.reason),
        )
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


def _why_lost(news: SourceStatus) -> str:
    """Empty for a source that is online."""
    return "" if news.online else news.reason or say("notice.connection_lost", "en")


def _dead_words(kind: ProblemKind, language: Language | None = None) -> str:
    return say(f"notice.dead.{kind}", language)


def _reason_words(reason: str) -> str:
    """Ours in the house's language; what a device or a library says as it is."""
    ours = {_dead_words(kind, "en"): _dead_words(kind) for kind in DEAD_SOUND}
    ours[say("notice.connection_lost", "en")] = say("notice.connection_lost")
    return ours.get(reason, reason)
