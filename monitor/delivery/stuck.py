"""Channels that no longer move: what their receiver cannot report, the others report."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from monitor.clock import Clock
from monitor.language.words import Language, length, say
from monitor.types import Alert, new_id

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


class Standstill:
    """Since when something could go out to a receiver, and nothing arrives. From any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._since_s: float | None = None
        self._reason = ""

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
            self._since_s = self._clock.monotonic_s() if more else None
            self._reason = ""

    def figures(self) -> tuple[float, str]:
        """Seconds, 0 while it moves, and the last reason."""
        with self._lock:
            since_s = self._since_s
            return (0.0 if since_s is None else self._clock.monotonic_s() - since_s), self._reason


@dataclass(slots=True)
class _Stuck:
    """A channel for which an alert was raised."""

    since_s: float
    text: str
    moves_since_s: float | None = None


class StuckChannels:
    """Raises an alert once a channel has stood still for a minute, and another once it moves again for good.
    Not thread-safe; its time is that of a monotonic clock."""

    def __init__(self, notifiers: Mapping[str, tuple[str, ...]]) -> None:
        """`notifiers`: the channels of each."""
        self._notifiers = notifiers
        self._stuck: dict[str, _Stuck] = {}

    @property
    def texts(self) -> list[str]:
        """A line for each that is stuck; for health."""
        return [stuck.text for stuck in self._stuck.values() if stuck.moves_since_s is None]

    def names_any_of(self, text: str) -> bool:
        """Whether a text is about a channel that is stuck: everybody was told of that."""
        return any(text.startswith(f"{channel} ") for channel in self._stuck)

    def look(
        self,
        channels: Mapping[str, tuple[float, str]],
        waiting: Mapping[str, int],
        now: datetime,
        now_s: float,
    ) -> list[Alert]:
        """The alerts that are due, given how long each channel has stood still, and why."""
        alerts = []
        for channel, (still_s, reason) in channels.items():
            known = self._stuck.get(channel)
            if known is None and still_s >= STUCK_S:
                waits = waiting.get(channel, 0)
                self._stuck[channel] = _Stuck(now_s - still_s, _words(channel, still_s, waits, reason, "en"))
                text = _words(channel, still_s, waits, reason)
                alerts.append(self._alert(channel, text, now, still_s, reason))
            elif known is not None and self._moves_again(known, still_s, now_s):
                del self._stuck[channel]
                away_s = now_s - BACK_S - known.since_s
                again = "told.disk_again" if channel == DISK else "told.delivers_again"
                text = say(again, channel=channel, length=length(away_s))
                alerts.append(self._alert(channel, text, now, 0.0, ""))
        return alerts

    @staticmethod
    def _moves_again(known: _Stuck, still_s: float, now_s: float) -> bool:
        if still_s > MOVES_S:
            known.moves_since_s = None
        elif known.moves_since_s is None:
            known.moves_since_s = now_s
        return known.moves_since_s is not None and now_s - known.moves_since_s >= BACK_S

    def _alert(self, channel: str, text: str, now: datetime, still_s: float, reason: str) -> Alert:
        """For every publisher, this one too, and for every notifier that has a channel which moves."""
        return Alert(
            id=new_id(),
            rule=RULE,
            severity="warning" if still_s else "info",
            events=(),
            raised_at=now,
            message=text,
            why={"channel": channel, "stuck_for_s": round(still_s, 1), "reason": reason},
            notify=tuple(
                name for name, own in self._notifiers.items() if any(each not in self._stuck for each in own)
            ),
        )


def _words(channel: str, still_s: float, waiting: int, reason: str, language: Language | None = None) -> str:
    waits = say("told.waits", language, n=waiting)
    key = "told.stuck_disk" if channel == DISK else "told.stuck"
    still = say(key, language, channel=channel, length=length(still_s, language), waits=waits)
    return f"{still}: {reason}" if reason else still
