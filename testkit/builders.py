"""Short ways to make what flows, for tests."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Piece, Samples
from monitor.publishers.base import House, Room
from monitor.types import Alert, Detection, Frame, Segment, SoundEvent

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def tone(frequency_hz: float, duration_s: float, level_dbfs: float = -20.0) -> Samples:
    """A sine whose RMS is `level_dbfs`."""
    t = np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.asarray(np.sqrt(2) * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * frequency_hz * t), np.float32)


def noise(duration_s: float, level_dbfs: float = -60.0, seed: int = 0) -> Samples:
    """White noise whose RMS is `level_dbfs`."""
    rng = np.random.default_rng(seed)
    samples = rng.standard_normal(round(duration_s * SAMPLE_RATE_HZ))
    return (samples * 10 ** (level_dbfs / 20)).astype(np.float32)


def frames(samples: Samples, source: str = "kitchen", start: datetime = START) -> list[Frame]:
    """The samples as 30 ms frames; an incomplete last one is dropped."""
    size = 480
    return [
        Frame(
            source,
            start + timedelta(seconds=i / SAMPLE_RATE_HZ),
            Audio(samples[i : i + size].copy(), SAMPLE_RATE_HZ),
            follows_gap=i == 0,
        )
        for i in range(0, len(samples) - size + 1, size)
    ]


def in_frames(sound: Iterable[Piece]) -> list[Frame]:
    """All frames of some pieces."""
    return [frame for piece in sound for frame in piece.frames()]


def segment(samples: Samples, source: str = "kitchen", id: str = "0123456789ab") -> Segment:
    """A finished segment that is all sound."""
    audio = Audio(samples, SAMPLE_RATE_HZ)
    return Segment(id, source, START, audio, 0.0, -60.0, audio.rms_dbfs, 0.0, "silence")


def heard(label: str, score: float = 0.9, at: datetime = START, **more: object) -> Detection:
    """A detection by the embedded classifier unless `more` says otherwise."""
    fields: dict[str, object] = {"classifier": "embedded", "source": "kitchen", "duration_s": 1.0}
    return Detection(label=label, score=score, started_at=at, **(fields | more))  # type: ignore[arg-type]


def event(
    label: str = "dog_bark", id: str = "e00000000001", at: datetime = START, **more: object
) -> SoundEvent:
    """An event that has just started in the kitchen unless `more` says otherwise."""
    fields: dict[str, object] = {
        "source": "kitchen", "state": "started", "certainty": "confirmed", "started_at": at, "at": at,
        "score": 0.9, "classifier": "embedded",
    }  # fmt: skip
    return SoundEvent(id=id, label=label, **(fields | more))  # type: ignore[arg-type]


def alert(
    label: str = "glass_break", id: str = "a00000000001", at: datetime = START, **more: object
) -> Alert:
    """An alert of one event; the rule is named after the label unless `more` says otherwise."""
    fields: dict[str, object] = {
        "rule": label, "severity": "critical", "events": (event(label, at=at),), "raised_at": at,
        "message": f"{label} in the kitchen", "why": {"hear": label},
    }  # fmt: skip
    return Alert(id=id, **(fields | more))  # type: ignore[arg-type]


def house(*rooms: Room, node: str = "home") -> House:
    """A house to announce; with a kitchen if no room is given."""
    return House(node, "1.2.3", rooms or (room(),))


def room(
    source: str = "kitchen",
    labels: tuple[str, ...] = ("smoke_alarm", "glass_break"),
    more_events: tuple[str, ...] = ("speech", "dog_bark"),
) -> Room:
    """A source that has an entity for each of `labels`, and more sounds that can be its events."""
    return Room(source, labels, labels + more_events, source.capitalize())
