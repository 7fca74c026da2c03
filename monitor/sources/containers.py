"""A recorded file in any container and codec that FFmpeg reads."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from math import isinf
from pathlib import Path
from typing import Any, Self

from monitor.errors import SourceLost, SourceUnavailable
from monitor.logs import get_logger
from monitor.sources.decoding import begins_s, check_is_file, decoded_frames, plain_reason, planar_sound
from monitor.sources.lengths import is_wav, promised_s
from monitor.sources.mixing import Mixer
from monitor.sources.recorded import TOLERATED_LOSS_S, RecordedSound, check_heard, check_promise
from monitor.sources.timing.framer import as_float
from monitor.sources.timing.timestamps import SMALLEST_GAP_S, Timestamps
from monitor.sources.tracks import chosen_tracks, moves

log = get_logger()

LONGEST_HOLE_S = 86_400.0
"""A longer hole in the timestamps means that two recordings were joined; motion cameras pause for hours."""
PROBED_S = 120.0
"""Length of every sound track that is decoded to find the one that carries sound."""

_BEGINS_AT_ZERO = ("matroska", "mov")
_LONGEST_START_S = 3600.0
_TYPICAL_PACKET_S = 0.025
_WAV = {"max_size": "15360", "max_probe_packets": "2"}
"""Bytes of a packet: of 16 kHz half of what is heard at once in calm. By default FFmpeg cuts WAV into packets
of 64 ms, and each costs more than its sound; twice as much took a megabyte more for each source. Whether
linear samples are DTS in disguise shows in two such packets, seven of its frames; FFmpeg would look at 2500,
which takes 35 ms of processor time for each source."""


class Container:
    """A recording that FFmpeg reads. See `Recording`."""

    def __init__(self, path: Path, track: int | None = None) -> None:
        """`track`: this one, counted from 1; else the first that carries sound."""
        self._path = path
        self._wanted = track
        self._resources = ExitStack()
        self._container: Any = None
        self._track: Any = None
        self._begin()

    def _begin(self) -> None:
        self._heard_s = self._lost_s = self._hole_s = 0.0
        self._timestamps: Timestamps | None = None
        self._mixer = Mixer(str(self._path))

    def __enter__(self) -> Self:
        """Raises SourceUnavailable in one line when this is not a recording."""
        with ExitStack() as opening:
            self._container = opening.enter_context(self._opened())
            self._track = self._chosen_track()
            self._resources = opening.pop_all()
        self._begin()
        return self

    @property
    def length_s(self) -> float:
        """As long as its header says that it is, once it is open; 0 where that is not known."""
        return (self._container.duration or 0) / 1e6 if self._container is not None else 0.0

    def _chosen_track(self) -> Any:
        every = self._container.streams.audio
        tracks = chosen_tracks(every, self._wanted)
        if not tracks:
            which = f" as its track {self._wanted} of {len(every)}" if self._wanted and every else ""
            raise SourceUnavailable(f"{self._path}: holds no sound that can be decoded{which}", refused=True)
        if len(tracks) == 1:
            return tracks[0]
        with self._opened() as probe:
            carrying = _carrying_sound(probe, [track.index for track in tracks])
        if carrying not in (None, tracks[0].index):
            number = next(n for n, track in enumerate(every, 1) if track.index == carrying)
            log.info("the first sound track is silent", file=str(self._path), hearing_track=number)
        return next((track for track in tracks if track.index == carrying), tracks[0])

    def __exit__(self, *exc: object) -> None:
        self._track = self._container = None
        self._resources.close()

    def _opened(self) -> Any:
        import av

        check_is_file(self._path)
        try:
            if os.path.isfile(self._path) and not os.path.getsize(self._path):
                raise SourceUnavailable(f"{self._path}: the file is empty", refused=True)
            # "file:" and the white list: a playlist that calls itself a recording opens no network address.
            own = _WAV if is_wav(self._path) else {}
            options = {"protocol_whitelist": "file", **own}
            return av.open(f"file:{self._path}", options=options, metadata_errors="replace")
        except (av.FFmpegError, ValueError, OSError) as error:
            fix = (
                ""
                if isinstance(error, FileNotFoundError | PermissionError)
                else "; is it a sound file, and whole?"
            )
            reason = f"{self._path}: cannot be read ({plain_reason(error)}){fix}"
            raise SourceUnavailable(reason, refused=True) from None

    def sounds(self) -> Iterator[RecordedSound]:
        """Its sound in order. A piece's `lost_s` is the length of sound that is missing before it."""
        lost_s = 0.0
        for packet in self._packets():
            for piece in self._pieces(packet):
                if isinstance(piece, float):
                    lost_s += piece
                    continue
                self._heard_s += len(piece.samples) / piece.sample_rate_hz
                yield replace(piece, lost_s=lost_s + piece.lost_s) if lost_s else piece
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

    def _pieces(self, packet: Any) -> Iterator[RecordedSound | float]:
        """The sound in a packet; for a damaged one, how long it would have been."""
        import av

        try:
            for decoded in decoded_frames(packet):
                yield self._sound(decoded)
        except (av.FFmpegError, ValueError):
            damaged_s = _duration_s(packet)
            self._lost_s += damaged_s
            if self._timestamps:
                self._timestamps.lost(damaged_s)
            yield damaged_s

    def _sound(self, decoded: Any) -> RecordedSound:
        planar, rate_hz = planar_sound(decoded)
        at_s, duration_s = begins_s(decoded), planar.shape[1] / rate_hz
        hole_s = 0.0
        if self._timestamps is None:
            self._timestamps = Timestamps(LONGEST_HOLE_S)
            hole_s = self._late_start_s(at_s)
        # A file waits for nobody: by its own timestamps, time has always passed.
        missing_s = self._timestamps.missing_s(at_s, duration_s, at_s or 0.0)
        if isinf(missing_s):
            log.warning("timestamps jump: recordings were joined here", file=str(self._path), at_s=at_s)
        else:
            hole_s += missing_s
        self._hole_s += hole_s
        return RecordedSound(self._mixer.push(planar, rate_hz), rate_hz, hole_s)

    def _late_start_s(self, at_s: float | None) -> float:
        """How long after the recording's beginning its sound begins."""
        container = self._container
        zero_s = 0.0
        if not container.format.name.startswith(_BEGINS_AT_ZERO):
            zero_s = (container.start_time or 0) / 1e6
        late_s = (at_s or 0.0) - zero_s
        return late_s if SMALLEST_GAP_S <= late_s <= _LONGEST_START_S else 0.0

    def rewind(self) -> None:
        """Back to the beginning. Raises SourceLost when the file does not allow it (a pipe)."""
        import av

        if not self._heard_s:
            self.check_whole()
        try:
            self._container.seek(0)
        except av.FFmpegError as error:
            raise SourceLost(f"{self._path}: cannot be played again ({plain_reason(error)})") from None
        self._begin()

    def check_whole(self) -> None:
        """Raises SourceLost when what was read was damaged, or less than the header promises."""
        check_heard(self._path, self._heard_s)
        if self._lost_s > TOLERATED_LOSS_S:
            text = f"{self._path}: damaged, {self._lost_s:.1f} s of it could not be decoded"
            raise SourceLost(text, for_good=True)
        promised = promised_s(self._path, self._container, self._track) - self._hole_s
        check_promise(self._path, self._heard_s, promised)


def _carrying_sound(container: Any, indices: list[int]) -> int | None:
    """Which of these tracks is the first, in their order, that carries sound in the first two minutes."""
    import av

    carrying: set[int] = set()
    with suppress(av.FFmpegError):
        for packet in container.demux([container.streams[index] for index in indices]):
            if packet.pts is not None and float(packet.pts * packet.time_base) > PROBED_S:
                break
            if packet.stream_index not in carrying and _has_sound(packet):
                carrying.add(packet.stream_index)
            if indices[0] in carrying:
                break
    return next((index for index in indices if index in carrying), None)


def _has_sound(packet: Any) -> bool:
    import av

    try:
        return any(moves(as_float(planar_sound(decoded)[0]).ravel()) for decoded in decoded_frames(packet))
    except (av.FFmpegError, ValueError):
        return False


def _duration_s(packet: Any) -> float:
    if packet.duration and packet.time_base:
        return float(packet.duration * packet.time_base)
    return _TYPICAL_PACKET_S
