"""The length of a recording by its header, where the header has one."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from monitor.logs import get_logger

log = get_logger()

KNOWS_ITS_LENGTH = frozenset({"flac", "aiff", "w64", "caf", "au", "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"})
"""Containers whose header counts samples or milliseconds. Of every other FFmpeg estimates the length by the
bit rate (ADTS AAC, MP3 without a table, AC-3) or subtracts the first timestamp from the last (MPEG-TS)."""

_LINEAR = frozenset({1, 3, 6, 7, 0xFFFE})
"""WAV's PCM, float, A-law, µ-law and extensible: a second is rate times block align bytes, whatever byte rate
the header states."""
_STREAMED_FROM = 1_000_000_000
"""Programs that write a WAV into a pipe give the largest size they can think of: 2,000,000,000 or 2^31."""
_ID3_HEADER = 10


def promised_s(path: Path, container: Any, track: Any) -> float:
    """The length that the header gives; 0 where it gives none, or none that is more than an estimate."""
    name = container.format.name
    if name == "wav":
        header = wav_header(path)
        return header.promised_s(path) if header else 0.0
    if name not in KNOWS_ITS_LENGTH and not (name == "mp3" and _has_table(path)):
        return 0.0
    if track.duration is not None:
        return float(track.duration * track.time_base)
    if len(container.streams) == 1 and container.duration is not None:
        return float(container.duration) / 1e6
    return 0.0


def _has_table(path: Path) -> bool:
    """Whether an MP3's first frame counts the frames (Xing, Info or VBRI)."""
    try:
        with path.open("rb") as file:
            head = file.read(_ID3_HEADER)
            if head[:3] == b"ID3" and len(head) == _ID3_HEADER:
                file.seek(_ID3_HEADER + _seven_bits_each(head[6:]))
            else:
                file.seek(0)
            first = file.read(4096)
    except OSError:
        return False
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))


def _seven_bits_each(size: bytes) -> int:
    return sum((byte & 0x7F) << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))


def is_wav(path: Path) -> bool:
    """Whether it begins as a WAV file of any length. OSError where it cannot be read."""
    with path.open("rb") as file:
        return file.read(4) in (b"RIFF", b"RIFX", b"RF64")


class WavShape(NamedTuple):
    """The first fields of a `fmt ` chunk, in their order."""

    kind: int
    channels: int
    rate_hz: int
    bytes_per_s: int
    align: int
    bits: int


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What stands before the sound of a WAV file; not of RIFX and RF64, whose numbers are written otherwise.
    Sizes in bytes."""

    shape: WavShape
    data_at: int
    data_size: int
    there: int
    """How much of the file lies behind it, other chunks too."""

    def promised_s(self, path: Path) -> float:
        """The length that it gives, if less is there; else 0. FFmpeg trusts the file's size instead and hides
        that it was cut."""
        bytes_per_s = self._bytes_per_s(path)
        streamed = self.data_size >= _STREAMED_FROM and self.there < self.data_size // 2
        cut = self.there < self.data_size and not streamed
        return self.data_size / bytes_per_s if cut and bytes_per_s else 0.0

    def _bytes_per_s(self, path: Path) -> int:
        shape = self.shape
        real = shape.rate_hz * shape.align
        if shape.kind not in _LINEAR or not real:
            return shape.bytes_per_s
        if shape.bytes_per_s != real:
            log.warning("the header has a wrong number of bytes a second; it is heard anyway", file=str(path))
        return real


def wav_header(path: Path) -> WavHeader | None:
    """That of a WAV file; None where there is none, or none that can be read."""
    try:
        with path.open("rb") as file:
            return _header(file)
    except (OSError, struct.error):
        return None


def _header(file: BinaryIO) -> WavHeader | None:
    shape = None
    if file.read(4) != b"RIFF" or file.read(8)[4:] != b"WAVE":
        return None
    while chunk := file.read(8):
        name, size = struct.unpack("<4sI", chunk)
        if name == b"fmt ":
            shape = WavShape(*struct.unpack("<HHIIHH", file.read(16)))
            size -= 16
        if name == b"data":
            at = file.tell()
            there = os.fstat(file.fileno()).st_size - at
            return WavHeader(shape, at, size, there) if shape else None
        file.seek(size + (size & 1), os.SEEK_CUR)
    return None
