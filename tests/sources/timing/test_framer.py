"""Framing and resampling."""

import math
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.sources.timing.framer import Framer, as_float
from monitor.types import Frame
from testkit.builders import START, in_frames, noise, tone

RATES_HZ = [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000]
FRAME_S = 0.03


def framed(samples: Samples, sample_rate_hz: int, cuts: list[int] | None = None) -> list[Frame]:
    """One stretch pushed in pieces that end at `cuts`."""
    framer = Framer("kitchen")
    found = framer.begin(START, sample_rate_hz)
    for part in np.split(samples, sorted(cuts or [])):
        found += framer.push(part)
    return in_frames(found + framer.finish())


def sound_of(frames: list[Frame]) -> Samples:
    return Audio.join(frame.audio for frame in frames).samples


@settings(max_examples=60, deadline=None)
@given(
    rate_hz=st.sampled_from(RATES_HZ),
    length=st.integers(10, 20_000),
    cuts=st.lists(st.integers(0, 20_000), max_size=12),
)
def test_any_chunking_gives_the_same_frames(rate_hz: int, length: int, cuts: list[int]) -> None:
    """However the sound is cut into pushes, the frames are the same to the bit and dated the same."""
    samples = noise(2.0, -20)[:length]

    whole = framed(samples, rate_hz)
    pieces = framed(samples, rate_hz, cuts)

    assert [frame.captured_at for frame in whole] == [frame.captured_at for frame in pieces]
    assert [frame.follows_gap for frame in whole] == [frame.follows_gap for frame in pieces]
    assert np.array_equal(sound_of(whole), sound_of(pieces))


@settings(max_examples=40, deadline=None)
@given(length=st.integers(1, 5_000), cuts=st.lists(st.integers(0, 5_000), max_size=8))
def test_no_sample_is_lost_or_invented(length: int, cuts: list[int]) -> None:
    """At 16 kHz every sample comes out once and in order; only the last frame is filled up with silence."""
    samples = noise(1.0, -20)[:length]

    heard = sound_of(framed(samples, SAMPLE_RATE_HZ, cuts))

    assert np.array_equal(heard[:length], samples)
    assert len(heard) == math.ceil(length / 480) * 480
    assert not heard[length:].any()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_resampling_keeps_duration_and_pitch(rate_hz: int) -> None:
    """Two seconds of a 1 kHz tone at any rate are two seconds of a 1 kHz tone at 16 kHz."""
    t = np.arange(2 * rate_hz) / rate_hz
    heard = sound_of(framed(np.sin(2 * np.pi * 1000 * t).astype(np.float32), rate_hz))

    spectrum = np.abs(np.fft.rfft(heard[:32_000]))
    assert len(heard) == math.ceil(32_000 / 480) * 480
    assert abs(np.argmax(spectrum) / 2 - 1000) <= 0.5


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_timestamps_stay_true_through_the_resampler(rate_hz: int) -> None:
    """A click half a second into the sound is dated half a second in, whatever the resampler's delay."""
    samples = np.zeros(rate_hz, np.float32)
    samples[rate_hz // 2] = 1.0

    frames = framed(samples, rate_hz)
    loudest = max(frames, key=lambda frame: float(np.abs(frame.audio.samples).max()))
    at = loudest.captured_at + timedelta(seconds=int(np.abs(loudest.audio.samples).argmax()) / SAMPLE_RATE_HZ)

    assert abs((at - START).total_seconds() - 0.5) < 2 / SAMPLE_RATE_HZ


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_nothing_is_folded_down_from_above_8_khz(rate_hz: int) -> None:
    """A 10 kHz tone is gone after resampling instead of appearing at 6 kHz."""
    t = np.arange(rate_hz) / rate_hz
    heard = sound_of(framed(np.sin(2 * np.pi * 10_000 * t).astype(np.float32), rate_hz))

    assert Audio(heard[1600:14_400].copy(), SAMPLE_RATE_HZ).rms_dbfs < -90


def test_frames_follow_each_other_without_rounding_drift() -> None:
    """Over an hour of sound each frame begins exactly 30 ms after the one before."""
    frames = framed(np.zeros(3600 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)

    assert {b.captured_at - a.captured_at for a, b in pairwise(frames)} == {timedelta(seconds=FRAME_S)}
    assert frames[-1].ends_at == START + timedelta(hours=1)


def test_only_the_first_frame_of_a_stretch_follows_a_gap() -> None:
    """A new stretch marks its first frame, is dated anew, and lets the incomplete frame before it go."""
    framer = Framer("kitchen")
    framer.begin(START, SAMPLE_RATE_HZ)
    before = framer.push(noise(0.1))
    later = START + timedelta(seconds=5)
    at_gap = framer.begin(later, SAMPLE_RATE_HZ)
    after = framer.push(noise(0.06, seed=1))

    assert [frame.follows_gap for frame in in_frames(before + at_gap + after)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert after[0].captured_at == later
    assert np.array_equal(after[0].audio.samples, noise(0.06, seed=1))


def test_a_gap_keeps_what_the_resampler_still_held() -> None:
    """What waits in the resampler when a stretch ends comes out before the gap."""
    framer = Framer("kitchen")
    framer.begin(START, 48_000)
    held_back = framer.push(np.ones(4800, np.float32))
    at_gap = framer.begin(START + timedelta(seconds=1), 8000)

    assert len(in_frames(held_back + at_gap)) == 3


def test_rate_may_change_between_stretches() -> None:
    """A tone keeps its pitch when the source switches from 48 to 8 kHz."""
    framer = Framer("kitchen")
    framer.begin(START, 48_000)
    framer.push(tone(1000, 1.0))
    framer.begin(START + timedelta(seconds=1), 8000)
    t = np.arange(8000) / 8000
    pieces = framer.push(np.sin(2 * np.pi * 1000 * t).astype(np.float32)) + framer.finish()

    assert np.argmax(np.abs(np.fft.rfft(sound_of(in_frames(pieces))[:16_000]))) == 1000


@pytest.mark.parametrize(
    "values", [[np.nan, np.inf, 1e30], [1e30, -1e30], [np.finfo(np.float32).max], [np.inf]]
)
def test_nan_and_infinity_become_silence(values: list[float]) -> None:
    """What a decoder made of nothing does not get into the resampler, where a NaN would never leave again."""
    sick = noise(0.3, -20)
    sick[100 : 100 + len(values)] = values

    heard = sound_of(framed(sick, 48_000))

    assert np.isfinite(heard).all()
    assert np.abs(heard).max() < 20
    assert heard[1000:].any()


@pytest.mark.parametrize("rate_hz", [0, 1, 3999, 1_000_000])
def test_a_rate_no_microphone_has_is_refused(rate_hz: int) -> None:
    """Nonsense from a device or container is an error, not a resampler gone wild."""
    with pytest.raises(ValueError, match="sample rate"):
        Framer("kitchen").begin(START, rate_hz)


def test_pushing_before_a_stretch_is_an_error() -> None:
    """Sound that cannot be dated is never passed on."""
    with pytest.raises(ValueError, match="begin"):
        Framer("kitchen").push(noise(0.1))


def test_drift_correction_moves_only_the_frames_to_come() -> None:
    """A shift of 2 ms dates the next frame 32 ms after the last and nothing is marked."""
    framer = Framer("kitchen")
    framer.begin(START, SAMPLE_RATE_HZ)
    first = framer.push(noise(0.03))[0]
    framer.shift(0.002)
    second = framer.push(noise(0.03))[0]

    assert second.captured_at - first.captured_at == timedelta(seconds=0.032)
    assert not second.follows_gap


@pytest.mark.parametrize(
    ("kind", "top"), [("int16", 2**15), ("int32", 2**31), ("uint8", 2**7), ("float32", 1), ("float64", 1)]
)
def test_every_sample_format_becomes_float(kind: str, top: int) -> None:
    """Half of full scale is 0.5 and silence is 0 in every format that decoders give."""
    middle = 128 if kind == "uint8" else 0
    samples = np.array([[middle, middle + top / 2, middle - top / 2]]).astype(kind)

    assert as_float(samples)[0].tolist() == pytest.approx([0.0, 0.5, -0.5])
    assert as_float(samples).dtype == np.float32


def test_a_partial_frame_survives_a_small_gap() -> None:
    """A source that is dated anew with every packet of 20 ms gives frames all the same, and none of its
    samples is lost."""
    framer = Framer("kitchen")
    frames: list[Frame] = []
    samples = np.arange(50 * 320, dtype=np.float32) / 1e6
    for number in range(50):
        frames += in_frames(framer.begin(START + timedelta(seconds=number * 0.12), SAMPLE_RATE_HZ))
        frames += in_frames(framer.push(samples[number * 320 : (number + 1) * 320]))

    assert len(frames) == 50 * 320 // 480
    assert np.array_equal(np.concatenate([f.audio.samples for f in frames]), samples[: len(frames) * 480])
    assert all(frame.follows_gap for frame in frames)


def test_a_partial_frame_does_not_survive_a_long_gap() -> None:
    """10 ms before and 20 ms after a minute are no frame of one room."""
    framer = Framer("kitchen")
    framer.begin(START, SAMPLE_RATE_HZ)
    framer.push(np.ones(160, np.float32))
    framer.begin(START + timedelta(minutes=1), SAMPLE_RATE_HZ)

    assert framer.push(np.ones(320, np.float32)) == []
