"""What PyAV's containers have in common for us: their sound as samples, its errors."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.errors import SourceUnavailable
from monitor.schema import kind_of
from monitor.sources.timing.framer import HIGHEST_RATE_HZ, LOWEST_RATE_HZ

_INSTEAD = {
    "a folder": "name a recording in it",
    "a pipe": "write its sound to a file first: the end of a pipe cannot be known",
    "a device": "`type: microphone` hears microphones, `earwitness devices` lists them",
    "a disk": "name a recording on it",
}

_KINDS = {"u8": "u1", "s16": "i2", "s32": "i4", "flt": "f4", "dbl": "f8"}
_KINDS |= {f"{name}p": kind for name, kind in _KINDS.items()}
"""FFmpeg's kinds of samples. For one plane PyAV's own `to_ndarray` takes four times as long: of a camera's
many small frames that is a tenth of reading it."""


def check_is_file(path: Path) -> None:
    """Raises SourceUnavailable for what is there and is no file: FFmpeg would wait for a pipe for ever. What
    is not there is for FFmpeg to report."""
    if found := kind_of(path):
        fix = _INSTEAD.get(found, "name a recording")
        raise SourceUnavailable(f"{path}: is {found} and no file; {fix}", refused=True)


def planar_sound(decoded: Any) -> tuple[npt.NDArray[Any], int]:
    """One decoded frame as (channels, samples) and its rate; ValueError for a rate no microphone has."""
    rate_hz = int(decoded.sample_rate)
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise ValueError(f"a sample rate of {rate_hz} Hz")
    planes, kind = decoded.planes, decoded.format.name
    if len(planes) > 1 or kind not in _KINDS:
        return decoded.to_ndarray(), rate_hz
    channels = decoded.layout.nb_channels
    samples = np.frombuffer(planes[0], _KINDS[kind], decoded.samples * channels)
    return samples.reshape(-1, channels).T, rate_hz


def begins_s(decoded: Any) -> float | None:
    """Where a decoded frame begins by its own timestamp; None when it has none."""
    at_s: float | None = decoded.time
    return at_s


def decoded_frames(packet: Any) -> Iterator[Any]:
    """What a packet holds, without empty frames. Raises av.FFmpegError when it is damaged."""
    return (frame for frame in packet.decode() if frame.samples)


_INTERRUPTED = "Immediate exit requested"
"""FFmpeg's words for a time-out of PyAV."""


def plain_reason(error: Exception) -> str:
    """FFmpeg's words for what went wrong, without the file name or URL (and its credentials) PyAV adds."""
    text = getattr(error, "strerror", None) or type(error).__name__
    if text == _INTERRUPTED:
        return "no answer in time"
    return re.sub(r"\s+", " ", str(text)).strip()
