"""The thread that decides: one item at a time, in order, from all sources and classifiers."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from monitor.clock import TICK_S, Clock
from monitor.logs import get_logger
from monitor.runtime.mailbox import Mailbox
from monitor.types import (
    Alert,
    Command,
    Detection,
    EventEnd,
    Findings,
    Level,
    Message,
    Problem,
    SoundEvent,
    SoundLevel,
    SourceStatus,
)

log = get_logger()


@dataclass(frozen=True, slots=True)
class Announcement:
    """Messages that follow from no sound: ends of an earlier run's events, settings, a stuck channel."""

    messages: tuple[Message, ...]


Item = Findings | SourceStatus | Command | Announcement

LAG_IS_LATE_S = 5.0
"""An event or alert decided this much later than its sound is late."""
MOST_AT_ONCE = 50
"""Items decided before their messages are posted together: on a busy machine each post waits for a turn."""


REST_S = 1.0
"""How often time passes while nothing waits for it: nobody is late then, and a quiet house wakes three times
a second less."""


class DecisionEngine(Protocol):
    """Tracker and rules. Used by this thread alone."""

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing waits for time to pass: no open event, no alert that may come, no lost source."""

    def decide(
        self, detections: Sequence[Detection], now: datetime, times: Mapping[str, datetime] | None = None
    ) -> list[Message]:
        """What these detections, and the time that has passed, bring about; see `Tracker.update`."""

    def end_source(self, source: str, at: datetime, ended_by: EventEnd) -> list[Message]:
        """End all events of a source that is heard no more."""

    def note_source(self, news: SourceStatus | Problem, now_s: float) -> list[Message]:
        """A source was lost, is back, or has a fault; `now_s` is monotonic."""

    def note_minute(self, level: SoundLevel) -> list[Message]:
        """A source's loudness over a minute."""

    def due_alerts(self, now: datetime, now_s: float) -> list[Message]:
        """Alerts about sources that have delivered no sound for long; `now_s` is monotonic."""

    def apply_command(self, command: Command, now: datetime) -> list[Message]:
        """Carry it out and return its effects, the value now in force among them."""


class Recorder(Protocol):
    """A history of findings and messages. Used by this thread; must not block."""

    def heard(self, heard: Findings, now: datetime) -> None:
        """What classifiers and detectors found."""

    def decided(self, message: Message, now: datetime) -> None:
        """What was made of it."""


def enqueue(item: Item, mailbox: Mailbox[Item]) -> None:
    """Put something into the decider's mailbox; never waits. Priority: alarms and announcements 3, status 2,
    commands 1 (of those that wait only the newest of each kind is kept), the rest 0, tests -1. An alarm also
    overtakes all but a status, which keeps its place among the sounds of its source; announcements overtake
    that and commands, or what was set long ago would undo what is set now."""
    match item:
        case Command(name="test"):
            mailbox.put(item, urgency=-1, about="test")
        case Command(name, source):
            mailbox.put(item, urgency=1, about=(name, source, item.value if name == "ack" else None))
        case Announcement():
            mailbox.put(item, urgency=3, overtaking=3)
        case SourceStatus():
            mailbox.put(item, urgency=2)
        case Findings(detections=detections) if any(each.certainty for each in detections):
            mailbox.put(item, urgency=3, overtaking=2)
        case _:
            mailbox.put(item)


class Decider(threading.Thread):
    """Takes findings, source statuses and commands from `mailbox` and passes the messages that follow to
    `post`, until the mailbox is closed and empty. Then the open events of every source end with "shutdown".

    Each source has the time of its own sound. For those in `recorded` it is how far they were heard: they may
    be read faster than they were recorded, or carry the dates of another day. For the others it is how far
    their sound was heard and judged, as `reached` gives it by source; the clock's time where it is silent.
    """

    def __init__(
        self,
        engine: DecisionEngine,
        mailbox: Mailbox[Item],
        post: Callable[[Sequence[Message]], None],
        record: Recorder,
        failed: Callable[[BaseException], None],
        clock: Clock,
        recorded: frozenset[str] = frozenset(),
        reached: Callable[[], Mapping[str, datetime]] = dict,
    ) -> None:
        super().__init__(name="decide", daemon=True)
        self._engine = engine
        self._mailbox = mailbox
        self._post = post
        self._record = record
        self._failed = failed
        self._clock = clock
        self._recorded = recorded
        self._times: dict[str, datetime] = {}
        self._ask_reached = reached
        self._reached: Mapping[str, datetime] = {}
        self._asked: Mapping[str, datetime] | None = None
        self._before = 0
        """Items that were waiting when `reached` was asked: what it counts as judged may be among them."""
        self._sources: set[str] = set()
        self._ticked_s = clock.monotonic_s()

    def run(self) -> None:
        """The thread: decides what the mailbox holds, and lets time pass, until the mailbox is closed and
        empty. Then all sources end."""
        try:
            while not self._mailbox.finished:
                self._ask()
                tick_s = REST_S if self._engine.is_at_rest else TICK_S
                items = self._mailbox.take(limit=MOST_AT_ONCE, timeout_s=tick_s)
                self._send([message for item in items for message in self._follows(item)])
                self._before -= len(items)
                self._tick()
            for source in sorted(self._sources):
                at = self._times.get(source, self._clock.now())
                self._send(self._engine.end_source(source, at, "shutdown"))
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _follows(self, item: Item) -> list[Message]:
        if isinstance(item, Command):
            return self._engine.apply_command(item, self._clock.now())
        if isinstance(item, Announcement):
            return list(item.messages)
        self._sources.add(item.source)
        if isinstance(item, Findings):
            return [*self._heard(item), *(each for notice in item.notices for each in self._noticed(notice))]
        noted = self._engine.note_source(item, self._clock.monotonic_s())
        if item.online:
            return noted
        return [*self._engine.end_source(item.source, item.at, item.ended_by), *noted]

    def _heard(self, heard: Findings) -> list[Message]:
        ended: list[Message] = []
        if heard.source in self._recorded and heard.detections:
            # What was over before this sound began ends first; no tick of the clock came in between.
            self._reach(heard.source, min(detection.started_at for detection in heard.detections))
            ended = self._pass_time()
        if heard.source in self._recorded:
            self._reach(heard.source, heard.until)
        now = self._now(heard)
        self._record.heard(heard, now)
        if not heard.detections:
            return ended + self._pass_time()
        return ended + self._engine.decide(heard.detections, now, self._all_times())

    def _now(self, heard: Findings) -> datetime:
        """How far the source of these findings has been heard."""
        if heard.source in self._recorded:
            return self._times[heard.source]
        clock = self._clock.now()
        reached = self._reached.get(heard.source)
        # A verifier's answer is about the past; it is given now.
        return clock if reached is None else min(clock, max(heard.until, reached))

    def _all_times(self) -> dict[str, datetime]:
        return {**self._reached, **self._times}

    def _noticed(self, notice: Level | SoundLevel | Problem) -> list[Message]:
        if isinstance(notice, Level):
            return [notice]
        if isinstance(notice, SoundLevel):
            return self._engine.note_minute(notice)
        if notice.kinds:
            log.warning("the microphone is faulty", source=notice.source, kinds=list(notice.kinds))
        else:
            log.info("the microphone works again", source=notice.source)
        return self._engine.note_source(notice, self._clock.monotonic_s())

    def _reach(self, source: str, at: datetime) -> None:
        """A recording was heard up to `at`; a late answer on an earlier segment never moves it back."""
        self._times[source] = max(at, self._times.get(source, at))

    def _pass_time(self) -> list[Message]:
        return self._engine.decide((), self._clock.now(), self._all_times())

    def _ask(self) -> None:
        """Ask how far the sources have come, before what followed from that sound is taken."""
        if self._asked is None:
            self._asked = self._ask_reached()
            self._before = self._mailbox.figures().waiting

    def _tick(self) -> None:
        if self._asked is not None and (self._before <= 0 or not self._mailbox.figures().waiting):
            self._reached, self._asked = self._asked, None
        now_s = self._clock.monotonic_s()
        if now_s - self._ticked_s >= TICK_S:
            self._ticked_s = now_s
            self._send([*self._pass_time(), *self._engine.due_alerts(self._clock.now(), now_s)])

    def _send(self, messages: Sequence[Message]) -> None:
        messages = [self._dated(message) for message in messages]
        if messages:
            self._post(messages)
        for message in messages:
            self._record.decided(message, self._clock.now())
            if isinstance(message, Alert):
                _log(message)

    def _dated(self, message: Message) -> Message:
        """An event or alert that was decided long after its sound carries how long."""
        if isinstance(message, Alert):
            sources, at = {event.source for event in message.events}, message.raised_at
        elif isinstance(message, SoundEvent):
            sources, at = {message.source}, message.at
        else:
            return message
        lag_s = (self._clock.now() - at).total_seconds()
        if lag_s <= LAG_IS_LATE_S or not sources.issubset(self._reached.keys() - self._recorded):
            return message
        return replace(message, lag_s=round(lag_s, 1))


def _log(alert: Alert) -> None:
    """The log line of an alert, without its words: they may repeat what somebody said."""
    log.info(
        "alert",
        rule=alert.rule,
        severity=alert.severity,
        heard=" ".join(f"{event.label}@{event.source}" for event in alert.events),
        id=alert.id,
        again=alert.update,
        test=alert.test,
    )
