"""What a capture thread found goes on: segments to the classifier pool, everything else to the decider."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from monitor.clock import Clock
from monitor.types import Findings, Segment, SourceStatus

CLASSIFIED_POLL_S = 0.01
"""How often a recording that is read as fast as possible asks whether the classifiers have caught up. Longer:
the processor idles between segments; shorter: it polls instead of classifying."""


class Recorder(Protocol):
    """Keeps segments for the history."""

    def heard(self, heard: Findings, now: datetime) -> None: ...


class ClassifierPool(Protocol):
    """Classifies segments in threads of its own."""

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is being classified."""

    def submit(self, segment: Segment) -> None:
        """Hand it over; never waits. What finds no room is dropped and counted."""


class Router:
    """Called by every capture thread. A microphone never waits here; a recording that is read as fast as
    possible does (`hurried`), or the pool would drop most of it. `stopping` ends that wait."""

    def __init__(
        self,
        record: Recorder,
        pool: ClassifierPool,
        decide: Callable[[Findings | SourceStatus], None],
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self._record = record
        self._pool = pool
        self._decide = decide
        self._clock = clock
        self._stopping = stopping

    def route(self, item: Findings | SourceStatus, *, hurried: bool) -> None:
        """Record segments, and hand everything to whom it concerns."""
        if not isinstance(item, Findings):
            self._decide(item)
            return
        if item.segments:
            self._record.heard(replace(item, detections=(), notices=()), self._clock.now())
        # Without the sound: megabytes of it would pile up in front of a decider that is starved.
        self._decide(replace(item, segments=()))
        for segment in item.segments:
            self._pool.submit(segment)
            while hurried and not self._pool.idle and not self._stopping.wait(CLASSIFIED_POLL_S):
                pass
