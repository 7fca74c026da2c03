"""Open sounds that meet a clause but for having to last."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.clock import CLOCK_JUMP_S
from monitor.rules.clauses import heard_for_s
from monitor.rules.trace import RuleTrace
from monitor.types import SoundEvent

MOST_LASTING = 64
"""Sounds per rule: more than there are open events in a house with a dozen rooms."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """One open sound, in the newest state that is known."""

    way: int
    event: SoundEvent
    lasted_s: float
    counted_at: datetime | None = None

    def counted(self, now: datetime) -> "Lasting":
        """With the time that has passed since the last look: an even sound has no further state."""
        passed_s = (now - self.counted_at).total_seconds() if self.counted_at else 0.0
        lasted_s = self.lasted_s + (passed_s if 0 < passed_s <= CLOCK_JUMP_S else 0.0)
        return replace(self, lasted_s=lasted_s, counted_at=now)

    @property
    def as_of_now(self) -> SoundEvent:
        """The event as it stands after it has lasted so long."""
        return replace(self.event, at=self.event.started_at + timedelta(seconds=self.lasted_s))


def followed(
    lasting: tuple[Lasting, ...], way: int, event: SoundEvent, trace: RuleTrace
) -> tuple[Lasting, ...]:
    """`lasting` after one more state of an event: only what stops at `lasts_s` and goes on is
    followed further."""
    before = next((one for one in lasting if (one.way, one.event.id) == (way, event.id)), None)
    others = tuple(one for one in lasting if one is not before)
    failed = [step.clause for step in trace.steps if not step.passed]
    if failed != ["lasts_s"] or event.ended_at is not None:
        return others
    lasted_s = max(heard_for_s(event), before.lasted_s if before else 0.0)
    return (*others, Lasting(way, event, lasted_s, before.counted_at if before else None))[-MOST_LASTING:]
