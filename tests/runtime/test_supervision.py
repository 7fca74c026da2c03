"""A source that hangs is left behind."""

import threading
from collections.abc import Iterator, Sequence

from monitor.audio import Piece
from monitor.runtime.capture import CaptureThread
from monitor.runtime.health import STALLED_S
from monitor.runtime.supervision import MOST_LEFT_BEHIND, SupervisedSource
from monitor.types import Findings, SourceStatus
from testkit.builders import frames, noise
from testkit.fakes import FakeClock, ScriptedSource

PATIENCE_S = 30.0


class Hanging(ScriptedSource):
    """Gives one frame, and then does not come back until `released`; closing it does not help."""

    def __init__(self, released: threading.Event) -> None:
        super().__init__(frames(noise(0.03)))
        self.hangs = threading.Event()
        self._released = released

    def pieces(self) -> Iterator[Piece]:
        yield from super().pieces()
        self.hangs.set()
        self._released.wait(PATIENCE_S)


class Deaf:
    """Hears nothing."""

    calm_below = 0.0

    def hear(self, piece: Piece) -> Sequence[Findings]:
        return ()

    def finish(self, ended_by: str) -> Findings | None:
        return None


class Room:
    """A source that hangs whenever it is opened, under supervision."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.released = threading.Event()
        self.statuses: list[SourceStatus] = []
        self.sources: list[Hanging] = []
        self.supervised = SupervisedSource(self._new_thread)
        self.supervised.start()

    def _new_thread(self) -> CaptureThread:
        self.sources.append(Hanging(self.released))
        return CaptureThread(self.sources[-1], Deaf(), self._post, self._failed, self.clock)

    def _post(self, item: Findings | SourceStatus) -> None:
        if isinstance(item, SourceStatus):
            self.statuses.append(item)

    def _failed(self, error: BaseException) -> None:
        raise AssertionError from error

    def tend_after(self, seconds: float) -> None:
        """Look at it so much later, once its thread hangs."""
        assert self.sources[-1].hangs.wait(PATIENCE_S)
        self.clock.advance(seconds)
        self.supervised.tend()

    def states(self) -> list[tuple[bool, str]]:
        return [(status.online, status.reason) for status in self.statuses]


def test_a_source_that_hangs_is_offline_with_the_reason_and_opened_anew() -> None:
    """A new thread listens; what the old one says when it comes back is passed over."""
    room = Room()
    room.tend_after(STALLED_S + 1)
    assert room.sources[1].hangs.wait(PATIENCE_S)
    room.released.set()
    room.supervised.thread.join(PATIENCE_S)

    assert room.states()[:3] == [(True, ""), (False, "source kitchen: no frame for 21 s"), (True, "")]
    assert len(room.sources) == 2
    assert room.states().count((False, "it has ended")) == 1


def test_a_source_that_advances_is_left_alone() -> None:
    """Nineteen seconds without a frame are a pause."""
    room = Room()
    room.tend_after(STALLED_S - 1)
    room.released.set()

    assert len(room.sources) == 1


def test_a_driver_that_swallows_every_thread_gets_three() -> None:
    """Then the source stays offline until one comes back; threads must not pile up for ever."""
    room = Room()
    for _ in range(MOST_LEFT_BEHIND + 3):
        room.tend_after(STALLED_S + 1)
    room.released.set()

    assert len(room.sources) == 1 + MOST_LEFT_BEHIND
