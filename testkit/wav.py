"""WAV files for a daemon to listen to."""

import struct
import wave
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ


def write_wav(path: Path, samples: np.ndarray[Any, Any]) -> None:
    """16-bit mono at 16 kHz; `samples` of shape (samples,), -1..1."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes((np.clip(samples, -1, 0.999) * 32768).astype("<i2").tobytes())


def write_float_wav(path: Path, samples: np.ndarray[Any, Any]) -> None:
    """32-bit floating point, mono at 16 kHz, shape (samples,): it holds what no 16 bits can, such as NaN."""
    data = samples.astype("<f4").tobytes()
    shape = struct.pack("<IHHIIHH", 16, 3, 1, SAMPLE_RATE_HZ, 4 * SAMPLE_RATE_HZ, 4, 32)
    sizes = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt "
    path.write_bytes(sizes + shape + b"data" + struct.pack("<I", len(data)) + data)
