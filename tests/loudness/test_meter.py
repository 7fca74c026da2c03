"""LAeq minute by minute: what counts as a minute, and what it states."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Piece, Samples
from monitor.loudness.meter import MinuteMeter
from monitor.types import SoundLevel
from testkit.builders import START, noise, tone

NOON = START.replace(hour=12, minute=0, second=0)
AFTER_S = 10.0
"""What a minute needs behind it until it is measured."""


def pieces(samples: Samples, at: datetime = NOON, frames: int = 4) -> Iterable[Piece]:
    size = frames * FRAME_SAMPLES
    for begin in range(0, len(samples) // FRAME_SAMPLES * FRAME_SAMPLES, size):
        part = samples[begin : begin + size].copy()
        yield Piece(
            "kitchen", at + timedelta(seconds=begin / SAMPLE_RATE_HZ), Audio(part, SAMPLE_RATE_HZ), begin == 0
        )


def measured(meter: MinuteMeter, samples: Samples, at: datetime = NOON, frames: int = 4) -> list[SoundLevel]:
    return [level for piece in pieces(samples, at, frames) for level in meter.hear(piece)]


def test_each_minute_has_its_own_level():
    """1 kHz, which A leaves as it is, and half a minute of it 10 dB louder: the mean is that of energy."""
    loud_half = np.concatenate([tone(1000, 30, -30.0), tone(1000, 30, -20.0)])
    sound = np.concatenate([tone(1000, 60, -30.0), loud_half, tone(1000, AFTER_S, -60.0)])
    first, second = measured(MinuteMeter("kitchen"), sound)
    assert [first.started_at, second.started_at] == [NOON, NOON + timedelta(minutes=1)]
    assert first.laeq_dbfs == pytest.approx(-30.0, abs=0.05)
    assert second.laeq_dbfs == pytest.approx(10 * np.log10((10**-3 + 10**-2) / 2), abs=0.05)
    assert first.covered_s == pytest.approx(60, abs=0.5)
    assert first.clipped_s == 0


def test_a_minute_of_which_much_is_missing_is_none():
    """A source that comes in the middle of a minute, and one that is lost for 10 s of it."""
    meter = MinuteMeter("kitchen")
    assert measured(meter, noise(40, -50), NOON + timedelta(seconds=30)) == []
    [most] = [*measured(meter, noise(60, -50), NOON + timedelta(seconds=80))]
    assert most.started_at == NOON + timedelta(minutes=1)
    assert most.covered_s == pytest.approx(50, abs=1)


def test_the_minute_under_way_ends_with_its_source():
    """If most of it was heard; and it is returned once."""
    meter = MinuteMeter("kitchen")
    measured(meter, noise(50, -50))
    [level] = meter.finish()
    assert level.covered_s == pytest.approx(50, abs=0.5)
    assert meter.finish() == []
    measured(meter, noise(20, -50), NOON + timedelta(minutes=5))
    assert meter.finish() == []


def test_digital_silence_is_no_quiet_room():
    """A microphone that is switched off measures nothing."""
    assert measured(MinuteMeter("kitchen"), np.zeros(130 * SAMPLE_RATE_HZ, np.float32)) == []


def test_a_minute_says_how_much_of_it_clipped():
    """It was at least as loud."""
    sound = noise(60 + AFTER_S, -40)
    sound[20 * SAMPLE_RATE_HZ : 25 * SAMPLE_RATE_HZ] = np.clip(tone(500, 5, 3.0), -1, 1)
    [level] = measured(MinuteMeter("kitchen"), sound)
    assert level.clipped_s == pytest.approx(5, abs=0.5)
    assert level.covered_s == pytest.approx(60, abs=0.5)


def test_a_clock_that_is_set_back_begins_a_minute_anew():
    """And the one before is not lost."""
    meter = MinuteMeter("kitchen")
    measured(meter, noise(55, -50))
    [before] = measured(meter, noise(50, -50), NOON - timedelta(hours=1))
    assert before.started_at == NOON
    [after] = meter.finish()
    assert after.started_at == NOON - timedelta(hours=1)


SOUND = np.concatenate([noise(61, -50, seed=4), noise(9, -35, seed=5)])
WHOLE = measured(MinuteMeter("kitchen"), SOUND)


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 400))
def test_it_does_not_matter_how_the_sound_is_cut(frames: int):
    """Frame by frame or in pieces longer than what is measured at once."""
    assert measured(MinuteMeter("kitchen"), SOUND, frames=frames) == WHOLE
    assert len(WHOLE) == 1
