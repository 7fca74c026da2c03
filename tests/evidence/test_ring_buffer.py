"""The last minute of a source's sound."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ, Audio, Piece
from monitor.evidence.ring_buffer import RecentSound
from testkit.builders import START, frames, noise

SOUND = Audio.from_pcm16(Audio(noise(12, -20), SAMPLE_RATE_HZ).to_pcm16()).samples
"""16-bit values: what goes in must come out."""


def after(samples: float) -> timedelta:
    return timedelta(seconds=samples / SAMPLE_RATE_HZ)


def filled(keep_s: float = 60.0) -> RecentSound:
    recent = RecentSound(keep_s)
    for frame in frames(SOUND):
        recent.push(Piece.of(frame))
    return recent


@given(st.integers(0, 150_000), st.integers(1, 40_000))
def test_a_cut_is_exact_to_the_sample(begin: int, count: int) -> None:
    """What comes out are the samples that went in, from the very one that was asked for."""
    cutout = filled().cut(START + after(begin), START + after(begin + count))
    assert cutout is not None
    assert np.array_equal(cutout.audio.samples, SOUND[begin : begin + count])
    assert cutout.started_at == START + after(begin)


def test_the_oldest_is_forgotten() -> None:
    """A cut begins where memory does, and says so."""
    cutout = filled(keep_s=3).cut(START, START + timedelta(seconds=12))
    assert cutout is not None
    assert cutout.started_at == START + timedelta(seconds=12 - 3.03)
    assert np.array_equal(cutout.audio.samples, SOUND[-len(cutout.audio) :])


def test_missing_sound_is_silence_of_the_same_length() -> None:
    """What follows a gap lies where its clock says."""
    recent = RecentSound(60)
    first, second = frames(SOUND[:480]), frames(SOUND[480:960], start=START + timedelta(seconds=2))
    for frame in first + second:
        recent.push(Piece.of(frame))
    cutout = recent.cut(START, START + timedelta(seconds=5))
    assert cutout is not None
    assert len(cutout.audio) == 2 * SAMPLE_RATE_HZ + 480
    assert np.array_equal(cutout.audio.samples[-480:], SOUND[480:960])
    assert not cutout.audio.samples[480:-480].any()


def test_a_corrected_clock_tears_nothing_apart() -> None:
    """Stamps that drift by a millisecond leave the samples side by side."""
    recent = RecentSound(60)
    for i, frame in enumerate(frames(SOUND[:16000])):
        moved = frame.captured_at + timedelta(milliseconds=i % 3 * 0.5)
        recent.push(Piece.of(replace(frame, captured_at=moved)))
    cutout = recent.cut(START, START + timedelta(seconds=0.9))
    assert cutout is not None
    assert np.array_equal(cutout.audio.samples, SOUND[: len(cutout.audio)])


def test_a_clock_set_back_begins_anew() -> None:
    """Sound from before is not mixed with sound that has the same times."""
    recent = filled()
    for frame in frames(SOUND[:4800], start=START - timedelta(hours=1)):
        recent.push(Piece.of(frame))
    assert recent.cut(START, START + timedelta(seconds=12)) is None
    assert recent.heard_until == START - timedelta(hours=1) + after(4800)


def test_nothing_heard_is_nothing() -> None:
    """An empty memory, and a time that was not heard, give no sound."""
    assert RecentSound(60).cut(START, START + timedelta(seconds=1)) is None
    assert RecentSound(60).heard_until is None
    assert filled().cut(START + timedelta(hours=1), START + timedelta(hours=2)) is None
