"""What holds right now, source by source: the latest of every state, for whoever opens the page."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any

from monitor.clock import Clock
from monitor.publishers.documents import dbfs, minute_document
from monitor.types import (
    HOUSE,
    ActiveAlert,
    Alert,
    Health,
    LabelState,
    Level,
    Message,
    Problem,
    Setting,
    SoundEvent,
    SoundLevel,
    SourceStatus,
)

STALE_S = 30.0
"""The main thread says every second or so that everything moves; silent for so long, it hangs."""


class Board:
    """Every method may be called from any thread; none waits."""

    def __init__(self, sources: Iterable[str], settings: Iterable[Setting], clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._sources: dict[str, dict[str, Any]] = {
            name: {
                "online": None,
                "heard": False,
                "since": None,
                "reason": "",
                "problems": [],
                "sounding": {},
            }
            for name in sources
        }
        self._values: dict[str, str | None] = {}
        self._health: Health | None = None
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._stalled: tuple[str, ...] = ()
        self._acknowledged: set[str] = set()
        self._alive_at_s = clock.monotonic_s()
        for setting in settings:
            self.note(setting)

    def note(self, message: Message) -> None:
        """Take a message that was decided."""
        with self._lock:
            if isinstance(message, Health):
                self._health = message
                return
            if isinstance(message, SoundEvent) and message.state == "started":
                self._counts["event", message.label, message.source] += 1
            elif isinstance(message, Alert) and not message.test:
                self._counts["alert", message.rule, message.severity] += 1
            if isinstance(message, Setting) and message.source == HOUSE:
                self._values[message.name] = message.value
                return
            if isinstance(message, Alert | ActiveAlert):
                return
            source = self._sources.get(message.source)
            if source is not None:
                _update(source, message)

    def counts(self) -> dict[tuple[str, str, str], int]:
        """Since the start: `event`, label and source; `alert`, rule and severity."""
        with self._lock:
            return dict(self._counts)

    def acknowledge(self, ids: Iterable[str]) -> None:
        """Somebody has seen these alerts, whether or not a disk can keep it."""
        with self._lock:
            self._acknowledged.update(ids)

    def acknowledged(self) -> frozenset[str]:
        """The alerts that were acknowledged on the page since the start."""
        with self._lock:
            return frozenset(self._acknowledged)

    def values(self) -> dict[str, str | None]:
        """What rules know of the house beside its sounds; None: unknown."""
        with self._lock:
            return dict(self._values)

    def alive(self, stalled: Iterable[str]) -> None:
        """The main thread has looked after everything, and this is what had stopped moving."""
        self._stalled = tuple(stalled)
        self._alive_at_s = self._clock.monotonic_s()

    @property
    def health(self) -> Health | None:
        """The latest snapshot."""
        return self._health

    @property
    def is_well(self) -> bool:
        """Whether everything moves, as far as a watchdog asks."""
        return not self._stalled and self._clock.monotonic_s() - self._alive_at_s < STALE_S

    def floor_dbfs(self, source: str) -> float | None:
        """What a source takes for its room's own floor; None until it has reported one."""
        with self._lock:
            found: float | None = self._sources.get(source, {}).get("floor_dbfs")
        return found

    def sources(self) -> dict[str, dict[str, Any]]:
        """A copy of what is known of each."""
        with self._lock:
            return {
                name: {**each, "sounding": dict(each["sounding"])} for name, each in self._sources.items()
            }


def _update(source: dict[str, Any], message: Message) -> None:
    match message:
        case SourceStatus():
            if source["online"] is not message.online:
                source["since"] = message.at
            source |= {
                "online": message.online,
                "heard": source["heard"] or message.online,
                "reason": message.reason,
            }
            if not message.online:
                source |= {"sounding": {}, "laeq_dbfs": None, "laeq_dba": None}
        case Level():
            source |= {
                "level_dbfs": dbfs(message.level_dbfs),
                "floor_dbfs": dbfs(message.floor_dbfs),
                "level_at": message.at,
            }
        case SoundLevel():
            source |= {key: minute_document(message)[key] for key in ("laeq_dbfs", "laeq_dba")}
        case Problem():
            source["problems"] = list(message.kinds)
        case Setting():
            source[message.name] = message.value
            if message.name == "mute" and message.value:
                source |= {"laeq_dbfs": None, "laeq_dba": None}
        case LabelState(_, label, False):
            source["sounding"].pop(label, None)
        case SoundEvent(label=label, state="ended"):
            source["sounding"].pop(label, None)
            source["last"] = {"label": label, "at": message.ended_at or message.at}
        case SoundEvent(label=label):
            source["sounding"][label] = {"score": round(message.score, 3), "certainty": message.certainty}
            source["last"] = {"label": label, "at": message.at}


def plain_times(values: Mapping[str, Any], iso: Callable[[datetime], str]) -> dict[str, Any]:
    """`values` with its times written out."""
    return {key: _plain(value, iso) for key, value in values.items()}


def _plain(value: Any, iso: Callable[[datetime], str]) -> Any:
    if isinstance(value, dict):
        return plain_times(value, iso)
    return iso(value) if isinstance(value, datetime) else value
