"""The thread that reads one network stream. A read inside FFmpeg cannot be interrupted, so nobody waits."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from math import inf, isfinite
from threading import Thread
from typing import Any

import numpy as np

from monitor.audio import Samples
from monitor.clock import Clock
from monitor.errors import SourceError, SourceLost, SourceUnavailable
from monitor.logs import get_logger
from monitor.sources.base import CALM_S, PIECE_S
from monitor.sources.decoding import begins_s, decoded_frames, plain_reason, planar_sound
from monitor.sources.inbox import Inbox
from monitor.sources.mixing import Mixer
from monitor.sources.timing.timekeeper import Instant
from monitor.sources.timing.timestamps import Timestamps
from monitor.sources.tracks import TrackChoice, chosen_tracks

log = get_logger()

PATIENCE_S = 1.0
"""A server that sends faster than it is heard is slowed down by not being read; a camera loses sound."""
JUDGED_PACKETS = 30
JUDGED_S = 3.0
"""This many packets over this time show whether a stream can be decoded; fewer may be a bad moment of the
network."""

_WAITED_S = 0.005
"""Packets that have come are read in less, on a busy machine too; cameras send them 10 to 64 ms apart."""
_SHARE_OF_FRAME = 0.5
"""A frame of 30 ms lies in two packets or three, of which the loudest may have less than its power, or in one
of 64 ms. Chosen: of a brief sound that only just opens the gate the first second may come together; with 0.3,
noise would be no calm."""

_FORGOTTEN = 0.001
"""Of the lead a second: ten times any clock's drift."""


@dataclass(frozen=True, slots=True)
class Packet:
    """Sound of one packet, after a gap: of `missing_s`, or of unknown length (infinite)."""

    samples: Samples
    sample_rate_hz: int
    missing_s: float = 0.0


class StreamReader(Thread):
    """Opens the stream, decodes it into the inbox, and closes it, all in this thread.

    `opened` is answered when it is open, or with SourceUnavailable. After `stop` it ends when FFmpeg next
    returns, at the latest after the stream's own timeout; nobody needs to wait for that.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Any],
        clock: Clock,
        inbox: Inbox[Packet],
        track: int | None = None,
        calm_below: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`track`: listen to this sound track only, counted from 1; else to the one that carries sound.
        `calm_below`: see `Source`."""
        super().__init__(name=f"stream-{name}", daemon=True)
        self.opened: Future[None] = Future()
        self._source = name
        self._connect = connect
        self._clock = clock
        self._inbox = inbox
        self._stopped = False
        self._wanted = track
        self._choice = TrackChoice(name)
        self._tracks: dict[int, _Track] = {}
        self._heard_track: int | None = None
        self._held: list[Packet] = []
        self._held_s = self._heard_s = 0.0
        self._pace = _Pace()
        self._calm_below = calm_below
        self._is_calm = True
        """Whether everything that is held is."""
        self._damaged = self._decoded = 0
        self._judged_s = clock.monotonic_s()
        self._said_damage = False

    def stop(self) -> None:
        """From any thread."""
        self._stopped = True
        self.opened.cancel()

    def run(self) -> None:
        """The thread: opens the stream, answers whether it could, and reads until it ends or is stopped."""
        try:
            with self._connect() as container:
                self._answer()
                self._read(container)
        except SourceUnavailable as error:
            self._answer(error)
        except SourceError as error:
            self._inbox.end(error)
        except Exception as error:  # noqa: BLE001 - a bug: raised by whoever takes from the inbox
            self._answer(error)
            self._inbox.end(error)

    def _answer(self, error: Exception | None = None) -> None:
        try:
            if error is None:
                self.opened.set_result(None)
            else:
                self.opened.set_exception(error)
        except InvalidStateError:
            log.debug("nobody waits for the stream any more", source=self._source)

    def _read(self, container: Any) -> None:
        import av

        tracks = chosen_tracks(container.streams.audio, self._wanted)
        self._tracks = {track.index: _Track(number, self._source) for number, track in enumerate(tracks)}
        try:
            packets = container.demux(tracks)
            for packet in self._at_beats(packets) if _is_sound_alone(container) else packets:
                if self._stopped:
                    return
                for sound in self._sounds(packet):
                    self._hand_over(sound)
        except (av.FFmpegError, OSError) as error:
            self._hand_over(None)
            raise SourceLost(f"{self._source}: the stream broke off ({plain_reason(error)})") from None
        self._hand_over(None)
        raise SourceLost(f"{self._source}: the stream ended")

    def _hand_over(self, sound: Packet | None) -> None:
        """Sound goes on in pieces of `PIECE_S` and more, where nothing goes on of `CALM_S`: waking its thread
        costs more than its work."""
        held = self._held
        if held and (sound is None or sound.missing_s or sound.sample_rate_hz != held[0].sample_rate_hz):
            self._put()
        if sound is None:
            return
        self._held.append(sound)
        duration_s = len(sound.samples) / sound.sample_rate_hz
        self._held_s += duration_s
        self._heard_s += duration_s + (sound.missing_s if isfinite(sound.missing_s) else 0.0)
        self._is_calm = self._is_calm and _power(sound.samples) < _SHARE_OF_FRAME * self._calm_below()
        # More than `_at_beats` waits for: there the newest sound, whose arrival dates it all, came just now.
        if self._held_s >= (CALM_S + PIECE_S if self._is_calm else PIECE_S):
            self._put()

    def _put(self) -> None:
        parts, self._held = self._held, []
        self._held_s, self._is_calm = 0.0, True
        samples = parts[0].samples if len(parts) == 1 else np.concatenate([part.samples for part in parts])
        piece = Packet(samples, parts[0].sample_rate_hz, parts[0].missing_s)
        self._inbox.put(piece, Instant.of(self._clock), PATIENCE_S)

    def _at_beats(self, packets: Iterator[Any]) -> Iterator[Any]:
        """The same packets, all that have come meanwhile eight times a second: a camera sends fifty, and each
        would wake this thread. All streams of a process rest until the same instants."""
        while True:
            asked_s = self._clock.monotonic_s()
            packet = next(packets, None)
            if packet is None:
                return
            came_s = self._clock.monotonic_s()
            yield packet
            # It had not come yet, so nothing else waits; unless reading takes as long, on a busy machine.
            if came_s - asked_s >= _WAITED_S and self._pace.is_prompt(self._heard_s, asked_s, came_s):
                if self._held_s >= CALM_S - PIECE_S / 2:
                    self._put()
                time.sleep(PIECE_S - self._clock.monotonic_s() % PIECE_S)

    def _sounds(self, packet: Any) -> Iterator[Packet]:
        import av

        track = self._tracks[packet.stream_index]
        try:
            for decoded in decoded_frames(packet):
                self._decoded += 1
                yield from self._chosen(track, decoded)
        except (av.FFmpegError, ValueError) as error:
            # What is missing shows in the timestamps of what follows, or in the time that passes.
            self._damaged += 1
            write = log.debug if self._said_damage else log.warning
            self._said_damage = True
            write("damaged sound left out", source=self._source, reason=plain_reason(error))
            self._judge(plain_reason(error))

    def _chosen(self, track: "_Track", decoded: Any) -> Iterator[Packet]:
        """The sound, if it is of the track that is listened to. After a change of track it follows a gap."""
        planar, rate_hz = planar_sound(decoded)
        arrived_s = self._clock.monotonic_s()
        samples = track.mixer.push(planar, rate_hz)
        missing_s = track.timestamps.missing_s(begins_s(decoded), len(samples) / rate_hz, arrived_s)
        if len(self._tracks) > 1 and not self._choice.hears(track.number, samples, arrived_s):
            return
        if self._heard_track not in (None, track.number):
            missing_s = inf
        self._heard_track = track.number
        yield Packet(samples, rate_hz, missing_s)

    def _judge(self, reason: str) -> None:
        """A stream of which most cannot be decoded is not listened to, whatever else it gives."""
        now_s = self._clock.monotonic_s()
        if self._damaged + self._decoded < JUDGED_PACKETS or now_s - self._judged_s < JUDGED_S:
            return
        if self._damaged > self._decoded:
            raise SourceLost(
                f"{self._source}: most of its sound cannot be decoded ({reason}); choose another codec "
                "(AAC, G.711) in the camera's settings"
            )
        self._damaged, self._decoded, self._judged_s = 0, 0, now_s


class _Pace:
    """Whether a stream is read as promptly as ever, or has fallen behind. Pure; seconds."""

    def __init__(self) -> None:
        self._lead_s = -inf
        """By how much the sound was ahead of the clock when it was read most promptly."""
        self._came_s = 0.0

    def is_prompt(self, heard_s: float, asked_s: float, came_s: float) -> bool:
        """Whether a packet that came at `came_s` is among the latest; `heard_s` of sound have come in all."""
        lead_s = heard_s - came_s
        forgotten_s = _FORGOTTEN * (came_s - self._came_s)
        self._came_s = came_s
        paused = came_s - asked_s >= PIECE_S
        self._lead_s = lead_s if paused else max(lead_s, self._lead_s - forgotten_s)
        return lead_s > self._lead_s - PIECE_S


def _is_sound_alone(container: Any) -> bool:
    """Pictures are too much to be left waiting."""
    return all(stream.type == "audio" for stream in container.streams)


def _power(samples: Samples) -> float:
    """Mean square."""
    return float(np.dot(samples, samples)) / max(1, len(samples))


class _Track:
    """What belongs to one sound track; `number` counts the tracks that are candidates, from 0."""

    def __init__(self, number: int, source: str) -> None:
        self.number = number
        self.mixer = Mixer(source)
        self.timestamps = Timestamps()
