"""How far one window has come: what was heard in it, and what could not have been."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from monitor.clock import instant
from monitor.rules.absence.window import WatchWindow


@dataclass(frozen=True, slots=True)
class Vigil:
    """One window of one rule."""

    window: WatchWindow
    first_at: datetime
    """From when on this run watches it."""
    looked_at: datetime
    heard: str = ""
    """What was heard first, where and when; empty: nothing yet."""
    missed_s: Mapping[str, float] = field(default_factory=dict)
    """By source, how long it was not listened to."""
    is_over: bool = False
    """Whether it was decided."""
    was_blind: bool = False
    """Whether the last one that nothing was heard in could not be decided."""

    def missing(self, seconds: float, sources: tuple[str, ...]) -> "Vigil":
        """These were not listened to for so long."""
        missed = {**self.missed_s, **{each: self.missed_s.get(each, 0.0) + seconds for each in sources}}
        return replace(self, missed_s=missed) if seconds > 0 and sources else self

    def taken_up(self, kept: "Vigil", sources: tuple[str, ...]) -> "Vigil":
        """With what an earlier run knew of the same window, found again now: the time in which nobody
        watched counts from where that one ended, and not from the window's begin."""
        unknown_s = (self.first_at - self.window.begin).total_seconds()
        between_s = (min(self.first_at, self.window.end) - kept.looked_at).total_seconds()
        missed = {
            each: max(self.missed_s.get(each, 0.0) - unknown_s, 0.0)
            + kept.missed_s.get(each, 0.0)
            + max(between_s, 0.0)
            for each in sources
        }
        return replace(
            self,
            heard=kept.heard or self.heard,
            missed_s=missed,
            is_over=kept.is_over or self.is_over,
            was_blind=kept.was_blind,
        )


class Vigils:
    """The vigils of all rules by name, kept over restarts. The rules' thread changes them; `rows` and `found`
    may be called from any."""

    def __init__(self) -> None:
        self.by_rule: dict[str, Vigil] = {}
        self.kept: dict[str, Vigil] = {}
        """What an earlier run left and nobody has taken up yet."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when something is to be kept."""

    def put(self, rule: str, vigil: Vigil) -> None:
        """It has come so far."""
        self.by_rule = {**self.by_rule, rule: vigil}

    def rows(self) -> Mapping[str, Any]:
        """As plain JSON values."""
        return {rule: _row(each) for rule, each in (self.kept | self.by_rule).items()}

    def found(self, rows: Mapping[str, Any]) -> None:
        """What an earlier run kept."""
        self.kept = {str(rule): _vigil(row) for rule, row in rows.items()}


def _row(vigil: Vigil) -> dict[str, Any]:
    row = asdict(vigil) | {"window": [vigil.window.begin.isoformat(), vigil.window.end.isoformat()]}
    return row | {"first_at": vigil.first_at.isoformat(), "looked_at": vigil.looked_at.isoformat()}


def _vigil(row: Mapping[str, Any]) -> Vigil:
    begin, end = map(instant, row["window"])
    return Vigil(
        WatchWindow(begin, end),
        instant(row["first_at"]),
        instant(row["looked_at"]),
        str(row["heard"]),
        {str(source): float(seconds) for source, seconds in row["missed_s"].items()},
        bool(row["is_over"]),
        bool(row["was_blind"]),
    )
