"""Runs drills in the daemon: takes a request from the state folder, listens along, and keeps the report."""

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monitor.audio import FRAME_S, FRAME_SAMPLES, SAMPLE_RATE_HZ, Piece
from monitor.clock import Clock, instant
from monitor.delivery.deliveries import OUTBOX, deliveries
from monitor.drill.margin import measured
from monitor.drill.report import (
    AFTERWARDS_S,
    REQUEST,
    DeliveryReport,
    DrillReport,
    RoomReport,
    drill_figures,
    keep_drill,
    read_drills,
)
from monitor.errors import StoreError
from monitor.labels import LIFE_SAFETY
from monitor.language.words import pattern_words
from monitor.logs import get_logger
from monitor.rules.drill import CLOSES_S, LASTS_S
from monitor.schema import read_file
from monitor.types import Alert, Command, Message, SoundEvent

log = get_logger()

KEPT_S = 180.0
"""Sound that is kept in memory while a drill goes on: the alarm, and the room before and after it."""
STALE_S = 60.0
"""A request that is older was made while no daemon ran; who made it has gone away."""
MOST_BYTES = 10_000
"""Of a request; ours have some hundred."""
_INT16 = 32767


class _RecentSound:
    """The last minutes of one source, 16 bits."""

    def __init__(self) -> None:
        self.frames: deque[NDArray[np.int16]] = deque(maxlen=int(KEPT_S / FRAME_S))
        self.ends_at: datetime | None = None

    def push(self, piece: Piece) -> None:
        samples = (np.clip(piece.audio.samples, -1, 1) * _INT16).astype(np.int16)
        self.frames.extend(samples.reshape(-1, FRAME_SAMPLES))
        self.ends_at = piece.ends_at


class DrillRunner:
    """`push` belongs to the capture threads and `decided` to the decider's; both return at once where no
    drill goes on. `tend` belongs to a thread that may wait for a disk. The margins are computed in a thread
    of their own, named `drill`; a bug in it reaches `failed`. A drill does not outlive the
    process: after a kill whatever sounds is real."""

    def __init__(self, folder: Path, sources: Sequence[str], clock: Clock) -> None:
        self._folder = folder
        self._outbox = folder / OUTBOX
        self._sources = sources
        self._clock = clock
        self._lock = Lock()
        self._report: DrillReport | None = None
        self._closes_s = clock.monotonic_s()
        """By the clock that nobody sets."""
        self._recent: dict[str, _RecentSound] = {}
        self._events: dict[str, list[SoundEvent]] = {}
        self._drills: list[DrillReport] | None = None

    def figures(self) -> dict[str, Any]:
        """The last drill, how many rooms heard it, and whether the next is overdue; from any thread."""
        return drill_figures(self._drills or [], self._clock.now())

    def push(self, piece: Piece) -> None:
        """The next frames of a source."""
        if self._report is not None and (recent := self._recent.get(piece.source)):
            recent.push(piece)

    def decided(self, message: Message) -> None:
        """What was decided."""
        report = self._report
        if report is None:
            return
        with self._lock:
            if isinstance(message, SoundEvent) and message.evidence.get("drill") == report.id:
                self._events.setdefault(message.source, []).append(message)
                if message.certainty == "confirmed":
                    closes_s = self._clock.monotonic_s() + CLOSES_S + AFTERWARDS_S
                    self._closes_s = min(self._closes_s, closes_s)
            elif isinstance(message, Alert) and _is_of(message, report):
                self._report = replace(
                    report,
                    alert_ids=tuple(dict.fromkeys([*report.alert_ids, message.id])),
                    alerted_at=report.alerted_at or message.raised_at,
                )

    def tend(self, failed: Callable[[BaseException], None]) -> list[Command]:
        """Begin a drill that was asked for, or end the one whose time is over: the commands for the
        decider."""
        now = self._clock.now()
        if self._drills is None:
            self._drills = self._read()
        if self._report is not None:
            if self._clock.monotonic_s() >= self._closes_s:
                self._end(now, failed)
            return []
        label = self._requested(now)
        if label is None:
            return []
        return [self._begin(*label, now)]

    def _requested(self, now: datetime) -> tuple[str, str] | None:
        """Id and label of a fresh request; the file is gone afterwards."""
        file = self._folder / REQUEST
        try:
            text = read_file(file, MOST_BYTES)
            file.unlink()
        except OSError:
            return None  # there is none, or the folder is ill, which the stores in it report
        try:
            row = json.loads(text)
            id, label, asked_at = str(row["id"]), str(row["label"]), instant(row["asked_at"])
            fresh = abs((now - asked_at).total_seconds()) <= STALE_S and label in LIFE_SAFETY
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            log.warning("a request for a drill cannot be read", why=str(error))
            return None
        return (id, label) if fresh else None

    def _begin(self, id: str, label: str, now: datetime) -> Command:
        with self._lock:
            self._recent = {source: _RecentSound() for source in self._sources}
            self._events = {}
            self._closes_s = self._clock.monotonic_s() + LASTS_S + AFTERWARDS_S
            self._report = DrillReport(id, label, now, tuple(map(RoomReport, self._sources)))
        log.info("a drill begins: the announced alarm rings as a test", label=label, lasts_s=LASTS_S)
        self._keep(self._report)
        return Command("drill", value=id, label=label, by="drill")

    def _end(self, now: datetime, failed: Callable[[BaseException], None]) -> None:
        with self._lock:
            report, recent, events = self._report, self._recent, self._events
            self._report, self._recent, self._events = None, {}, {}
        assert report is not None

        def work() -> None:
            try:
                rooms = tuple(_room(source, events.get(source, []), recent[source]) for source in recent)
                done = replace(report, rooms=rooms, ended_at=now, deliveries=self._delivered(report))
                log.info("the drill has ended", coverage=done.coverage)
                self._keep(done)
            except BaseException as error:  # noqa: BLE001 - the one place of this thread
                failed(error)

        Thread(target=work, name="drill", daemon=True).start()

    def _delivered(self, report: DrillReport) -> tuple[DeliveryReport, ...]:
        try:
            found = [one for id in report.alert_ids for one in deliveries(self._outbox, "alert", id)]
        except StoreError as error:
            log.warning("it is not known whether the test alert was delivered", why=str(error))
            return ()
        return tuple(
            DeliveryReport(
                one.channel,
                None
                if one.delivered_at is None
                else round((one.delivered_at - one.put_at).total_seconds(), 2),
            )
            for one in found
        )

    def _read(self) -> list[DrillReport]:
        try:
            return read_drills(self._folder)
        except StoreError as error:
            log.warning("earlier drills cannot be read", why=str(error))
            return []

    def _keep(self, report: DrillReport) -> None:
        self._drills = [one for one in self._drills or [] if one.id != report.id] + [report]
        try:
            keep_drill(self._folder, report)
        except StoreError as error:
            log.warning("the drill cannot be kept", why=str(error), coverage=report.coverage)


def _is_of(alert: Alert, report: DrillReport) -> bool:
    """Whether it is an alert of the drill, not of the test button: that one's events are made up."""
    return alert.test and any(event.label == report.label and not event.is_made_up for event in alert.events)


def _room(source: str, events: Sequence[SoundEvent], recent: _RecentSound) -> RoomReport:
    """What one source made of it."""
    rhythmic = [one for one in events if "pattern" in one.evidence]
    if not rhythmic or recent.ends_at is None or not recent.frames:
        return RoomReport(source)
    first, last = rhythmic[0], rhythmic[-1]
    samples = np.concatenate(list(recent.frames)).astype(np.float32) / np.float32(_INT16)
    began_at = recent.ends_at - timedelta(seconds=len(samples) / SAMPLE_RATE_HZ)
    begins_s, ends_s = ((at - began_at).total_seconds() for at in (first.started_at, last.at))
    pitch_hz = int(last.evidence["pitch_hz"])
    found = measured(samples, begins_s, min(ends_s, len(samples) / SAMPLE_RATE_HZ), last.label, pitch_hz)
    confirmed = next((one for one in events if one.certainty == "confirmed"), None)
    return RoomReport(
        source=source,
        pattern=pattern_words(last.evidence["pattern"]),
        pitch_hz=pitch_hz,
        cycles=int(last.evidence["cycles"]),
        suspected_s=round((first.at - first.started_at).total_seconds(), 1),
        confirmed_s=None
        if confirmed is None
        else round((confirmed.at - first.started_at).total_seconds(), 1),
        over_floor_db=found.over_floor_db,
        margin_db=found.margin_db,
        margin_is_at_least=found.is_at_least,
        surely_db=found.surely_db,
        hardly_db=found.hardly_db,
    )
