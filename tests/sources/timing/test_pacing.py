"""How long the pieces are in which a recording is heard."""

from itertools import pairwise
from threading import Event

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import FRAME_SAMPLES, Audio, Piece
from monitor.clock import SystemClock
from monitor.sources.base import CALM_S
from monitor.sources.timing.pacing import CALM_FRAMES, PIECE_FRAMES, Pacer, in_step, loudest
from testkit.builders import START, noise, tone
from testkit.fakes import FakeClock

CALM_BELOW = 1e-4


def pieces(samples: np.ndarray, cuts: list[int]) -> list[Piece]:
    """The sound in pieces that end at these frames."""
    ends = [
        *sorted({cut for cut in cuts if 0 < cut < len(samples) // FRAME_SAMPLES}),
        len(samples) // FRAME_SAMPLES,
    ]
    whole = Piece("kitchen", START, Audio(samples.astype(np.float32), 16_000), True)
    return [
        Piece("kitchen", whole.until(first - 1), Audio(_cut(whole, first, end), 16_000), not first)
        for first, end in pairwise([0, *ends])
    ]


def _cut(piece: Piece, first: int, end: int) -> np.ndarray:
    return piece.audio.samples[first * FRAME_SAMPLES : end * FRAME_SAMPLES]


def stepped(sound: list[Piece], *, realtime: bool) -> list[Piece]:
    return list(Pacer(SystemClock(), Event(), realtime=realtime).in_step(sound, lambda: CALM_BELOW))


def test_calm_sound_comes_in_seconds_and_loud_sound_at_once():
    """A bang is handed on with its own 120 ms; the quiet around it costs an eighth of the turns."""
    quiet, bang = noise(1.92), tone(700, 0.12)
    lengths = [
        len(piece) for piece in stepped(pieces(np.concatenate([quiet, bang, quiet]), []), realtime=True)
    ]
    assert lengths == [CALM_FRAMES] * 2 + [PIECE_FRAMES] * 8 + [CALM_FRAMES] + [PIECE_FRAMES]


def test_a_recording_that_is_not_heard_in_real_time_comes_in_seconds():
    """Nobody waits for its sound."""
    assert {len(piece) for piece in stepped(pieces(tone(700, 4.8), []), realtime=False)} == {CALM_FRAMES}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 99), max_size=20),
    st.lists(st.booleans(), min_size=12, max_size=25),
    st.booleans(),
)
def test_no_sample_is_lost_or_moved(cuts: list[int], loud: list[bool], realtime: bool) -> None:
    """However the sound comes in, and wherever it is loud."""
    samples = np.concatenate([tone(700, 0.12) if is_loud else noise(0.12) for is_loud in loud])
    found = stepped(pieces(samples, cuts), realtime=realtime)

    assert np.array_equal(
        np.concatenate([piece.audio.samples for piece in found]), samples.astype(np.float32)
    )
    assert all(one.ends_at == other.captured_at for one, other in pairwise(found))
    assert [piece.follows_gap for piece in found] == [True] + [False] * (len(found) - 1)
    longest = [piece for piece in found if len(piece) > PIECE_FRAMES]
    assert not realtime or all(loudest(piece) < CALM_BELOW for piece in longest)


def test_a_clock_that_is_set_dates_what_is_heard_after_it():
    """Forth and back, as on a machine without a clock of its own once it has the time: what is heard is dated
    now. A recording of another time keeps its dates."""
    clock, sound = FakeClock(), pieces(noise(0.48), [4, 8, 12])
    began = {realtime: Pacer(clock, Event(), realtime=realtime) for realtime in (True, False)}
    found: dict[bool, list[tuple[float, bool]]] = {True: [], False: []}
    for piece, set_by_s in zip(sound, (0.2, 86_400.0, 0.0, -90_000.0), strict=True):
        clock.set_wall(set_by_s)
        for realtime, pacer in began.items():
            dated = pacer.dated(piece)
            moved = (dated.captured_at - piece.captured_at).total_seconds()
            found[realtime].append((round(moved), dated.follows_gap))

    assert found[True] == [(0, True), (86_400, True), (86_400, False), (-3_600, True)]
    assert found[False] == [(0, True), (0, False), (0, False), (0, False)]


def test_a_gap_stays_at_the_beginning_of_a_piece():
    """What follows a gap is not joined with what came before it."""
    before, after = pieces(noise(0.3), [])[0], pieces(noise(0.9), [])[0]
    assert [(len(one), one.follows_gap) for one in in_step([before, after], 8)] == [
        *((8, True), (2, False), (8, True), (8, False), (8, False), (6, False)),
    ]


def test_recordings_are_heard_at_the_same_instants():
    """Whenever they were opened: the processor wakes once for all of them."""
    begins = {Pacer(SystemClock(), Event(), realtime=True)._started_s % CALM_S for _ in range(5)}
    assert all(min(at, CALM_S - at) < 1e-6 for at in begins)
