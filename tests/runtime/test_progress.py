"""How far sources have been heard and judged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Self

import numpy as np

from monitor.audio import Piece
from monitor.runtime.capture import CaptureThread
from monitor.runtime.mailbox import Mailbox
from monitor.runtime.progress import Progress
from monitor.sources.base import Source
from monitor.types import Findings, Segment
from testkit.builders import START, frames, noise, segment
from testkit.fakes import FakeClock


class Kitchen(Source):
    """A source that calls `then` after each of its frames."""

    name = "kitchen"

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def pieces(self) -> Iterator[Piece]:
        for frame in frames(noise(0.3)):
            yield Piece.of(frame)
            self._then()

    def close(self) -> None:
        pass


class HastyKitchen(Kitchen):
    """It sends fifty times as much as time passes."""

    surplus = 50.0


class Hearing:
    """Ears that find nothing."""

    calm_below = 0.0

    def hear(self, piece: Piece) -> Sequence[Findings]:
        return ()

    def finish(self, ended_by: str) -> None:
        return None


def look(ends_s: float) -> Segment:
    """A look at the kitchen, half a second long."""
    started_at = START + timedelta(seconds=ends_s - 0.5)
    return replace(segment(np.zeros(8000, np.float32), source="kitchen"), started_at=started_at)


def heard(
    clock: FakeClock, then: Callable[[Progress, Mailbox[Segment]], Any], kitchen: type[Kitchen] = Kitchen
) -> list[Any]:
    """What `then` gives after each frame of a kitchen that is heard."""
    captures: list[CaptureThread] = []
    progress = Progress(clock, lambda: captures)
    looks: Mailbox[Segment] = Mailbox("looks", 10, clock)
    found: list[Any] = []
    capture = CaptureThread(
        kitchen(lambda: found.append(then(progress, looks))), Hearing(), lambda item: None, _fail, clock
    )
    captures.append(capture)
    progress.waiting.append(looks)
    capture.run()
    found.append(then(progress, looks))
    return found


def _fail(error: BaseException) -> None:
    raise error


def test_a_source_has_come_as_far_as_it_was_heard():
    """Frame by frame; a source that is gone has no time of its own."""
    clock = FakeClock()
    clock.advance(60)
    reached = heard(clock, lambda progress, looks: progress.reached())
    ends_s = [(each["kitchen"] - START).total_seconds() for each in reached[:-1]]
    assert ends_s == [round(0.03 * (n + 1), 2) for n in range(len(ends_s))]
    assert reached[-1] == {}


def test_a_look_that_waits_holds_the_time():
    """Also while it is in the hand of whoever judges it."""
    clock = FakeClock()
    clock.advance(60)

    def leave_one(progress: Progress, looks: Mailbox[Segment]) -> float:
        if not looks.unfinished():
            looks.put(look(0.01))
            looks.take(1)
        return (progress.reached().get("kitchen", START) - START).total_seconds()

    assert heard(clock, leave_one)[-2] == 0.01


def test_nothing_is_reached_before_it_has_come():
    """Stamps that run ahead of the clock keep no event open."""
    reached = heard(FakeClock(), lambda progress, looks: progress.reached())
    assert {each["kitchen"] for each in reached[:-1]} == {START}


def test_a_source_that_is_far_behind_goes_by_the_clock():
    """Its stamps are wrong: its events must end."""
    clock = FakeClock()
    clock.advance(3600)
    assert heard(clock, lambda progress, looks: progress.reached())[0] == {}


def test_a_source_that_is_behind_is_trouble():
    """With how far, and what to do; 5 s are none."""
    late, punctual = FakeClock(), FakeClock()
    late.advance(41)
    punctual.advance(5)

    [text] = heard(late, lambda progress, looks: progress.lagging())[0]

    assert text.startswith("source kitchen: its sound is judged 41 s late")
    assert heard(punctual, lambda progress, looks: progress.lagging())[0] == []


def test_a_source_that_sends_too_much_is_to_blame_and_not_the_machine():
    """With its name and the measure."""
    late = FakeClock()
    late.advance(41)

    [text] = heard(late, lambda progress, looks: progress.lagging(), HastyKitchen)[0]
    assert text.startswith("source kitchen: sends 50 s of sound a second")
    assert "machine" not in text
