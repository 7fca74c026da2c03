"""Keeps a running daemon's vetoes at what people have said."""

from monitor.classifiers.taught.veto import VetoBook
from monitor.clock import Clock
from monitor.errors import StoreError
from monitor.history.verdicts import Verdicts
from monitor.logs import get_logger
from monitor.teaching.vetoes import of_verdicts

log = get_logger()

EVERY_S = 60.0
"""A verdict may count a minute later; a fit of hundreds takes a moment of the disk's thread."""


class KeptVetoes:
    """Belongs to a thread that may wait for a disk. Never raises for one: the vetoes in force stay."""

    def __init__(self, verdicts: Verdicts, book: VetoBook | None, clock: Clock) -> None:
        self._verdicts = verdicts
        self._book = book
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._due_s = 0.0

    def tend(self) -> None:
        """Learn anew where somebody has judged since the last time."""
        if self._book is None or self._clock.monotonic_s() < self._due_s:
            return
        self._due_s = self._clock.monotonic_s() + EVERY_S
        try:
            seen = self._verdicts.judged_count()
            if seen == self._seen:
                return
            found = of_verdicts(self._verdicts)
        except StoreError:  # the verdicts themselves log that
            return
        self._seen = seen
        if frozenset(one.label for one in found) != self._book.labels:
            log.info(
                "what was often called wrong is held back from being confirmed",
                labels=[one.label for one in found],
            )
        self._book.exchange(found)
