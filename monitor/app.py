"""Builds everything from a Config, runs it, takes it down: the wiring diagram of the daemon."""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from monitor.clock import Backoff, Clock, SystemClock
from monitor.config.capabilities import thresholds
from monitor.config.house import build_house
from monitor.config.model import Config
from monitor.delivery.delivery import Delivery
from monitor.history.recorder import Recorder
from monitor.logs import get_logger
from monitor.pipeline.build import (
    LoadedClassifiers,
    build_decision_engine,
    build_front_end,
    build_rules,
    load_classifiers,
)
from monitor.pipeline.decisions import cut_short
from monitor.runtime.capture import CaptureThread
from monitor.runtime.decider import Announcement, Decider, Item, enqueue
from monitor.runtime.health import Checkup, summary
from monitor.runtime.housekeeper import Housekeeper
from monitor.runtime.instance import OnlyInstance
from monitor.runtime.mailbox import Mailbox
from monitor.runtime.memory import limit_malloc_arenas, settled_heap, trim_heap
from monitor.runtime.memory_watch import MemoryWatch, memory_limit_mb
from monitor.runtime.pool import ClassifierPool
from monitor.runtime.progress import Progress
from monitor.runtime.routing import Router
from monitor.runtime.supervision import SupervisedSource
from monitor.runtime.systemd import Systemd
from monitor.runtime.threads import as_bug, join_all, supervised_threads
from monitor.sources import SourceConfig
from monitor.teaching.tending import Tending
from monitor.types import Alert, Health, SoundEvent

if TYPE_CHECKING:
    from monitor.web.page import Page
    from monitor.web.tap import Tap

log = get_logger()

DECISIONS = 10_000
"""What may wait to be decided: minutes of the busiest house, for a decision takes less than a millisecond."""
FIRST_HEALTH_S = 5.0
HEALTH_EVERY_S = 30.0
LOADING_S = 1800.0
"""What loading all models may take before systemd gives us up: a large one from a slow disk."""
STOP_S = 1.0
"""What the front ends, and after them the decider, get for an orderly stop."""
RETRY_S = (1.0, 5.0)
"""The first and the longest pause before a lost source is tried again. With 20 % jitter, and two seconds
until a camera's first sound, it is heard again within 10 s of its return."""


class Daemon:
    """One life of the daemon: everything is open inside the `with` block, and nothing is left after it."""

    def __init__(
        self,
        config: Config,
        clock: Clock | None = None,
        systemd: Systemd | None = None,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._config, self._look = config, look
        self._clock = clock or SystemClock()
        self._systemd = systemd or Systemd()
        self._life = ExitStack()
        # SimpleQueue.put may be called by a signal handler at any moment; an Event's lock might be held then.
        self._errands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
        self._opening = self._ending = False
        self._stopping = threading.Event()
        self._decisions: Mailbox[Item] = Mailbox("decisions", DECISIONS, self._clock)
        self._supervised: list[SupervisedSource] = []
        self._classifiers = LoadedClassifiers()
        self._recorded = frozenset(block.name for block in config.sources if block.is_recorded)
        self._progress = Progress(self._clock, self._live_captures)

    def __enter__(self) -> Self:
        """Opens models first, then receivers, then the decider, and sources last, so that nothing is heard
        before it can be delivered. Closing goes in the reverse order."""
        self._opening = True
        self._systemd.starting(LOADING_S)
        limit_malloc_arenas()
        with ExitStack() as life:
            life.enter_context(supervised_threads(self.fail))
            self._instance = life.enter_context(OnlyInstance(self._config.state_folder(), self.fail))
            classifiers = load_classifiers(self._config)
            life.callback(classifiers.close)
            self._recorder = Recorder(self._config, self._clock)
            self._teaching = Tending(self._config, self._recorder.verdicts, self._clock)
            self._delivery = life.enter_context(self._build_delivery())
            housekeeper = Housekeeper(self._keep_house, self.fail, self._delivery.outbox.is_durable)
            life.callback(housekeeper.close_after, self._recorder.__enter__().__exit__)
            self._open_page(life)
            life.enter_context(housekeeper)
            self._start_decider(life, classifiers)
            pool = partial(ClassifierPool, classifiers.first, classifiers.second, self._post, self.fail)
            self._pool = life.enter_context(pool(self._clock, len(self._config.sources)))
            self._progress.waiting += self._pool.vital.values()
            self._start_capture(life, classifiers)
            self._checkup = self._build_checkup()
            self._memory = MemoryWatch(self._pool.shed_large_models, self._clock, memory_limit_mb())
            life.enter_context(settled_heap())
            self._opening = False
            self._life = life.pop_all()
        self._systemd.ready()
        return self

    def __exit__(self, *exc: object) -> None:
        self._systemd.stopping()
        self._life.close()
        while not self._failures.empty():
            log.error("failed while stopping", exc_info=self._failures.get())
        log.info("stopped")

    def run(self) -> None:
        """Watch over the threads until `stop`, or until every source has ended and all its sound is judged.
        Raises the error of a thread that failed."""
        health_at_s = self._clock.monotonic_s() + FIRST_HEALTH_S
        pause_s = min((self._systemd.watchdog_s or 4) / 4, 1.0)
        while not self._ending:
            with suppress(queue.Empty):
                self._errands.get(timeout=pause_s)()
            is_over = all(ear.done.is_set() for ear in self._captures) and self._pool.idle
            if is_over and self._config.can_end and self._failures.empty():  # who fails is done after that
                self._delivery.ended()
                self._keep_house(last=True)
                return
            for source in self._supervised:
                source.tend()
            stalled = self._checkup.feed(self._systemd)
            if self._page is not None:
                self._page.alive(stalled)
            self._memory.check()
            if stuck := self._delivery.look():
                self._post(Announcement(tuple(stuck)))
            if stuck or self._clock.monotonic_s() >= health_at_s:
                health_at_s = self._clock.monotonic_s() + HEALTH_EVERY_S
                self._publish_health()

    def stop(self) -> None:
        """Make `run` return soon; from any thread or a signal handler. While everything is still being opened
        it raises SystemExit in the main thread: loading a large model can take minutes."""
        self._errands.put(self._end)
        if self._opening and threading.current_thread() is threading.main_thread():
            self._opening = False
            raise SystemExit(0)

    def ask(self, errand: Callable[[], None]) -> None:
        """Have `run` do something in the main thread; from any thread or a signal handler."""
        self._errands.put(errand)

    def exchange(self, config: Config) -> None:
        """Go by rules, thresholds and taught sounds of a configuration that is alike otherwise; in the main
        thread."""
        rules = build_rules(config, self._classifiers)
        self._engine.exchange(rules, thresholds(config, self._classifiers.first).of)
        self._delivery.announce(build_house(config))
        self._classifiers = self._classifiers.taught(config.taught)  # last: now others know the new sounds
        self._record.follow(config)
        self._config = config

    def report_health(self, to: Callable[[Health], None]) -> None:
        """Have `run` report how everything is doing; from any thread or a signal handler."""
        self.ask(lambda: to(self.health()))

    @property
    def page(self) -> "Page | None":
        """The page, open or at fault; None where it is off."""
        return self._page

    def health(self) -> Health:
        """How everything is doing; in the main thread."""
        page = {"page": self._page.fault} if self._page is not None and self._page.fault else {}
        health = self._checkup.snapshot()
        own: dict[str, Any] = {"drill": self._recorder.drill.figures(), "unnamed": self._teaching.question()}
        own["page"] = self._config.web.address
        wrong = page | self._instance.notes() | self._delivery.notes() | self._recorder.notes()
        notes = self._classifiers.missing | self._pool.retired | wrong
        return replace(health, values={**health.values, **self._delivery.health(), **own, "notes": notes})

    @property
    def _captures(self) -> list[CaptureThread]:
        return [source.thread for source in self._supervised]

    def _live_captures(self) -> list[CaptureThread]:
        """Of the sources whose sound is heard as it happens."""
        return [thread for thread in self._captures if thread.source.name not in self._recorded]

    def _end(self) -> None:
        self._ending = True

    def fail(self, error: BaseException) -> None:
        """A thread ends by this bug: `run` raises it; from any thread."""
        self._failures.put(error)
        self._errands.put(self._give_up)

    def _give_up(self) -> None:
        raise as_bug(self._failures.get())

    def _build_delivery(self) -> Delivery:
        answered = self._recorder.answers.put
        return Delivery(self._config, self._post, self._end_left, self.fail, self._clock, answered)

    def _start_decider(self, life: ExitStack, classifiers: LoadedClassifiers) -> None:
        self._classifiers = classifiers
        engine = self._engine = build_decision_engine(self._config, classifiers)
        life.enter_context(self._delivery.watching("not_heard", engine.vigils))
        life.enter_context(self._delivery.watching("noises", engine.noises))
        self._end_left(self._delivery.outbox.left_going_on)
        settings = engine.apply_settings(self._delivery.settings.in_force(), self._clock.now())
        self._post(Announcement(tuple(settings)))
        decider = Decider(
            engine, self._decisions, self._delivery, self._record, self.fail, self._clock, self._recorded,
            self._progress.reached,
        )  # fmt: skip
        decider.start()
        life.callback(join_all, [decider], STOP_S)
        life.callback(self._decisions.close)

    def _end_left(self, events: Sequence[SoundEvent]) -> None:
        """What an earlier run began and could not end, as soon as the disk returns it; from any thread."""
        heard_until = self._recorder.heard_until(events, self._delivery.settings.in_force())
        self._post(Announcement(tuple(cut_short(events, self._clock.now(), heard_until))))

    def _open_page(self, life: ExitStack) -> None:
        """The page, in a thread of its own, unless it is switched off. It sees what the recorder is given."""
        self._page: Page | None = None
        self._record: Recorder | Tap = self._recorder
        if self._config.web.enabled:
            from monitor.web.opening import open_page

            verdicts = self._recorder.verdicts
            self._page = open_page(self._config, self._delivery, verdicts, self._look, self._clock, life)
        if self._page is not None:
            self._record = self._page.tap(self._recorder)

    def _start_capture(self, life: ExitStack, classifiers: LoadedClassifiers) -> None:
        router = Router(self._recorder, self._pool, self._post, self._clock, self._stopping)
        for block in self._config.sources:
            if not block.enabled or block.is_external:
                continue
            new_thread = partial(self._new_capture, block, classifiers, router)
            self._supervised.append(SupervisedSource(new_thread))
        life.callback(self._stop_capture)
        for source in self._supervised:
            source.start()

    def _new_capture(
        self, block: SourceConfig, classifiers: LoadedClassifiers, router: Router
    ) -> CaptureThread:
        habit = self._recorder.habits.of(block.name)
        front_end = build_front_end(self._config, block, classifiers, self._record.remember, habit)
        post = partial(router.route, hurried=block.is_hurried)
        source, retry = block.build(self._clock), Backoff(*RETRY_S)
        return CaptureThread(source, front_end, post, self.fail, self._clock, retry)

    def _stop_capture(self) -> None:
        self._stopping.set()
        for thread in self._captures:
            thread.stop()
        join_all(self._captures, STOP_S)

    def _post(self, item: Item) -> None:
        enqueue(item, self._decisions)

    def _build_checkup(self) -> Checkup:
        queues: dict[str, Mailbox[Any]] = {"decisions": self._decisions, **self._pool.mailboxes}
        vital = frozenset({"decisions", *self._pool.vital})
        return Checkup(lambda: self._captures, self._pool.workers, queues, self._clock, vital, self._progress)

    def _publish_health(self) -> None:
        health = self.health()
        self._systemd.status(summary(health))
        log.debug("health", summary=summary(health))
        self._delivery.show(health)
        if self._page is not None:
            self._page.decided(health, health.at)
        trim_heap()

    def _keep_house(self, last: bool = False) -> None:
        self._instance.look()
        self._delivery.tend(self._recorder.tend(last=last))
        for item in self._recorder.due(self.fail):
            self._post(Announcement((item,)) if isinstance(item, Alert) else item)
        answered = self._recorder.answers.write()
        self._teaching.tend(last=last)
        if self._page is not None:
            self._page.answered(answered)
