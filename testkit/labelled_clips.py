"""Recordings with a list of their labels, as `earwitness eval` reads them."""

import csv
import wave
from pathlib import Path

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples


def recording(file: Path, samples: Samples) -> str:
    """A WAV file; its name."""
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        out.writeframes(Audio(samples, SAMPLE_RATE_HZ).to_pcm16())
    return file.name


def manifest(folder: Path, *rows: tuple[str, str, str]) -> Path:
    """A list of recordings: path, labels, emotion."""
    file = folder / "clips.csv"
    with file.open("w", newline="") as lines:
        csv.writer(lines).writerows([("path", "labels", "emotion"), *rows])
    return file
