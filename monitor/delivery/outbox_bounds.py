"""How much the outbox keeps, and for how long."""

from dataclasses import dataclass, field

from monitor.delivery import outbox_queries as queries
from monitor.delivery import outbox_tables as tables
from monitor.delivery.outbox_queries import ClockReading
from monitor.delivery.outbox_tables import LIFE_SAFETY_WORTH, Transaction
from monitor.labels import SEVERITIES, vocabulary
from monitor.logs import get_logger
from monitor.types import Alert, SoundEvent

log = get_logger()

TEST_WORTH = -1
"""The first to be shed."""
_TEND_EVERY = 64
"""Puts between two looks at age and size; the bounds may be overshot by that many rows."""


def worth(message: SoundEvent | Alert) -> int:
    """How much it would hurt to lose it; less than nothing for a test."""
    if isinstance(message, SoundEvent):
        label = vocabulary().get(message.label)
        return SEVERITIES.index(label.severity_default) if label else 0
    if message.test:
        return TEST_WORTH
    if message.is_life_safety:
        return LIFE_SAFETY_WORTH
    return 3 + SEVERITIES.index(message.severity)


@dataclass(slots=True)
class OutboxCounts:
    """What happened to messages other than being delivered, since the start."""

    shed: int = 0
    expired: int = 0
    unreadable: int = 0


@dataclass(slots=True)
class Bounds:
    """Gives up what is too old or too much. Not thread-safe: in the transaction that it is given."""

    max_age_s: float
    max_entries: int
    max_bytes: int
    counts: OutboxCounts = field(default_factory=OutboxCounts)
    _puts: int = 0

    def keep_now_and_then(self, ledger: Transaction, now: ClockReading, puts: int) -> None:
        """After so many puts more."""
        self._puts += puts
        if self._puts >= _TEND_EVERY:
            self._puts = 0
            self.keep(ledger, now)

    def keep(self, ledger: Transaction, now: ClockReading) -> None:
        """Give up what exceeds the bounds, count and log it."""
        self._expire(ledger, now)
        self._shed(ledger)

    def _expire(self, ledger: Transaction, now: ClockReading) -> None:
        lost = tables.give_up(ledger, queries.old(ledger.connection, now, round(self.max_age_s * 1e6)))
        if lost:
            self.counts.expired += lost
            log.warning("undelivered messages were too old and were given up", count=lost)

    def _shed(self, ledger: Transaction) -> None:
        """Delivered ones go first, then the least severe oldest, a tenth more than needed so that it is
        logged once and not at every message."""
        count, size = queries.size(ledger.connection)
        if count <= self.max_entries and size <= self.max_bytes:
            return
        excess = max(count - 0.9 * self.max_entries, count * (1 - 0.9 * self.max_bytes / size), 1)
        lost = tables.give_up(ledger, queries.least_worth(ledger.connection, int(excess)))
        if lost:
            self.counts.shed += lost
            log.warning(
                "the outbox is full: the oldest of the least severe messages were given up", count=lost
            )
