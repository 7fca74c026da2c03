"""The length of a recording by its header, where the header has one."""

import os
import struct
from pathlib import Path
from typing import Any, BinaryIO

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
        return _wav_duration_s(path)
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


def _wav_duration_s(path: Path) -> float:
    """What a WAV file's header promises, if less is there. FFmpeg trusts the file's size instead and hides
    that it was cut."""
    try:
        with path.open("rb") as file:
            return _riff_duration_s(file, path)
    except (OSError, struct.error):
        return 0.0


def _riff_duration_s(file: BinaryIO, path: Path) -> float:
    bytes_per_s = 0
    if file.read(12)[8:] != b"WAVE":
        return 0.0
    while header := file.read(8):
        name, size = struct.unpack("<4sI", header)
        if name == b"fmt ":
            bytes_per_s = _bytes_per_s(file.read(16), path)
            size -= 16
        if name == b"data":
            there = os.fstat(file.fileno()).st_size - file.tell()
            streamed = size >= _STREAMED_FROM and there < size // 2
            return size / bytes_per_s if there < size and bytes_per_s and not streamed else 0.0
        file.seek(size + (size & 1), os.SEEK_CUR)
    return 0.0


def _bytes_per_s(chunk: bytes, path: Path) -> int:
    kind, _, rate_hz, stated, align = struct.unpack_from("<HHIIH", chunk)
    if kind not in _LINEAR or not rate_hz * align:
        return int(stated)
    if stated != rate_hz * align:
        log.warning("the header has a wrong number of bytes a second; it is heard anyway", file=str(path))
    return int(rate_hz * align)
