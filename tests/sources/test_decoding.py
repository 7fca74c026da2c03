"""Decoded frames as arrays."""

from pathlib import Path

import av
import numpy as np
import pytest

from monitor.sources.decoding import planar_sound
from testkit.recordings import record, tone_at


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        *(("wav", f"pcm_{kind}") for kind in ("u8", "s16le", "s24le", "f32le", "f64le", "mulaw")),
        *(("mkv", codec) for codec in ("aac", "libopus", "flac")),
    ],
)
def test_a_frame_is_what_pyav_makes_of_it(tmp_path: Path, suffix: str, codec: str, channels: int) -> None:
    """Every sample of every channel, whether the channels lie one after the other or take turns."""
    tone = tone_at(440, 1, 48_000)
    path = record(tmp_path / f"tone.{suffix}", tone, codec=codec, channels=channels)
    with av.open(path) as container:
        frame = next(container.decode(audio=0))
    by_pyav = frame.to_ndarray()
    if not frame.format.is_planar:
        by_pyav = by_pyav.reshape(-1, channels).T

    samples, rate_hz = planar_sound(frame)

    assert (rate_hz, samples.shape, samples.dtype) == (48_000, (channels, frame.samples), by_pyav.dtype)
    assert np.array_equal(samples, by_pyav)
