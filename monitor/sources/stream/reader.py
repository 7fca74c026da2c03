"""The thread that reads one network stream. A read inside FFmpeg cannot be interrupted, so nobody waits."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass
from threading import Thread
from typing import Any

import numpy as np

from monitor.audio import Samples
from monitor.clock import Clock
from monitor.errors import SourceError, SourceLost, SourceUnavailable
from monitor.logs import get_logger
from monitor.sources.base import PIECE_S
from monitor.sources.decoding import audio_track, decoded_frames, mono_sound, plain_reason
from monitor.sources.inbox import Inbox
from monitor.sources.timing.timekeeper import Instant

log = get_logger()

LONGEST_GAP_S = 30.0
"""A longer hole in the sender's timestamps says that they were set anew, not that so much is missing."""
SMALLEST_GAP_S = 0.1
"""Timestamps of cheap cameras jitter by less."""

PATIENCE_S = 1.0
"""A server that sends faster than it is heard is slowed down by not being read; a camera loses sound."""


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

    def __init__(self, name: str, connect: Callable[[], Any], clock: Clock, inbox: Inbox[Packet]) -> None:
        super().__init__(name=f"stream-{name}", daemon=True)
        self.opened: Future[None] = Future()
        self._source = name
        self._connect = connect
        self._clock = clock
        self._inbox = inbox
        self._stopped = False
        self._timestamps = _Timestamps()
        self._held: list[Packet] = []
        self._damaged = 0

    def stop(self) -> None:
        """From any thread."""
        self._stopped = True
        self.opened.cancel()

    def run(self) -> None:
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

        track = audio_track(container)
        try:
            for packet in container.demux(track):
                if self._stopped:
                    return
                for sound in self._decoded(packet):
                    self._hand_over(sound)
        except (av.FFmpegError, OSError) as error:
            self._hand_over(None)
            raise SourceLost(f"{self._source}: the stream broke off ({plain_reason(error)})") from None
        self._hand_over(None)
        raise SourceLost(f"{self._source}: the stream ended")

    def _hand_over(self, sound: Packet | None) -> None:
        """Sound goes on in pieces of `PIECE_S` and more: waking the listener up costs more than its work."""
        held = self._held
        if held and (sound is None or sound.missing_s or sound.sample_rate_hz != held[0].sample_rate_hz):
            self._put(held)
            held.clear()
        if sound is None:
            return
        held.append(sound)
        if sum(len(part.samples) for part in held) >= PIECE_S * sound.sample_rate_hz:
            self._put(held)
            held.clear()

    def _put(self, parts: list[Packet]) -> None:
        samples = parts[0].samples if len(parts) == 1 else np.concatenate([part.samples for part in parts])
        piece = Packet(samples, parts[0].sample_rate_hz, parts[0].missing_s)
        self._inbox.put(piece, Instant.of(self._clock), PATIENCE_S)

    def _decoded(self, packet: Any) -> Iterator[Packet]:
        import av

        try:
            for decoded in decoded_frames(packet):
                samples, rate_hz = mono_sound(decoded)
                yield Packet(samples, rate_hz, self._timestamps.missing_s(decoded))
        except (av.FFmpegError, ValueError) as error:
            # What is missing shows in the timestamps of what follows.
            self._damaged += 1
            say = log.warning if self._damaged == 1 else log.debug
            say("damaged sound left out", source=self._source, reason=plain_reason(error))


class _Timestamps:
    """Finds holes by the sender's own timestamps."""

    def __init__(self) -> None:
        self._expected_s: float | None = None

    def missing_s(self, decoded: Any) -> float:
        """How much is missing before this frame; infinite when that cannot be told."""
        if decoded.pts is None or decoded.time_base is None:
            return 0.0
        begins_s = float(decoded.pts * decoded.time_base)
        expected_s = begins_s if self._expected_s is None else self._expected_s
        self._expected_s = begins_s + decoded.samples / decoded.sample_rate
        hole_s = begins_s - expected_s
        if abs(hole_s) < SMALLEST_GAP_S:
            return 0.0
        return hole_s if 0 < hole_s <= LONGEST_GAP_S else float("inf")
