"""The thread that decides: one at a time, in order, whatever source or listener it comes from."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from monitor.clock import TICK_S, Clock
from monitor.logs import get_logger
from monitor.runtime.mailbox import Mailbox
from monitor.types import Command, Detection, EventEnd, Findings, Level, Message, Problem, SourceStatus

log = get_logger()

Item = Findings | SourceStatus | Command

MOST_AT_ONCE = 50
"""Items decided before what follows is told, together: on a busy machine each telling waits for a turn."""


class DecisionEngine(Protocol):
    """What decides. Used by this thread alone."""

    def decide(
        self, detections: Sequence[Detection], now: datetime, times: Mapping[str, datetime] | None = None
    ) -> list[Message]: ...

    def end_source(self, source: str, at: datetime, ended_by: EventEnd) -> list[Message]: ...

    def note_source(self, news: SourceStatus | Problem, now_s: float) -> list[Message]: ...

    def due_alerts(self, now: datetime, now_s: float) -> list[Message]: ...

    def apply_command(self, command: Command, now: datetime) -> list[Message]: ...


class Record(Protocol):
    """What keeps a history of what was heard and decided. Used by this thread; must not wait."""

    def heard(self, heard: Findings, now: datetime) -> None: ...

    def told(self, message: Message, now: datetime) -> None: ...


def enqueue(item: Item, mailbox: Mailbox[Item]) -> None:
    """Put something into the decider's mailbox; never waits. Priority: alarms 3, source status 2, commands 1
    (of those that wait only the newest of each kind is kept), the rest 0, tests -1. An alarm also overtakes
    all but a status, which keeps its place among the sounds of its source."""
    match item:
        case Command(name="test"):
            mailbox.put(item, urgency=-1, about="test")
        case Command(name, source):
            mailbox.put(item, urgency=1, about=(name, source, item.value if name == "ack" else None))
        case SourceStatus():
            mailbox.put(item, urgency=2)
        case Findings(detections=detections) if any(each.certainty for each in detections):
            mailbox.put(item, urgency=3, overtaking=2)
        case _:
            mailbox.put(item)


class Decider(threading.Thread):
    """Takes what was heard, said or asked from `mailbox` and hands what follows to `post`, until the
    mailbox is closed and empty. Then the open events of every source end with "shutdown". `leftover` is told
    before anything else: what an earlier run could not say.

    Time is the clock's, except for the sources in `recorded`: how far they were heard is their time, for they
    may be read faster than they were recorded, or carry the dates of another day.
    """

    def __init__(
        self,
        engine: DecisionEngine,
        mailbox: Mailbox[Item],
        post: Callable[[Sequence[Message]], None],
        record: Record,
        failed: Callable[[BaseException], None],
        clock: Clock,
        recorded: frozenset[str] = frozenset(),
        leftover: Sequence[Message] = (),
    ) -> None:
        super().__init__(name="decide", daemon=True)
        self._engine = engine
        self._mailbox = mailbox
        self._post = post
        self._record = record
        self._failed = failed
        self._clock = clock
        self._recorded = recorded
        self._leftover = leftover
        self._times: dict[str, datetime] = {}
        self._sources: set[str] = set()
        self._ticked_s = clock.monotonic_s()

    def run(self) -> None:
        try:
            self._tell(self._leftover)
            while not self._mailbox.finished:
                items = self._mailbox.take(limit=MOST_AT_ONCE, timeout_s=TICK_S)
                self._tell([message for item in items for message in self._follows(item)])
                self._tick()
            for source in sorted(self._sources):
                at = self._times.get(source, self._clock.now())
                self._tell(self._engine.end_source(source, at, "shutdown"))
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _follows(self, item: Item) -> list[Message]:
        if isinstance(item, Command):
            return self._engine.apply_command(item, self._clock.now())
        self._sources.add(item.source)
        if isinstance(item, Findings):
            return [*self._heard(item), *(each for notice in item.notices for each in self._noticed(notice))]
        noted = self._engine.note_source(item, self._clock.monotonic_s())
        if item.online:
            return noted
        return [*self._engine.end_source(item.source, item.at, item.ended_by), *noted]

    def _heard(self, heard: Findings) -> list[Message]:
        told: list[Message] = []
        if heard.source in self._recorded and heard.detections:
            # What was over before this sound began ends first; no tick of the clock came in between.
            self._reach(heard.source, min(detection.started_at for detection in heard.detections))
            told = self._pass_time()
        if heard.source in self._recorded:
            self._reach(heard.source, heard.until)
        now = self._times.get(heard.source, self._clock.now())
        self._record.heard(heard, now)
        return told + (self._engine.decide(heard.detections, now) if heard.detections else self._pass_time())

    def _noticed(self, notice: Level | Problem) -> list[Message]:
        if isinstance(notice, Level):
            return [notice]
        if notice.kinds:
            log.warning("the microphone is not well", source=notice.source, kinds=list(notice.kinds))
        else:
            log.info("the microphone is well again", source=notice.source)
        return self._engine.note_source(notice, self._clock.monotonic_s())

    def _reach(self, source: str, at: datetime) -> None:
        """A recording was heard so far; a classifier's word on an earlier segment takes nothing back."""
        self._times[source] = max(at, self._times.get(source, at))

    def _pass_time(self) -> list[Message]:
        return self._engine.decide((), self._clock.now(), self._times)

    def _tick(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._ticked_s >= TICK_S:
            self._ticked_s = now_s
            self._tell([*self._pass_time(), *self._engine.due_alerts(self._clock.now(), now_s)])

    def _tell(self, messages: Sequence[Message]) -> None:
        if messages:
            self._post(messages)
        for message in messages:
            self._record.told(message, self._clock.now())
