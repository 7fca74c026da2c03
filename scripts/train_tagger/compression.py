"""Codecs of cameras and intercoms, for real: a wave encoded and decoded by FFmpeg."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Wave = npt.NDArray[np.float32]

BIT_RATES = {"aac": (16_000, 24_000, 32_000, 64_000), "libopus": (10_000, 16_000, 24_000, 40_000)}
"""Bits a second that cameras and calls use for one channel."""
LONGEST_DELAY_S = 0.2
"""More than any of them holds back."""


def compressed(rng: np.random.Generator, wave: Wave, rate_hz: int) -> Wave:
    """The wave after AAC or Opus at some bit rate: the same length, late by the codec's few milliseconds.
    Shape (samples,)."""
    codec = str(rng.choice(list(BIT_RATES)))
    return round_trip(wave, rate_hz, codec, int(rng.choice(BIT_RATES[codec])))


def round_trip(wave: Wave, rate_hz: int, codec: str, bit_rate: int) -> Wave:
    """Through one codec and back at the same rate, peak within -1..1. Shape (samples,)."""
    import av

    encoder: Any = av.CodecContext.create(codec, "w")
    encoder.sample_rate, encoder.layout, encoder.bit_rate = rate_hz, "mono", bit_rate
    encoder.format = "fltp" if codec == "aac" else "flt"
    encoder.time_base = Fraction(1, rate_hz)
    encoder.open()
    decoder: Any = av.CodecContext.create(codec, "r")
    decoder.extradata, decoder.sample_rate, decoder.layout = encoder.extradata, rate_hz, "mono"
    back = av.AudioResampler(format="flt", layout="mono", rate=rate_hz)  # Opus always decodes to 48 kHz
    decoded = [
        block.to_ndarray().reshape(-1)
        for packet in _packets(encoder, wave, rate_hz)
        for frame in decoder.decode(packet)
        for block in back.resample(frame)
    ]
    return np.resize(np.concatenate(decoded), len(wave)).astype(np.float32)


def _packets(encoder: Any, wave: Wave, rate_hz: int) -> Iterator[Any]:
    import av

    size = encoder.frame_size
    frames = -(-(len(wave) + int(LONGEST_DELAY_S * rate_hz)) // size)
    padded = np.zeros(frames * size, np.float32)
    padded[: len(wave)] = wave
    for start in range(0, len(padded), size):
        frame = av.AudioFrame.from_ndarray(padded[None, start : start + size], encoder.format.name, "mono")
        frame.sample_rate, frame.pts = rate_hz, start
        yield from encoder.encode(frame)
    yield from encoder.encode(None)
