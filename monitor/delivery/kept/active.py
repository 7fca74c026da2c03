"""The alerts that nobody has acknowledged yet: what *Alert active* shows, also after a restart."""

import threading
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.logs import Lapse
from monitor.store import codec
from monitor.store.kept_file import KeptFile
from monitor.types import ActiveAlert, Alert

MOST_KEPT = 100
"""Beyond that the least severe oldest is forgotten: nobody in this house acknowledges."""


def of_one_incident(waiting: Iterable[Alert], id: str) -> frozenset[str]:
    """The alert of that id, and those that tell of no other sound than it does and are no graver: whoever has
    seen it has seen them. *Smoke alarm* answers *Perhaps a smoke alarm* of the same sound, and not the other
    way round."""
    known = {one.id: one for one in waiting}
    seen = known.get(id)
    if seen is None:
        return frozenset({id})
    sounds = _sounds(seen)
    return frozenset(
        one.id
        for one in known.values()
        if one.id == id
        or (one.events and _sounds(one) <= sounds and one.test == seen.test and one.gravity <= seen.gravity)
    )


def _sounds(alert: Alert) -> frozenset[str]:
    return frozenset(event.id for event in alert.events)


class ActiveAlerts:
    """Alerts of severity warning and critical that wait for an acknowledgement, in a file of their own, mode
    0600. A test and what merely informs (`info`) wait for none. Every method may be called from any thread. A
    file that cannot be read or written is logged once, and stops nothing."""

    def __init__(self, file: Path) -> None:
        self._file = KeptFile(
            file,
            "which alerts nobody has acknowledged is not known any more",
            Lapse(
                "which alerts wait to be acknowledged is not kept; a restart takes up what was kept last",
                "alerts that wait to be acknowledged are kept again",
            ),
        )
        self._waiting: dict[str, Alert] = {}
        self._answered: set[str] = set()
        """What was acknowledged before the file was read."""
        self._all_answered = self._was_read = False
        self._lock = threading.Lock()
        self.changed = threading.Event()

    def state(self) -> ActiveAlert:
        """The gravest, and of those the newest."""
        waiting = self.waiting()
        return ActiveAlert(waiting[-1] if waiting else None, len(waiting))

    def waiting(self) -> list[Alert]:
        """Each that waits, the least grave first."""
        with self._lock:
            return sorted(self._waiting.values(), key=_gravity)

    def raised(self, alert: Alert) -> bool:
        """Take in an alert: whether it waits from now on."""
        if alert.test or alert.severity == "info":
            return False
        with self._lock:
            self._waiting[alert.id] = alert
            while len(self._waiting) > MOST_KEPT:
                del self._waiting[min(self._waiting.values(), key=_gravity).id]
        self.changed.set()
        return True

    def acknowledged(self, ids: Collection[str] | None) -> frozenset[str]:
        """These, or all (None), are acknowledged: which of them waited."""
        with self._lock:
            gone = frozenset(self._waiting if ids is None else self._waiting.keys() & set(ids))
            for id in gone:
                del self._waiting[id]
            if not self._was_read:
                self._answered |= gone if ids is None else set(ids)
                self._all_answered |= ids is None
        if gone:
            self.changed.set()
        return gone

    def read(self) -> list[ActiveAlert]:
        """Find again what was kept, but for what was acknowledged meanwhile; returns the state if any was."""
        found = self._file.read(_alerts) or []
        with self._lock:
            self._was_read = True
            if self._all_answered:
                found = []
            kept = {one.id: one for one in found if one.id not in self._answered}
            self._waiting = kept | self._waiting
        return [self.state()] if kept else []

    def write(self) -> bool:
        """Keep on disk what waits now: whether the disk took it."""
        with self._lock:
            if not self._was_read:
                return True
            self.changed.clear()
            rows = [codec.encode(alert) for alert in self._waiting.values()]
        return self._file.write(rows)


def _alerts(rows: Any) -> list[Alert]:
    return [one for one in map(codec.decode, rows) if isinstance(one, Alert)]


def _gravity(alert: Alert) -> tuple[tuple[bool, int], datetime]:
    """The newer of two that are as grave."""
    return alert.gravity, alert.raised_at
