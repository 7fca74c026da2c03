"""What a capture thread found: where each part goes, and who waits."""

import threading
from datetime import datetime

from monitor.runtime.routing import Router
from monitor.types import Findings, Segment, SourceStatus
from testkit.builders import START, heard, noise, segment
from testkit.fakes import FakeClock


class Kept:
    """Remembers what was recorded."""

    def __init__(self) -> None:
        self.findings: list[Findings] = []

    def heard(self, heard: Findings, now: datetime) -> None:
        """See `Record`."""
        self.findings.append(heard)


class BusyPool:
    """Has classified a segment after it was asked `polls` times."""

    def __init__(self, polls: int = 0) -> None:
        self.submitted: list[Segment] = []
        self._polls, self.asked = polls, 0

    @property
    def idle(self) -> bool:
        """See `Pool`."""
        self.asked += 1
        return self.asked > self._polls

    def submit(self, segment: Segment) -> None:
        """See `Pool`."""
        self.submitted.append(segment)


def routed(
    item: Findings | SourceStatus, pool: BusyPool, *, hurried: bool = False, stopping: bool = False
) -> tuple[list[Findings], list[Findings | SourceStatus]]:
    """What was recorded and what the decider got."""
    kept, decided, stop = Kept(), list[Findings | SourceStatus](), threading.Event()
    if stopping:
        stop.set()
    Router(kept, pool, decided.append, FakeClock(), stop).route(item, hurried=hurried)
    return kept.findings, decided


def test_segments_go_to_the_pool_and_without_their_sound_to_the_decider() -> None:
    """The decider needs detections at once, and must not hold megabytes of sound."""
    pool, one, detection = BusyPool(), segment(noise(0.5)), heard("smoke_alarm")
    kept, decided = routed(Findings("kitchen", START, (detection,), (one,)), pool)

    assert pool.submitted == [one]
    assert kept == [Findings("kitchen", START, (), (one,))]
    assert decided == [Findings("kitchen", START, (detection,))]


def test_a_status_goes_to_the_decider_alone() -> None:
    """A source that came or went has no sound to record or classify."""
    status = SourceStatus("kitchen", True, START)
    assert routed(status, BusyPool()) == ([], [status])


def test_a_recording_read_in_a_hurry_waits_for_the_classifiers() -> None:
    """Otherwise the pool's mailbox would drop most of it."""
    pool = BusyPool(polls=3)
    routed(Findings("tape", START, (), (segment(noise(0.5)),)), pool, hurried=True)
    assert pool.asked == 4


def test_a_microphone_never_waits() -> None:
    """Its sound comes on while the classifiers are busy."""
    pool = BusyPool(polls=3)
    routed(Findings("kitchen", START, (), (segment(noise(0.5)),)), pool)
    assert pool.asked == 0


def test_stopping_ends_the_wait() -> None:
    """A hanging model must not hold up the end of the daemon."""
    pool = BusyPool(polls=10**9)
    routed(Findings("tape", START, (), (segment(noise(0.5)),)), pool, hurried=True, stopping=True)
    assert pool.asked == 1
