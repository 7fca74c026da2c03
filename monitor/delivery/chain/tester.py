"""Tries the chain at set times: a message marked as a test goes through the outbox to every broker, which has
to deliver it to us again; Home Assistant has to be there, or to answer. Who would be notified learns of a
failure alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from monitor.clock import Clock, next_at, time_of_day
from monitor.config.upkeep import DrillConfig
from monitor.delivery.base import Outbox
from monitor.delivery.chain.kept import ChainState, KeptChain
from monitor.delivery.deliveries import OUTBOX, deliveries
from monitor.errors import StoreError
from monitor.language.words import say
from monitor.logs import get_logger
from monitor.types import Alert, new_id

log = get_logger()

RULE = "Chain test"
SETTLED_S = 600.0
"""So long after a start none begins: after a power cut broker and Home Assistant come up later than we do."""
WITHIN_S = 120.0
"""So long a broker that is well may take, and an automation to answer."""
AGAIN_S = 3600.0
"""After a failure it is tried again so soon, until it passes."""

_WEEK = timedelta(days=7)

Figures = Callable[[], Mapping[str, Any]]
"""How a broker's publisher stands with its receiver (`Reports.figures`)."""


@dataclass(slots=True)
class _RunningTest:
    """One test on its way."""

    id: str
    until_s: float
    answered: bool = False
    late: bool = False
    """Reported as failed, and still waiting to be delivered."""
    arrived: set[str] = field(default_factory=set)


class ChainTester:
    """`tend` belongs to a thread that may wait for a disk; the others may be called from any thread."""

    def __init__(
        self,
        config: DrillConfig,
        folder: Path,
        receivers: Mapping[str, Figures],
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        """`receivers`: the brokers by name."""
        self._config = config
        self._store = KeptChain(folder)
        self._outbox_file = folder / OUTBOX
        self._receivers = receivers
        self._outbox = outbox
        self._clock = clock
        self._settled_at_s = clock.monotonic_s() + SETTLED_S
        self._lock = Lock()
        self._kept: ChainState | None = None
        self._trial: _RunningTest | None = None
        self._retry_at_s = 0.0
        self._failed: list[str] = []

    def tend(self) -> None:
        """Begin a test that is due, or look what became of the one that is on its way."""
        if self._config.chain_test == "never" or not self._receivers:
            return
        now, now_s = self._clock.now(), self._clock.monotonic_s()
        self._store.tend()
        kept = self._kept = self._kept or self._store.read() or self._first(now)
        if self._trial is not None:
            self._look(self._trial, kept, now, now_s)
        elif now_s >= self._settled_at_s and self._is_due(kept, now, now_s):
            self._begin(now, now_s)

    def take_failures(self) -> list[str]:
        """What failed since the last call: for an alert."""
        with self._lock:
            failed, self._failed = self._failed, []
            return failed

    def answered(self, id: str) -> None:
        """An automation has received the test of this id."""
        trial = self._trial
        if trial is not None and trial.id == id:
            trial.answered = True

    def notes(self) -> dict[str, str]:
        """Trouble: why the last test failed; empty where it passed."""
        kept = self._kept
        return {"chain test": "; ".join(kept.failures)} if kept and kept.failures else {}

    def figures(self) -> dict[str, Any]:
        """For health: when the last test ended, and whether it passed."""
        kept = self._kept
        if kept is None or kept.last_at is None:
            return {"last": None, "passed": None}
        return {"last": kept.last_at.isoformat(), "passed": not kept.failures}

    def _first(self, now: datetime) -> ChainState:
        kept = ChainState(now)
        self._store.keep(kept)
        return kept

    def _is_due(self, kept: ChainState, now: datetime, now_s: float) -> bool:
        if kept.failures:
            return now_s >= self._retry_at_s
        after = kept.last_at or kept.began_at
        if after > now + _WEEK:  # the clock was ahead then: no test would be due for years
            self._kept = self._first(now)
            return False
        return next_at(after, time_of_day(self._config.at), self._config.day) <= now

    def _begin(self, now: datetime, now_s: float) -> None:
        trial = _RunningTest(new_id(), now_s + WITHIN_S)
        self._outbox.put(_message(trial.id, now), list(self._receivers))
        self._trial = trial

    def _look(self, trial: _RunningTest, kept: ChainState, now: datetime, now_s: float) -> None:
        try:
            found = deliveries(self._outbox_file, "alert", trial.id)
        except StoreError:  # the outbox itself reports that
            found = []
        trial.arrived |= {one.channel for one in found if one.delivered_at is not None}
        waits = [name for name in self._receivers if name not in trial.arrived]
        misses_answer = self._config.home_assistant_answers and not trial.answered
        if now_s < trial.until_s and (waits or misses_answer):
            return
        failures = [*self._undelivered(waits), *self._without_home_assistant(misses_answer and not waits)]
        if trial.late and waits:
            return  # it was reported; the same message is tried again by its channel
        if failures and failures != list(kept.failures):
            log.warning("the silent test of the chain has failed", failures=failures)
            with self._lock:
                self._failed += failures
        elif kept.failures and not failures:
            log.info("the silent test of the chain passes again")
        self._kept = ChainState(kept.began_at, now, tuple(failures))
        self._store.keep(self._kept)
        self._retry_at_s = now_s + AGAIN_S
        trial.late = bool(waits)
        self._trial = trial if waits else None

    @staticmethod
    def _undelivered(waits: Sequence[str]) -> list[str]:
        return [say("notice.chain_undelivered", channel=name, n=f"{WITHIN_S:.0f}") for name in waits]

    def _without_home_assistant(self, misses_answer: bool) -> list[str]:
        if misses_answer:
            return [say("notice.chain_unanswered")]
        away = [
            name
            for name, figures in self._receivers.items()
            if figures().get("homeassistant", {}).get("status") == "offline"
        ]
        return [say("notice.chain_away", channel=name) for name in away]


def failed_alert(failures: Sequence[str], now: datetime, notify: Sequence[str]) -> Alert:
    """For everybody who can still be told."""
    return Alert(
        id=new_id(),
        rule=RULE,
        severity="warning",
        events=(),
        raised_at=now,
        message=say("notice.chain_failed", failures="; ".join(failures)),
        why={"failures": list(failures)},
        notify=tuple(notify),
    )


def _message(id: str, now: datetime) -> Alert:
    return Alert(
        id=id,
        rule=RULE,
        severity="info",
        events=(),
        raised_at=now,
        message=say("notice.chain_arrives"),
        why={"chain_test": True},
        test=True,
    )
