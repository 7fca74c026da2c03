"""Sound as a value."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio import Audio
from testkit.builders import tone


def test_level_is_relative_to_a_full_scale_square_wave():
    """A sine of amplitude 1 has an RMS level of -3 dBFS and a peak of 0 dBFS."""
    sine = Audio(tone(1000, 1, level_dbfs=-3.0103), 16000)
    assert sine.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    assert sine.peak_dbfs == pytest.approx(0, abs=0.01)


def test_silence_has_no_level():
    """Digital silence and no samples at all are -inf, never full scale."""
    assert Audio(np.zeros(480, np.float32), 16000).rms_dbfs == -np.inf
    assert Audio(np.zeros(0, np.float32), 16000).peak_dbfs == -np.inf


def test_a_constant_negative_signal_has_a_level():
    """A full-scale negative offset peaks at 0 dBFS like a positive one."""
    assert Audio(np.full(480, -1, np.float32), 16000).peak_dbfs == 0


def test_samples_cannot_be_written():
    """What one listener was given, no other can change."""
    audio = Audio(np.zeros(480, np.float32), 16000)
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0] = 1


def test_wrong_shapes_and_types_are_refused():
    """Stereo or 16-bit samples must be converted before they become Audio."""
    with pytest.raises(TypeError, match="int16"):
        Audio(np.zeros(480, np.int16), 16000)
    with pytest.raises(TypeError, match=r"\(480, 2\)"):
        Audio(np.zeros((480, 2), np.float32), 16000)


def test_an_odd_byte_of_pcm_is_dropped():
    """A read can end mid-sample; the odd byte must not turn the rest to noise."""
    assert Audio.from_pcm16(b"\x00\x40\x00").samples.tolist() == [0.5]


@given(st.binary(max_size=400).filter(lambda data: len(data) % 2 == 0))
def test_pcm_round_trip(data: bytes):
    """16-bit PCM survives the way through float32 bit for bit."""
    assert Audio.from_pcm16(data).to_pcm16() == data


def test_not_a_number_becomes_silence():
    """NaN and infinity from a broken driver never reach a model."""
    broken = np.array([np.nan, np.inf, -np.inf, 0.25])
    assert Audio.from_float(broken, 16000).samples.tolist() == [0, 0, 0, 0.25]


def test_resampling_keeps_a_tone_and_drops_what_would_alias():
    """1 kHz at 48 kHz stays 1 kHz at 16 kHz at its level; 11 kHz, which would alias to 5 kHz, vanishes."""
    t = np.arange(48000) / 48000
    kept, gone = (
        Audio(np.sin(2 * np.pi * hz * t).astype(np.float32), 48000).resampled(16000) for hz in (1000, 11000)
    )
    assert len(kept) == 16000
    assert kept.rms_dbfs == pytest.approx(-3, abs=0.1)
    assert gone.slice(0.1, 0.9).rms_dbfs < -80


def test_slices_share_memory_and_stay_inside():
    """A slice is a view, clipped to what is there."""
    audio = Audio(tone(500, 1), 16000)
    part = audio.slice(0.5, 9)
    assert part.duration_s == 0.5
    assert np.shares_memory(part.samples, audio.samples)


def test_joining_needs_one_rate():
    """Audio of different rates is never glued together."""
    with pytest.raises(ValueError, match="rates"):
        Audio.join([Audio(tone(500, 1), 16000), Audio(tone(500, 1), 8000)])
