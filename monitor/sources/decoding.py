"""What PyAV's containers have in common for us: the audio track, its sound as mono samples, its errors."""

import re
from collections.abc import Iterator
from typing import Any

from monitor.audio import Samples
from monitor.sources.timing.framer import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, to_mono


def audio_track(container: Any) -> Any | None:
    """The container's first audio track that can be decoded, or None."""
    return next((track for track in container.streams.audio if track.codec_context is not None), None)


def mono_sound(decoded: Any) -> tuple[Samples, int]:
    """One decoded frame as mono float32 samples and its rate; ValueError for a rate no microphone has."""
    rate_hz = int(decoded.sample_rate)
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise ValueError(f"a sample rate of {rate_hz} Hz")
    samples = decoded.to_ndarray()
    if not decoded.format.is_planar:
        samples = samples.reshape(-1, decoded.layout.nb_channels).T
    return to_mono(samples), rate_hz


def decoded_frames(packet: Any) -> Iterator[Any]:
    """What a packet holds, without empty frames. Raises av.FFmpegError when it is damaged."""
    return (frame for frame in packet.decode() if frame.samples)


def plain_reason(error: Exception) -> str:
    """FFmpeg's words for what went wrong, without the file name or URL (and its credentials) PyAV adds."""
    text = getattr(error, "strerror", None) or type(error).__name__
    return re.sub(r"\s+", " ", str(text)).strip()
