"""Builds everything from a Config, runs it, takes it down: the wiring diagram of the daemon."""

import queue
import threading
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

from monitor.assembly import Listeners, build_ears, build_mind, load_listeners
from monitor.clock import Clock, SystemClock
from monitor.config import Config
from monitor.delivery import Delivery
from monitor.logs import get_logger
from monitor.recorder import Recorder
from monitor.runtime.decider import Decider, Item
from monitor.runtime.health import Checkup, summary
from monitor.runtime.housekeeper import Housekeeper
from monitor.runtime.listener import Listener
from monitor.runtime.mailbox import Mailbox
from monitor.runtime.panel import Panel
from monitor.runtime.systemd import Systemd
from monitor.types import Health, Heard, SourceStatus

log = get_logger()

DECISIONS = 10_000
"""What may wait to be decided: minutes of the busiest house, for a decision takes less than a millisecond."""
FIRST_HEALTH_S = 5.0
HEALTH_EVERY_S = 30.0
STOP_S = 1.0
"""What the ears, and after them the decider, get for an orderly stop."""


class Daemon:
    """One life of the daemon: everything is open inside the `with` block, and nothing is left after it."""

    def __init__(self, config: Config, clock: Clock | None = None, systemd: Systemd | None = None) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._systemd = systemd or Systemd()
        self._life = ExitStack()
        self._failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._decisions: Mailbox[Item] = Mailbox("decisions", DECISIONS, self._clock)
        self._ears: list[Listener] = []

    def __enter__(self) -> Self:
        """Models first, then those who are told, then those who decide; ears last, so that nothing is heard
        that cannot be told. On the way down it is the other way round."""
        with ExitStack() as life:
            listeners = load_listeners(self._config)
            life.callback(listeners.close)
            self._delivery = life.enter_context(
                Delivery(self._config, self._tell, self._failures.put, self._clock)
            )
            self._recorder = life.enter_context(Recorder(self._config, self._clock))
            life.enter_context(Housekeeper(self._keep_house, self._failures.put))
            self._start_decider(life, listeners)
            panel = life.enter_context(
                Panel(listeners.first, listeners.second, self._tell, self._failures.put, self._clock)
            )
            self._start_ears(life, listeners, panel)
            self._checkup = self._build_checkup(panel, listeners)
            self._life = life.pop_all()
        self._systemd.ready()
        return self

    def __exit__(self, *exc: object) -> None:
        self._systemd.stopping()
        self._life.close()

    def run(self) -> None:
        """Watch over the threads until `stop`, or until every source has ended. Raises the error of a thread
        that failed."""
        health_at_s = self._clock.monotonic_s() + FIRST_HEALTH_S
        while not self._stopping.wait(min((self._systemd.watchdog_s or 4) / 4, 1.0)):
            if not self._failures.empty():
                raise self._failures.get()
            if all(ear.done.is_set() for ear in self._ears):
                return
            self._feed_watchdog()
            if self._clock.monotonic_s() >= health_at_s:
                health_at_s += HEALTH_EVERY_S
                self._publish_health()

    def stop(self) -> None:
        """Make `run` return soon; from any thread or a signal handler."""
        self._stopping.set()

    def health(self) -> Health:
        """How everything is doing; from any thread."""
        return self._checkup.snapshot()

    def _start_decider(self, life: ExitStack, listeners: Listeners) -> None:
        mind = build_mind(self._config, listeners)
        failed = self._failures.put
        decider = Decider(mind, self._decisions, self._delivery, self._recorder, failed, self._clock)
        decider.start()
        life.callback(decider.join, STOP_S)
        life.callback(self._decisions.close)

    def _start_ears(self, life: ExitStack, listeners: Listeners, panel: Panel) -> None:
        for block in self._config.sources:
            if not block.enabled:
                continue
            ears = build_ears(self._config, block, listeners, self._recorder.remember)
            tell = partial(self._pass_on, panel)
            listener = Listener(block.build(self._clock), ears, tell, self._failures.put, self._clock)
            self._ears.append(listener)
        life.callback(self._stop_ears)
        for listener in self._ears:
            listener.start()

    def _stop_ears(self) -> None:
        for listener in self._ears:
            listener.stop()
        for listener in self._ears:
            listener.join(STOP_S)

    def _pass_on(self, panel: Panel, item: Heard | SourceStatus) -> None:
        """From a listener: segments to the classifiers, everything else straight to the decider."""
        if isinstance(item, Heard):
            for segment in item.segments:
                panel.submit(segment)
        self._tell(item)

    def _tell(self, item: Item) -> None:
        """Leave something for the decider. Nobody waits; alarms and commands outlast everything else."""
        ordinary = isinstance(item, Heard) and not any(d.certainty for d in item.detections)
        self._decisions.put(item, urgency=0 if ordinary else 1)

    def _build_checkup(self, panel: Panel, listeners: Listeners) -> Checkup:
        queues: dict[str, Mailbox[Any]] = {"decisions": self._decisions, **panel.mailboxes}
        vital = frozenset({"decisions", *panel.vital})
        checkup = Checkup(self._ears, panel.workers, queues, self._clock, vital)
        for name, reason in listeners.missing.items():
            checkup.note(name, reason)
        return checkup

    def _feed_watchdog(self) -> None:
        if stalled := self._checkup.stalled():
            log.error("something has stopped moving; the watchdog is not fed", stalled=stalled)
        else:
            self._systemd.alive()

    def _publish_health(self) -> None:
        health = self._checkup.snapshot()
        self._systemd.status(summary(health))
        log.debug("health", summary=summary(health))
        self._delivery.show(health)

    def _keep_house(self) -> None:
        for picture in self._recorder.tend():
            self._delivery.show(picture)
