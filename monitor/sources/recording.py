"""A recorded file: its sound piece by piece, or whole; and whether it is what its header promises."""

import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.decoding import audio_track, decoded_frames, mono_sound, plain_reason

TOLERATED_LOSS_S = 0.5
"""Encoders round, pad and prime, and tags are taken for sound: less than this missing is still whole."""
LONGEST_WHOLE_S = 3600.0

_TYPICAL_PACKET_S = 0.025
_UNKNOWN_SIZE = 0x7FFF_0000
"""Programs that write a WAV into a pipe give the largest size they can think of."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of a recording: mono samples at their native rate, after `lost_s` that could not be decoded."""

    samples: Samples
    sample_rate_hz: int
    lost_s: float = 0.0


class Recording:
    """One file, open. Its first sound track is read from the beginning to the end, again after `rewind`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._resources = ExitStack()
        self._container: Any = None
        self._track: Any = None
        self._heard_s = 0.0
        self._lost_s = 0.0

    def __enter__(self) -> Self:
        """Raises SourceUnavailable in one line when this is not a recording."""
        with ExitStack() as opening:
            self._container = opening.enter_context(self._opened())
            self._track = audio_track(self._container)
            if self._track is None:
                raise SourceUnavailable(f"{self._path}: holds no sound that can be decoded", refused=True)
            self._resources = opening.pop_all()
        self._heard_s = self._lost_s = 0.0
        return self

    def __exit__(self, *exc: object) -> None:
        self._track = self._container = None
        self._resources.close()

    def _opened(self) -> Any:
        import av

        try:
            if os.path.isfile(self._path) and not os.path.getsize(self._path):
                raise SourceUnavailable(f"{self._path}: the file is empty", refused=True)
            # "file:" and the white list: a playlist that calls itself a recording opens no network address.
            return av.open(
                f"file:{self._path}",
                options={"protocol_whitelist": "file"},
                metadata_errors="replace",
            )
        except (av.FFmpegError, ValueError, OSError) as error:
            fix = (
                ""
                if isinstance(error, FileNotFoundError | PermissionError)
                else "; is it a sound file, and whole?"
            )
            reason = f"{self._path}: cannot be read ({plain_reason(error)}){fix}"
            raise SourceUnavailable(reason, refused=True) from None

    def sounds(self) -> Iterator[Sound]:
        """Its sound in order. What cannot be decoded is left out and said in `lost_s` of the next piece."""
        lost_s = 0.0
        for packet in self._packets():
            for piece in self._pieces(packet):
                if isinstance(piece, float):
                    lost_s += piece
                    continue
                samples, rate_hz = piece
                self._heard_s += len(samples) / rate_hz
                yield Sound(samples, rate_hz, lost_s)
                lost_s = 0.0

    def _packets(self) -> Iterator[Any]:
        import av

        try:
            yield from self._container.demux(self._track)
        except av.FFmpegError as error:
            # What is lost cannot be measured when the container itself breaks off.
            raise SourceLost(
                f"{self._path}: breaks off after {self._heard_s:.1f} s ({plain_reason(error)})"
            ) from None

    def _pieces(self, packet: Any) -> Iterator[tuple[Samples, int] | float]:
        """The sound in a packet; for a damaged one, how long it would have been."""
        import av

        try:
            for decoded in decoded_frames(packet):
                yield mono_sound(decoded)
        except (av.FFmpegError, ValueError):
            damaged_s = _duration_s(packet)
            self._lost_s += damaged_s
            yield damaged_s

    def rewind(self) -> None:
        """Back to the beginning. Raises SourceLost when the file does not allow it (a pipe)."""
        import av

        if not self._heard_s:
            self.check_whole()
        try:
            self._container.seek(0)
        except av.FFmpegError as error:
            raise SourceLost(f"{self._path}: cannot be played again ({plain_reason(error)})") from None
        self._heard_s = self._lost_s = 0.0

    def check_whole(self) -> None:
        """Raises SourceLost when what was read was damaged, or less than the header promises."""
        if not self._heard_s:
            raise SourceLost(f"{self._path}: holds no sound that can be decoded", for_good=True)
        if self._lost_s > TOLERATED_LOSS_S:
            text = f"{self._path}: damaged, {self._lost_s:.1f} s of it could not be decoded"
            raise SourceLost(text, for_good=True)
        missing_s = self._promised_s() - self._heard_s
        if missing_s > max(TOLERATED_LOSS_S, 0.01 * self._heard_s):
            text = f"{self._path}: cut short, ends {missing_s:.1f} s before the end its header promises"
            raise SourceLost(text, for_good=True)

    def _promised_s(self) -> float:
        """The length that the header gives, 0 where it gives none."""
        if self._container.format.name == "wav":
            return _wav_duration_s(self._path)
        track = self._track
        if track.duration is not None:
            return float(track.duration * track.time_base)
        if len(self._container.streams) == 1 and self._container.duration is not None:
            return float(self._container.duration) / 1e6
        return 0.0


def read_audio(
    path: Path, sample_rate_hz: int | None = SAMPLE_RATE_HZ, longest_s: float = LONGEST_WHOLE_S
) -> Audio:
    """A whole recording as mono audio at a rate; None for its own.

    Raises SourceUnavailable when it is no recording or longer than `longest_s` (an hour at 16 kHz is 230 MB),
    and SourceLost when it is damaged or cut short.
    """
    pieces: list[Audio] = []
    heard_s = 0.0
    with Recording(path) as recording:
        for sound in recording.sounds():
            heard_s += len(sound.samples) / sound.sample_rate_hz
            if heard_s > longest_s:
                raise SourceUnavailable(
                    f"{path}: longer than the {longest_s:.0f} s that fit in memory", refused=True
                )
            pieces.append(Audio.from_float(sound.samples, sound.sample_rate_hz))
        recording.check_whole()
    return _joined(pieces, sample_rate_hz or pieces[0].sample_rate_hz)


def _joined(pieces: list[Audio], sample_rate_hz: int) -> Audio:
    """Runs of one rate are joined before resampling, so that no seam is heard."""
    runs: list[list[Audio]] = []
    for piece in pieces:
        if not runs or runs[-1][0].sample_rate_hz != piece.sample_rate_hz:
            runs.append([])
        runs[-1].append(piece)
    return Audio.join(Audio.join(run).resampled(sample_rate_hz) for run in runs)


def _duration_s(packet: Any) -> float:
    if packet.duration and packet.time_base:
        return float(packet.duration * packet.time_base)
    return _TYPICAL_PACKET_S


def _wav_duration_s(path: Path) -> float:
    """What a WAV file's header promises. FFmpeg trusts the file's size instead and hides that it was cut."""
    try:
        with path.open("rb") as file:
            return _riff_duration_s(file)
    except (OSError, struct.error):
        return 0.0


def _riff_duration_s(file: BinaryIO) -> float:
    bytes_per_s = 0
    if file.read(12)[8:] != b"WAVE":
        return 0.0
    while header := file.read(8):
        name, size = struct.unpack("<4sI", header)
        if name == b"fmt ":
            (bytes_per_s,) = struct.unpack_from("<8xI", file.read(12))
            size -= 12
        if name == b"data":
            return 0.0 if size >= _UNKNOWN_SIZE or not bytes_per_s else size / bytes_per_s
        file.seek(size + (size & 1), os.SEEK_CUR)
    return 0.0
