"""WAV files for a daemon to listen to."""

import wave
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ


def write_wav(path: Path, samples: np.ndarray[Any, Any]) -> None:
    """16-bit mono at 16 kHz."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes((np.clip(samples, -1, 0.999) * 32768).astype("<i2").tobytes())
