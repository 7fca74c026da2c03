"""Channels that no longer move: what their receiver cannot report, the others report."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from monitor.clock import Clock
from monitor.language.words import Language, lately, length, say
from monitor.publishers.base import ALERTS, Refused, noop, topic_of
from monitor.types import Alert, SoundEvent, new_id

RULE = "Not delivering"
DISK = "the disk"
"""The channel into the state folder: where it takes nothing, a kill or a power cut loses what waits."""
NOT_KEPT = (
    "what waits is in memory only and nothing is kept; free some space (df) or look at the card (dmesg)"
)
STUCK_S = 60.0
"""So long a broker may take to restart, and a notifier's service to come back, without an alert."""
MOVES_S = 10.0
"""A channel on which nothing stands for longer moves."""
BACK_S = 60.0
"""A channel delivers again when it has for so long: one that comes and goes raises one alert."""


@dataclass(frozen=True, slots=True)
class Still:
    """How a channel stands."""

    for_s: float = 0.0
    """For so long nothing has arrived although something could go out, or no alert; 0 while it moves."""
    reason: str = ""
    alerts_only: bool = False
    """Alerts are refused; other messages may arrive."""
    unheard: bool = False
    """Of these: the receiver is there, and says that nobody subscribes to alerts."""
    delivered: int = 0
    """Batches that have arrived since the start."""
    took_an_alert: bool = False
    """Since the start."""


class Standstill:
    """Since when something could go out to a receiver, and nothing arrives. From any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since_s: float | None = None
        self._reason = ""
        self._refused_since_s: float | None = None
        """Since then alerts are refused, and none has been taken."""
        self._refusal = Refused("")
        self._delivered = 0
        self._took_an_alert = False

    def begin(self) -> None:
        """Something is to go out. Nothing changes where it was already so."""
        with self._lock:
            if self._since_s is None:
                self._since_s = self._clock.monotonic_s()

    def because(self, reason: str) -> None:
        """The receiver has given its reason."""
        with self._lock:
            self._reason = reason

    def end(self, *, more: bool = False) -> None:
        """Something has arrived, or nothing is to go out; there is `more` to arrive."""
        with self._lock:
            self._end(more=more)

    def arrived(self, message: SoundEvent | Alert, *, more: bool) -> None:
        """The receiver has it; there is `more` to arrive."""
        with self._lock:
            self._delivered += 1
            if topic_of(message) == ALERTS:
                self._took_an_alert = True
                self._refused_since_s = None
            self._end(more=more)

    def refused(self, message: SoundEvent | Alert, refusal: Refused, *, more: bool) -> None:
        """The receiver is there and does not take it: other topics move, and alerts stand still."""
        with self._lock:
            if topic_of(message) == ALERTS:
                self._refusal = refusal
                if self._refused_since_s is None:
                    self._refused_since_s = self._clock.monotonic_s()
            self._end(more=more)

    def no_alert_waits(self) -> None:
        """Those that were refused have been given up."""
        with self._lock:
            self._refused_since_s = None

    def figures(self) -> Still:
        """How it stands now. Where nothing at all arrives for long, that counts, not what was refused."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            still_s = 0.0 if self._since_s is None else now_s - self._since_s
            still = Still(still_s, self._reason, False, False, self._delivered, self._took_an_alert)
            if self._refused_since_s is None or still_s >= STUCK_S:
                return still
            return replace(
                still,
                for_s=now_s - self._refused_since_s,
                reason=self._refusal.reason,
                alerts_only=True,
                unheard=self._refusal.unheard,
            )

    def _end(self, *, more: bool) -> None:
        self._since_s = self._clock.monotonic_s() if more else None
        self._reason = ""


@dataclass(slots=True)
class _Stuck:
    """A channel for which an alert was raised."""

    since_s: float
    text: str
    alerts_only: bool
    delivered: int
    """When it was seen to stand still last."""
    moves_since_s: float | None = None


class StuckChannels:
    """Raises an alert once a channel has stood still for a minute, and another once it delivers again for
    good. Where alerts are refused and none was ever taken, nobody waits for them there, and no alert is
    raised: `texts` says it. `Watched`, so that a restart forgets no receiver; else not thread-safe. Its time
    is that of a monotonic clock."""

    def __init__(self, notifiers: Mapping[str, tuple[str, ...]]) -> None:
        """`notifiers`: the channels of each."""
        self._notifiers = notifiers
        self._stuck: dict[str, _Stuck] = {}
        self._never_taken: dict[str, str] = {}
        """A text for each channel whose receiver says that nobody subscribes, and nobody ever did."""
        self._takers: dict[str, bool] = {}
        """The channels on which an alert was ever taken."""
        self.on_change: Callable[[], None] = noop

    def rows(self) -> Mapping[str, Any]:
        """The channels on which an alert was ever taken; from any thread."""
        return self._takers.copy()

    def found(self, rows: Mapping[str, Any]) -> None:
        """What an earlier run kept; from any thread."""
        self._takers.update(dict.fromkeys(rows, True))

    @property
    def texts(self) -> list[str]:
        """A line for each that is stuck; for health."""
        stuck = [stuck.text for stuck in self._stuck.values() if stuck.moves_since_s is None]
        return [*stuck, *self._never_taken.values()]

    def names_any_of(self, text: str) -> bool:
        """Whether a text is about a channel that is stuck: everybody was told of that."""
        return any(text.startswith(f"{channel} ") for channel in self._stuck)

    def look(
        self, channels: Mapping[str, Still], waiting: Mapping[str, int], now: datetime, now_s: float
    ) -> list[Alert]:
        """The alerts that are due, given how each channel stands."""
        alerts = []
        for channel, still in channels.items():
            if still.took_an_alert and channel not in self._takers:
                self._takers[channel] = True
                self.on_change()
            waits, known = waiting.get(channel, 0), self._stuck.get(channel)
            self._note_never_taken(channel, still, waits)
            if known is not None:
                if self._delivers_again(channel, known, still, now_s):
                    alerts.append(self._over(channel, known, now, now_s))
                elif still.for_s >= STUCK_S and known.alerts_only != still.alerts_only:
                    known.text, known.alerts_only = _words(channel, still, waits, "en"), still.alerts_only
            elif still.for_s >= STUCK_S and (not still.alerts_only or channel in self._takers):
                text = _words(channel, still, waits, "en")
                self._stuck[channel] = _Stuck(now_s - still.for_s, text, still.alerts_only, still.delivered)
                alerts.append(self._alert(channel, _words(channel, still, waits), now, still))
        return alerts

    def _note_never_taken(self, channel: str, still: Still, waits: int) -> None:
        if channel in self._stuck or channel in self._takers or not still.unheard:
            self._never_taken.pop(channel, None)
        elif still.for_s >= STUCK_S and channel not in self._never_taken:
            text = say("notice.never_taken", "en", channel=channel, waits=say("notice.waits", "en", n=waits))
            self._never_taken[channel] = text

    @staticmethod
    def _delivers_again(channel: str, known: _Stuck, still: Still, now_s: float) -> bool:
        """Whether something has arrived and nothing stands, for long enough. A broker that is back, and to
        which nobody subscribes, delivers nothing."""
        if still.for_s > MOVES_S:
            known.moves_since_s, known.delivered = None, still.delivered
        elif known.moves_since_s is None and (still.delivered > known.delivered or channel == DISK):
            known.moves_since_s = now_s
        return known.moves_since_s is not None and now_s - known.moves_since_s >= BACK_S

    def _over(self, channel: str, known: _Stuck, now: datetime, now_s: float) -> Alert:
        del self._stuck[channel]
        away = length(now_s - BACK_S - known.since_s)
        again = "notice.disk_again" if channel == DISK else "notice.delivers_again"
        return self._alert(channel, say(again, channel=channel, length=away), now, Still())

    def _alert(self, channel: str, text: str, now: datetime, still: Still) -> Alert:
        """For every publisher, this one too, and for every notifier that has a channel which moves."""
        return Alert(
            id=new_id(),
            rule=RULE,
            severity="warning" if still.for_s else "info",
            events=(),
            raised_at=now,
            message=text,
            why={"channel": channel, "stuck_for_s": round(still.for_s, 1), "reason": still.reason},
            notify=tuple(
                name for name, own in self._notifiers.items() if any(each not in self._stuck for each in own)
            ),
        )


def _words(channel: str, still: Still, waiting: int, language: Language | None = None) -> str:
    key = "notice.stuck_disk" if channel == DISK else "notice.stuck"
    if still.alerts_only:
        key = "notice.unheard" if still.unheard else "notice.takes_no_alerts"
    waits = say("notice.waits", language, n=waiting)
    text = say(key, language, channel=channel, lately=lately(still.for_s, language), waits=waits)
    return f"{text}: {still.reason}" if still.reason and not still.unheard else text
