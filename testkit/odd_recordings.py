"""Recordings whose headers and timestamps are odd, and which are whole all the same."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from monitor.audio import Samples
from testkit.builders import noise, tone
from testkit.recordings import record

RATE_HZ = 16_000
STRETCH_S = 4.096
"""A whole number of AAC's frames."""


def tracks(path: Path, *each: Sequence[tuple[float, Samples]]) -> Path:
    """A file with these tracks: of each, stretches of sound and when they begin."""
    with av.open(path, "w") as container:
        streams = [container.add_stream("aac", rate=RATE_HZ, layout="mono") for _ in each]
        for stream, stretches in zip(streams, each, strict=True):
            for begins_s, samples in stretches:
                for start in range(0, len(samples) - 1023, 1024):
                    frame = av.AudioFrame.from_ndarray(
                        samples[None, start : start + 1024], format="fltp", layout="mono"
                    )
                    frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
                    frame.pts = round(begins_s * RATE_HZ) + start
                    container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return path


def estimated_length(path: Path, silence_s: float) -> Path:
    """ADTS AAC: silence, then 3 s of noise. It has no length, and what FFmpeg estimates is far off."""
    return _encoded(path, "adts", "aac", silence_s, 1024)


def without_table(path: Path, silence_s: float) -> Path:
    """MP3 of a variable bit rate without its table: silence, then 3 s of noise. FFmpeg's estimate is far too
    long."""
    return _encoded(path, "mp3", "libmp3lame", silence_s, 576, {"write_xing": "0"}, {"q": "4"})


def _encoded(
    path: Path,
    container_name: str,
    codec: str,
    silence_s: float,
    frame_samples: int,
    container_options: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    samples = np.concatenate([np.zeros(round(silence_s * RATE_HZ), np.float32), noise(3, -20)])
    with av.open(path, "w", format=container_name, options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout="mono", options=options or {})
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate = RATE_HZ
        resampler = av.AudioResampler("fltp", "mono", RATE_HZ, frame_samples)
        for piece in [*resampler.resample(frame), None]:
            container.mux(stream.encode(piece))
    return path


def wrong_byte_rate(path: Path) -> Path:
    """A WAV of 2 s that says half of its bytes a second."""
    record(path, tone(440, 2), sample_rate_hz=RATE_HZ)
    content = bytearray(path.read_bytes())
    at = content.index(b"fmt ") + 16
    content[at : at + 4] = (RATE_HZ).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def over_a_jump(path: Path) -> Path:
    """Two transport streams in one file, a stretch each: the second begins at its own zero."""
    sound = tone(1000, STRETCH_S)
    parts = [tracks(path.with_name(f"{n}.ts"), [(n * 100.0, sound)]) for n in (1, 0)]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path
