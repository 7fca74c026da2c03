"""Whole sounds, cut out of a stream: nothing lost, nothing invented."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Piece
from monitor.gate.config import GateConfig
from monitor.gate.level import frames_in
from monitor.gate.listening import OPENS, SOUNDS, MarkedFrames
from monitor.gate.segmenter import Segmenter
from monitor.types import Segment
from testkit.builders import START, frames, noise

FLOOR_DBFS = -60.0
QUIET_DBFS, FADING_DBFS, LOUD_DBFS = -60.0, -53.0, -40.0
"""Below both thresholds, between closing and opening, above both."""
STREAM = frames(noise(60, seed=21))
SAMPLES = np.concatenate([frame.audio.samples for frame in STREAM])


@dataclass(frozen=True)
class Heard:
    """Segments with the number of the frame that brought each, and of its first and last frame."""

    segment: Segment
    at: int
    first: int
    last: int
    onset: int

    @property
    def ends_by_itself(self) -> bool:
        return self.segment.ended_by != "open"


def place(segment: Segment, at: int) -> Heard:
    first = round((segment.started_at - START).total_seconds() * SAMPLE_RATE_HZ) // FRAME_SAMPLES
    length = len(segment.audio) // FRAME_SAMPLES
    onset = first + round(segment.onset_s * SAMPLE_RATE_HZ) // FRAME_SAMPLES
    return Heard(segment, at, first, first + length - 1, onset)


def marked(level_dbfs: float, config: GateConfig) -> int:
    """As the kernel marks a frame."""
    above_db = level_dbfs - FLOOR_DBFS
    opens, sounds = above_db >= config.open_above_floor_db, above_db >= config.close_above_floor_db
    return OPENS * opens | SOUNDS * sounds


def push(
    segmenter: Segmenter, config: GateConfig, at: int, levels_dbfs: list[float], together: int = 1
) -> list[Heard]:
    """What a segmenter makes of frames of the stream with these levels, from number `at` on."""
    heard = []
    for first in range(at, at + len(levels_dbfs), together):
        levels = levels_dbfs[first - at : first - at + together]
        marks = [marked(level_dbfs, config) for level_dbfs in levels]
        samples = SAMPLES[first * FRAME_SAMPLES : (first + len(levels)) * FRAME_SAMPLES]
        piece = Piece("kitchen", STREAM[first].captured_at, Audio(samples, SAMPLE_RATE_HZ))
        seen = max(marks)  # who opens also sounds
        measured = MarkedFrames(0, levels, [FLOOR_DBFS] * len(levels), marks, seen)
        heard += [place(segment, first + i) for i, segment in segmenter.hear(piece, measured)]
    return heard


def cut(config: GateConfig, levels_dbfs: list[float], together: int = 1) -> list[Heard]:
    """What a segmenter makes of frames with these levels, some at a time."""
    segmenter = Segmenter(config)
    heard = push(segmenter, config, 0, levels_dbfs[: len(STREAM)], together)
    return heard + [place(segment, len(levels_dbfs)) for segment in segmenter.finish("shutdown")]


def course(*runs: tuple[int, float]) -> list[float]:
    """Runs of (frames, level) as levels."""
    return [level_dbfs for count, level_dbfs in runs for _ in range(count)]


def finished(heard: list[Heard]) -> list[Heard]:
    return [one for one in heard if one.ends_by_itself]


courses = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([QUIET_DBFS, FADING_DBFS, LOUD_DBFS])), max_size=14
).map(lambda runs: course(*runs))
configs = st.builds(
    GateConfig,
    pre_roll_s=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    hangover_s=st.sampled_from([0.03, 0.2, 0.8]),
    early_look_s=st.sampled_from([0.0, 0.2, 0.5]),
    max_length_s=st.sampled_from([2.0, 3.1, 10.0]),
    overlap_s=st.sampled_from([0.0, 0.3, 1.0]),
    look_length_s=st.sampled_from([1.0, 3.0]),
)


@given(configs, courses)
@settings(max_examples=80, deadline=None)
def test_segments_hold_exactly_what_was_heard(config: GateConfig, levels_dbfs: list[float]) -> None:
    """Every segment and early look is the stream's own samples, from where it says it starts."""
    for one in cut(config, levels_dbfs):
        start = one.first * FRAME_SAMPLES
        assert np.array_equal(one.segment.audio.samples, SAMPLES[start : start + len(one.segment.audio)])
        assert one.last <= one.at


@given(configs, courses)
@settings(max_examples=80, deadline=None)
def test_segments_tile_the_sound(config: GateConfig, levels_dbfs: list[float]) -> None:
    """Every loud frame is in a segment; apart from pre-roll and overlap no frame is in two."""
    segments = finished(cut(config, levels_dbfs))
    covered = {i for one in segments for i in range(one.first, one.last + 1)}
    assert {i for i, level_dbfs in enumerate(levels_dbfs) if level_dbfs == LOUD_DBFS} <= covered
    overlap, pre_roll = frames_in(config.overlap_s), frames_in(config.pre_roll_s)
    for before, after in pairwise(segments):
        continues = before.segment.ended_by == "length"
        assert after.first == before.last + 1 - overlap if continues else after.onset > before.last
        assert continues or after.onset - after.first <= pre_roll


@given(configs, courses)
@settings(max_examples=80, deadline=None)
def test_pre_roll_hangover_and_length_are_exact(config: GateConfig, levels_dbfs: list[float]) -> None:
    """A sound begins with its full pre-roll, ends with its full hang-over, and no piece is too long."""
    segments = finished(cut(config, levels_dbfs))
    hangover = frames_in(config.hangover_s)
    for before, one in zip([None, *segments], segments, strict=False):
        if before is None or before.segment.ended_by != "length":
            assert one.onset - one.first == min(frames_in(config.pre_roll_s), one.onset)
            assert levels_dbfs[one.onset] == LOUD_DBFS
        if one.segment.ended_by == "silence":
            assert levels_dbfs[one.last - hangover + 1 : one.last + 1] == [QUIET_DBFS] * hangover
            assert one.at == one.last
        assert one.segment.audio.duration_s <= config.max_length_s


@given(configs, courses)
@settings(max_examples=80, deadline=None)
def test_early_looks_belong_to_their_segment(config: GateConfig, levels_dbfs: list[float]) -> None:
    """An early look has the id of the segment that follows, ends now, and is no longer than allowed."""
    heard = cut(config, levels_dbfs)
    whole = {one.segment.id: one for one in finished(heard)}
    assert len(whole) == len(finished(heard))
    for look in heard:
        if not look.ends_by_itself:
            assert whole[look.segment.id].first <= look.first <= look.last == look.at
            assert look.last <= whole[look.segment.id].last
            assert look.segment.audio.duration_s <= frames_in(config.look_length_s) * 0.03 + 1e-9


@given(courses, st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_what_is_open_at_a_gap_is_not_lost(levels_dbfs: list[float], at: int) -> None:
    """A gap ends the segment with all that was heard of it, and nothing before the gap is used after it."""
    config = GateConfig()
    segmenter = Segmenter(config)
    before, after = levels_dbfs[:at], levels_dbfs[at : len(STREAM)]
    push(segmenter, config, 0, before)
    open_id = segmenter.segment_id
    ended = segmenter.finish("gap")
    assert [one.id for one in ended] == ([open_id] if open_id and ended else [])
    assert all(place(one, at).last == len(before) - 1 for one in ended)
    assert all(one.first >= at for one in push(segmenter, config, at, after))


@given(configs, courses, st.integers(2, 40))
@settings(max_examples=50, deadline=None)
def test_it_does_not_matter_how_many_frames_come_together(
    config: GateConfig, levels_dbfs: list[float], together: int
) -> None:
    """The same segments and looks, at the same frames, with the same share of voice."""

    def said(heard: list[Heard]) -> list[tuple[object, ...]]:
        return [
            (one.at, one.first, one.last, one.onset, one.segment.ended_by, one.segment.peak_dbfs,
             one.segment.speech_ratio)
            for one in heard
        ]  # fmt: skip

    assert said(cut(config, levels_dbfs, together)) == said(cut(config, levels_dbfs))


def test_early_looks_come_every_half_second_and_once_between() -> None:
    """The first after 0.51 s of sound with its pre-roll, a full second of context, then every 0.51 s; one
    more after 0.84 s, for most sounds have then shown what they are."""
    heard = cut(GateConfig(), course((50, QUIET_DBFS), (100, LOUD_DBFS), (40, QUIET_DBFS)))
    looks = [one for one in heard if not one.ends_by_itself]
    assert [one.at - 49 for one in looks] == [17, 28, 34, 51, 68, 85, 102]
    assert looks[0].segment.audio.duration_s == pytest.approx(1.02)
    assert [one.segment.onset_s for one in looks[:2]] == [0.51, 0.51]
    assert {one.segment.id for one in looks} == {finished(heard)[0].segment.id}


def test_a_sound_that_goes_on_is_looked_at_no_sooner_after_a_cut() -> None:
    """It is known by then."""
    heard = cut(GateConfig(), course((50, QUIET_DBFS), (500, LOUD_DBFS), (60, QUIET_DBFS)))
    cut_at = next(one.at for one in heard if one.ends_by_itself)
    after = [one.at - cut_at for one in heard if one.at > cut_at and not one.ends_by_itself]
    assert after[:3] == [17, 34, 51]


def test_a_clap_gets_one_early_look() -> None:
    """A short sound is looked at once before its hang-over is over; looking twice would tell nothing new."""
    heard = cut(GateConfig(), course((50, QUIET_DBFS), (2, LOUD_DBFS), (60, QUIET_DBFS)))
    assert [(one.segment.ended_by, one.at - 49) for one in heard] == [("open", 17), ("silence", 29)]


def test_a_long_sound_is_cut_with_overlap() -> None:
    """Pieces of at most 10 s, each with its own id, the next one beginning a second before the cut."""
    segments = finished(cut(GateConfig(), course((50, QUIET_DBFS), (900, LOUD_DBFS), (60, QUIET_DBFS))))
    assert [one.segment.ended_by for one in segments] == ["length", "length", "length", "silence"]
    assert len({one.segment.id for one in segments}) == 4
    assert segments[0].segment.audio.duration_s == pytest.approx(9.99)
    assert segments[1].first == segments[0].last + 1 - 34
    assert segments[1].segment.onset_s == 0


def test_a_cut_at_the_very_end_leaves_no_empty_piece() -> None:
    """When listening ends just after a long sound was cut, nothing is said twice."""
    segments = finished(cut(GateConfig(), course((333, LOUD_DBFS))))
    assert [one.segment.ended_by for one in segments] == ["length"]


def test_a_segment_knows_its_floor_and_peak() -> None:
    """The floor at the onset and the loudest frame go with the segment."""
    [one] = finished(cut(GateConfig(), course((50, QUIET_DBFS), (5, LOUD_DBFS), (60, QUIET_DBFS))))
    assert (one.segment.floor_dbfs, one.segment.peak_dbfs) == (FLOOR_DBFS, LOUD_DBFS)
