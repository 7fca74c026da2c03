"""What people say of alerts and events elsewhere than on the page: over MQTT, by a notification's button."""

from collections import deque
from pathlib import Path
from threading import Lock

from monitor.clock import Clock
from monitor.errors import StoreError
from monitor.history import events
from monitor.history.alerts import waiting_alerts
from monitor.history.events import EventFilter
from monitor.history.judging import judged
from monitor.history.reader import History
from monitor.history.verdicts import Verdicts
from monitor.logs import Lapse, get_logger
from monitor.types import Command

log = get_logger()

WAITING = 1000
"""Answers that may wait for the disk; anybody on the broker can send any number."""
LOG_AGAIN_AFTER_S = 60.0


class Answers:
    """`put` may be called from any thread and only remembers. `write` belongs to the thread that may wait for
    a disk, after what was posted so far has been written: an answer may be about it. Never raises for a disk:
    what cannot be written waits, and that is logged once."""

    def __init__(self, verdicts: Verdicts, scores: Path, clock: Clock) -> None:
        self._verdicts = verdicts
        self._scores = scores
        self._clock = clock
        self._lock = Lock()
        self._waiting: deque[Command] = deque(maxlen=WAITING)
        self._lapse = Lapse(
            "acknowledgements and verdicts are not being kept", "acknowledgements and verdicts are kept again"
        )
        self._logged_at_s: float | None = None

    def put(self, command: Command) -> None:
        """Somebody has acknowledged (`ack`), judged (`verdict`), or both (`nothing`)."""
        with self._lock:
            self._waiting.append(command)

    def write(self) -> list[Command]:
        """Keep what people answered; return what was kept: of `nothing` what it means."""
        with self._lock:
            batch, self._waiting = list(self._waiting), deque(maxlen=WAITING)
        kept: list[Command] = []
        failed: list[Command] = []
        for command in batch:
            try:
                kept += self._write(command)
            except StoreError as error:
                self._lapse.begin(why=str(error))
                failed.append(command)
        if batch and not failed:
            self._lapse.end()
        with self._lock:
            self._waiting.extendleft(reversed(failed))
        return kept

    def _write(self, command: Command) -> list[Command]:
        if command.name == "ack" and command.value is not None:
            self._verdicts.acknowledge([str(command.value)], self._clock.now(), command.by)
            return [command]
        if not self._scores.exists():
            return self._unknown(command)
        with History(self._scores) as history:
            if command.name == "ack":
                waiting = waiting_alerts(history, self._verdicts, self._clock.now())
                self._verdicts.acknowledge([one.id for one in waiting], self._clock.now(), command.by)
                return [command]
            if command.name == "nothing":
                return self._dismiss(history, command)
            return self._judge(history, command)

    def _dismiss(self, history: History, command: Command) -> list[Command]:
        alert = history.alert(str(command.value))
        if alert is None:
            return self._unknown(command)
        answers = [
            Command("verdict", value=id, by=command.by, word="wrong")
            for id in dict.fromkeys(event.id for event in alert.events)
        ]
        kept = [one for answer in answers for one in self._judge(history, answer)]
        return kept + self._write(Command("ack", value=alert.id, by=command.by))

    def _judge(self, history: History, command: Command) -> list[Command]:
        with history.rows() as rows:
            found = events.events(rows, EventFilter(ids=(str(command.value),)), limit=1)
            if not found or command.word is None:
                return self._unknown(command)
            what = judged(rows, found[0])
        self._verdicts.judge(what, command.word, command.label, self._clock.now(), command.by)
        return [command]

    def _unknown(self, command: Command) -> list[Command]:
        now_s = self._clock.monotonic_s()
        if self._logged_at_s is None or now_s - self._logged_at_s >= LOG_AGAIN_AFTER_S:
            self._logged_at_s = now_s
            log.warning("an answer is about an unknown event or alert", answer=command.name, id=command.value)
        return []
