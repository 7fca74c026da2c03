"""Which onset suits what people said of a sound: a line, `{"suggestions": […], "refused": [reasons]}`."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from monitor.clock import SystemClock
from monitor.config.model import Config
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.verdicts import Verdicts
from monitor.web.trying.child import Write, line

if TYPE_CHECKING:
    from monitor.teaching.forecast import DailyRate
    from monitor.teaching.suggestion import Suggestion


AimKind = Literal["likely", "keep", "right", "false_a_week"]
USUAL: dict[AimKind, float] = {"likely": 0.6, "keep": 0.95, "right": 0.9, "false_a_week": 1.0}
MOST_CHANGES = 20


@dataclass(frozen=True, slots=True)
class Suggesting:
    """Of which sound."""

    config: Config
    label: str
    now: datetime
    aim: AimKind = "likely"
    value: float | None = None
    """None: the usual one for this aim."""

    def work(self, write: Write) -> None:
        """Find it. Raises StoreError. What it takes is imported here: the daemon itself needs none of it."""
        from monitor.teaching.house import HouseReading
        from monitor.teaching.suggestion import Aim, Suggestion, suggest

        folder = self.config.state_folder()
        with History(folder / SCORES) as history, Verdicts(folder, SystemClock()) as verdicts:
            house = HouseReading(self.config, history, verdicts, self.now)
            known = [one for one in house.everything_taught() if one.label == self.label]
            aim = Aim(self.aim, USUAL[self.aim] if self.value is None else self.value)
            found = [suggest(one, aim) for one in known or [house.taught(self.label)]]
        shown = [_plain(one) for one in found if isinstance(one, Suggestion)]
        refused = [one.reason for one in found if not isinstance(one, Suggestion)]
        write(line({"suggestions": shown, "refused": refused}))


def _plain(one: "Suggestion") -> dict[str, Any]:
    return {
        "source": one.source, "now": round(one.now, 4), "onset": round(one.onset, 4),
        "days": round(one.days, 1), "right": one.right, "wrong": one.wrong, "missed": one.missed,
        "more_verdicts": one.more_verdicts, "false_now": _rate(one.false_now),
        "false_then": _rate(one.false_then), "lost": _rate(one.lost),
        "gone": len(one.gone), "new": len(one.new), "changes": _changes(one),
    }  # fmt: skip


def _changes(one: "Suggestion") -> list[dict[str, Any]]:
    """The latest sounds that it would have decided otherwise."""
    both = [(sound, True) for sound in one.gone] + [(sound, False) for sound in one.new]
    both.sort(key=lambda each: each[0].sound.started_at, reverse=True)
    return [
        {
            "source": each.sound.source,
            "at": each.sound.started_at.isoformat(),
            "gone": gone,
            "right": each.right,
        }
        for each, gone in both[:MOST_CHANGES]
    ]


def _rate(rate: "DailyRate") -> dict[str, float]:
    return {"a_day": round(rate.a_day, 3), "low": round(rate.low, 3), "high": round(rate.high, 3)}
