"""Recordings in many containers, made on the spot."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from monitor.audio import Samples
from testkit.builders import tone

CODECS = {
    "wav": "pcm_s16le",
    "aiff": "pcm_s16be",
    "flac": "flac",
    "mp3": "libmp3lame",
    "m4a": "aac",
    "ogg": "libopus",
    "mkv": "libopus",
    "ts": "aac",
}


def record(
    path: Path, samples: Samples, *, sample_rate_hz: int = 48_000, channels: int = 1, codec: str | None = None
) -> Path:
    """Write samples into the container that the path's suffix names, the same in every channel."""
    with av.open(path, "w") as container:
        track = container.add_stream(codec or CODECS[path.suffix[1:]], rate=sample_rate_hz)
        track.layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
        planar = np.repeat(samples[None, :], channels, axis=0).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=track.layout.name)
        frame.sample_rate, frame.time_base, frame.pts = sample_rate_hz, Fraction(1, sample_rate_hz), 0
        resampler = av.AudioResampler(track.format, track.layout, sample_rate_hz, track.frame_size or None)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            container.mux(track.encode(piece))
    return path


def tone_at(frequency_hz: float, duration_s: float, sample_rate_hz: int) -> Samples:
    """The builders' tone, at another rate."""
    return tone(frequency_hz * 16_000 / sample_rate_hz, duration_s * sample_rate_hz / 16_000)


def pitch_hz(samples: Samples, sample_rate_hz: int = 16_000) -> float:
    """The strongest frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * sample_rate_hz / len(samples))
