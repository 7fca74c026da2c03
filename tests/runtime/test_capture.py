"""One source from opening to loss and back."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.audio import Piece
from monitor.clock import Backoff
from monitor.errors import SourceLost, SourceUnavailable
from monitor.runtime.capture import CaptureThread
from monitor.types import Findings, SourceStatus
from testkit.builders import frames, noise
from testkit.fakes import FakeClock, ScriptedSource


class CountingEars:
    """Hears every piece; an end by gap or shutdown is passed on."""

    calm_below = 0.0

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.ends: list[str] = []

    def hear(self, piece: Piece) -> list[Findings]:
        self.pieces.append(piece)
        return [Findings(piece.source, piece.ends_at)]

    def finish(self, ended_by: str) -> None:
        self.ends.append(ended_by)


def listened(source: ScriptedSource, ears: Any = None) -> tuple[CountingEars, list[Any], list[BaseException]]:
    ears = ears or CountingEars()
    posted: list[Any] = []
    failures: list[BaseException] = []
    at_once = Backoff(0, 0)
    listener = CaptureThread(source, ears, posted.append, failures.append, FakeClock(), at_once, at_once)
    listener.run()
    return ears, posted, failures


def statuses(posted: Sequence[Any]) -> list[tuple[bool, str]]:
    return [(t.online, t.reason) for t in posted if isinstance(t, SourceStatus)]


def test_a_source_is_online_when_sound_comes():
    """Not when it was opened: a camera may accept and then say nothing."""
    ears, posted, _ = listened(ScriptedSource(frames(noise(0.09))))
    assert isinstance(posted[0], SourceStatus)
    assert len(ears.pieces) == 3
    assert statuses(posted) == [(True, ""), (False, "it has ended")]


def test_a_lost_source_is_opened_again():
    """What was open ends by a gap, and listening goes on."""
    source = ScriptedSource([*frames(noise(0.06)), SourceLost("kitchen: gone")], [*frames(noise(0.06))])
    ears, posted, _ = listened(source)
    assert source.opened == 2
    assert ears.ends == ["gap", "shutdown"]
    assert statuses(posted) == [(True, ""), (False, "kitchen: gone"), (True, ""), (False, "it has ended")]


def test_a_damaged_recording_is_not_played_again():
    """It was heard as far as it goes; opening it again would raise its alarms once more."""
    damaged = SourceLost("kitchen: cut short", for_good=True)
    source = ScriptedSource([*frames(noise(0.06)), damaged], frames(noise(0.06)))
    _, posted, _ = listened(source)
    assert source.opened == 1
    assert statuses(posted)[-1] == (False, "kitchen: cut short")


def test_the_same_refusal_is_reported_once():
    """A wrong password is reported once per change of state, not per attempt."""
    refusal = SourceUnavailable("kitchen: 401", refused=True)
    source = ScriptedSource([refusal], [refusal], [refusal], frames(noise(0.03)))
    _, posted, _ = listened(source)
    assert statuses(posted) == [(False, "kitchen: 401"), (True, ""), (False, "it has ended")]


def test_a_bug_in_listening_reaches_the_daemon():
    """Anything but weather ends the thread with its error."""

    class BrokenEars(CountingEars):
        def hear(self, piece: Piece) -> list[Findings]:
            raise ZeroDivisionError

    _, _, failures = listened(ScriptedSource(frames(noise(0.03))), BrokenEars())
    assert [type(f) for f in failures] == [ZeroDivisionError]


def test_sources_are_heard_one_at_a_time():
    """However many listen: threads that take turns at every numpy call cost more than the work itself."""
    hearing, overlaps = threading.Lock(), []

    class BusyEars(CountingEars):
        def hear(self, piece: Piece) -> list[Findings]:
            alone = hearing.acquire(blocking=False)
            overlaps.append(not alone)
            np.fft.rfft(np.zeros(1 << 16))  # lets go of the interpreter
            if alone:
                hearing.release()
            return super().hear(piece)

    sources = [ScriptedSource(frames(noise(3.0))) for _ in range(3)]
    threads = [threading.Thread(target=listened, args=(source, BusyEars())) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(overlaps) == 300
    assert not any(overlaps)
