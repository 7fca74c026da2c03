"""A kept clip of an event, and how it is heard here."""

import io
import wave
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.evidence.clips import ClipFolder, Retention

CLIPS = (".flac", ".opus")


def clip_of(state_folder: Path, event_id: str) -> Path | None:
    """The clip of an event; None where none was kept."""
    folder = ClipFolder(state_folder / "evidence", Retention(0, 0, 0))
    kept = [*folder.files(), *folder.files(locked=True)]
    return next((one.path for one in kept if one.event_id == event_id and one.path.suffix in CLIPS), None)


def wav(audio: Audio) -> bytes:
    """A WAV file of it, 16 bits, mono."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes((np.clip(audio.samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
