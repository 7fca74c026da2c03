"""Clips and pictures on disk: how they are named, written, kept and let go."""

import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np

from monitor.audio import Audio
from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.store.files import write_private
from monitor.types import SoundEvent

log = get_logger()

ClipFormat = Literal["flac", "opus"]
OPUS_BIT_RATE = 32_000
LOCKED = "locked"
"""The folder below the clips' own whose files are never let go; moving a file there by hand does the same."""

_CONTAINERS = {"flac": ("flac", "flac"), "opus": ("ogg", "libopus")}
_TIME = "%Y%m%dT%H%M%S.%f"
_NAME = re.compile(
    r"(?P<at>\d{8}T\d{6}\.\d{3})Z\.(?P<source>[a-z0-9_-]+)\.(?P<label>[a-z0-9_]+)\.(?P<id>[0-9a-f]{1,32})"
    r"\.(?:flac|opus|png)"
)


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A file of ours, by its name."""

    path: Path
    started_at: datetime
    source: str
    label: str
    event_id: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept: files younger than `keep_s`, up to `max_bytes`, the oldest going first. The latest
    `per_label` events of every label outlast both, except that the bound on size holds in the end."""

    keep_s: float
    max_bytes: int
    per_label: int


class ClipFolder:
    """The folder of clips and pictures. One thread writes; anyone may read."""

    def __init__(self, folder: Path, retention: Retention) -> None:
        self._folder = folder
        self._retention = retention

    def open(self) -> None:
        """Make the folder, for the owner alone, and remove what a crash left half written. Raises
        StoreError."""
        try:
            (self._folder / LOCKED).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            for half in self._folder.glob("*.part"):
                half.unlink()
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror}") from error

    def put(self, event: SoundEvent, suffix: ClipFormat | Literal["png"], data: bytes) -> Path:
        """Keep a file of an event. It is there whole or not at all, readable by the owner alone. Raises
        StoreError."""
        path = self._folder / file_name(event, suffix)
        write_private(path, data)
        return path

    def files(self, *, locked: bool = False) -> list[ClipFile]:
        """What is kept, oldest first."""
        folder = self._folder / LOCKED if locked else self._folder
        with suppress(FileNotFoundError):
            return sorted(_known(folder.iterdir()), key=lambda one: (one.started_at, one.path.name))
        return []

    def lock(self, event_id: str) -> int:
        """Keep the files of an event for good: how many there were. Raises StoreError."""
        ours = [one for one in self.files() if one.event_id == event_id]
        try:
            (self._folder / LOCKED).mkdir(mode=0o700, exist_ok=True)
            for one in ours:
                one.path.rename(self._folder / LOCKED / one.path.name)
        except OSError as error:
            raise StoreError(f"{self._folder}: {error.strerror}") from error
        return len(ours)

    def sweep(self, now: datetime) -> int:
        """Let go what is not to be kept any longer: how many files. Files that are not ours stay."""
        gone = expired(self.files(), now, self._retention)
        for one in gone:
            one.path.unlink(missing_ok=True)
        return len(gone)


def expired(files: Sequence[ClipFile], now: datetime, retention: Retention) -> list[ClipFile]:
    """Which of the files, oldest first, are to go."""
    latest = _latest_events(files, retention.per_label)
    oldest = now - timedelta(seconds=retention.keep_s)
    gone = [one for one in files if one.started_at < oldest and one.event_id not in latest]
    left = [one for one in files if one not in gone]
    excess = sum(one.size_bytes for one in left) - retention.max_bytes
    for one in sorted(left, key=lambda one: (one.event_id in latest, one.started_at)):
        if excess <= 0:
            break
        gone.append(one)
        excess -= one.size_bytes
    return gone


def _latest_events(files: Sequence[ClipFile], per_label: int) -> set[str]:
    counted: Counter[str] = Counter()
    latest: set[str] = set()
    for one in reversed(files):
        if one.event_id not in latest and counted[one.label] < per_label:
            counted[one.label] += 1
            latest.add(one.event_id)
    return latest


def file_name(event: SoundEvent, suffix: str) -> str:
    """`20260102T030405.678Z.kitchen.glass_break.ab12cd34ef56.flac`: sorts by time, says what it is."""
    at = event.started_at.astimezone(UTC).strftime(_TIME)[:-3]
    return f"{at}Z.{event.source}.{event.label}.{event.id}.{suffix}"


def _known(paths: Iterable[Path]) -> list[ClipFile]:
    """The files among `paths` that are ours."""
    known = []
    for path in paths:
        found = _NAME.fullmatch(path.name)
        with suppress(ValueError, FileNotFoundError):
            if found:
                at = datetime.strptime(found["at"], _TIME).replace(tzinfo=UTC)
                size_bytes = path.stat().st_size
                known.append(ClipFile(path, at, found["source"], found["label"], found["id"], size_bytes))
    return known


def encoded(audio: Audio, clip_format: ClipFormat, tags: dict[str, str]) -> bytes:
    """Mono sound as a FLAC file (lossless, 16 bits, sample-exact) or Ogg Opus (a sixth of the size), with
    tags."""
    import av

    container_name, codec = _CONTAINERS[clip_format]
    target = io.BytesIO()
    with av.open(target, "w", format=container_name) as container:
        container.metadata.update(tags)
        stream = container.add_stream(codec, rate=audio.sample_rate_hz)
        stream.layout = "mono"
        if clip_format == "opus":
            stream.bit_rate = OPUS_BIT_RATE
        frame = av.AudioFrame.from_ndarray(np.frombuffer(audio.to_pcm16(), "<i2")[None, :], "s16", "mono")
        frame.sample_rate = audio.sample_rate_hz
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return target.getvalue()
