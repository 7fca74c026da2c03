"""The thread that decides: one at a time, in order, whatever source or listener it comes from."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from monitor.clock import Clock
from monitor.runtime.mailbox import Mailbox
from monitor.types import Command, Detection, EventEnd, Heard, Message, SourceStatus

Item = Heard | SourceStatus | Command
TICK_S = 0.25
"""How often time alone may end an event or release a waiting alert."""


class Mind(Protocol):
    """What decides. Used by this thread alone."""

    def hear(self, detections: Sequence[Detection], now: datetime) -> list[Message]: ...

    def lose(self, source: str, at: datetime, ended_by: EventEnd) -> list[Message]: ...

    def obey(self, command: Command, now: datetime) -> list[Message]: ...


class Record(Protocol):
    """What keeps a history of what was heard and decided. Used by this thread; must not wait."""

    def heard(self, heard: Heard, now: datetime) -> None: ...

    def told(self, message: Message, now: datetime) -> None: ...


class Decider(threading.Thread):
    """Takes what was heard, said or asked from `mailbox` and hands what follows to `post`, until the
    mailbox is closed and empty. Then the open events of every source end with "shutdown"."""

    def __init__(
        self,
        mind: Mind,
        mailbox: Mailbox[Item],
        post: Callable[[Message], None],
        record: Record,
        failed: Callable[[BaseException], None],
        clock: Clock,
    ) -> None:
        super().__init__(name="decide", daemon=True)
        self._mind = mind
        self._mailbox = mailbox
        self._post = post
        self._record = record
        self._failed = failed
        self._clock = clock
        self._sources: set[str] = set()
        self._ticked_s = clock.monotonic_s()

    def run(self) -> None:
        try:
            while not self._mailbox.finished:
                for item in self._mailbox.take(limit=50, timeout_s=TICK_S):
                    self._tell(self._follows(item))
                self._tick()
            for source in sorted(self._sources):
                self._tell(self._mind.lose(source, self._clock.now(), "shutdown"))
        except Exception as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _follows(self, item: Item) -> list[Message]:
        if isinstance(item, Command):
            return self._mind.obey(item, self._clock.now())
        self._sources.add(item.source)
        if isinstance(item, Heard):
            # The clock is ahead of what was heard, except for a file that is read faster than real time.
            now = max(item.until, self._clock.now())
            self._record.heard(item, now)
            return [*self._mind.hear(item.detections, now), *item.notices]
        if item.online:
            return [item]
        return [*self._mind.lose(item.source, item.at, item.ended_by), item]

    def _tick(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._ticked_s >= TICK_S:
            self._ticked_s = now_s
            self._tell(self._mind.hear((), self._clock.now()))

    def _tell(self, messages: list[Message]) -> None:
        for message in messages:
            self._post(message)
            self._record.told(message, self._clock.now())
