"""One thread per source: opens it, listens, and opens it again when it was lost."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from monitor.audio import Piece
from monitor.clock import Backoff, Clock
from monitor.errors import SourceError, SourceLost, SourceUnavailable
from monitor.logs import get_logger
from monitor.sources.base import Source
from monitor.types import EventEnd, Findings, SourceStatus

log = get_logger()

STABLE_S = 10.0
"""A source that delivered for so long begins its next back-off at the quick end; one that gives a moment of
sound and breaks again does not."""

_HEARING = threading.Lock()
"""One source is heard at a time. numpy lets go of the interpreter in most calls, and each time another of
many threads would be woken for microseconds of work: 32 busy rooms took 1.3 cores, a third of it in the
kernel, and fell behind; one after the other they take 0.8 (docs/reference/benchmarks.md)."""


class FrontEnd(Protocol):
    """Rhythm detector and gate. Used by this thread alone. Must not block: all other sources wait for it."""

    @property
    def calm_below(self) -> float:
        """See `Source.calm_below`."""

    def hear(self, piece: Piece) -> Sequence[Findings]:
        """What is in the next piece, in order."""

    def finish(self, ended_by: Literal["gap", "shutdown"]) -> Findings | None:
        """What was still open when the sound ended; None without anything. The next piece begins anew."""


@dataclass(frozen=True, slots=True)
class CaptureFigures:
    """How one source is doing."""

    online: bool
    frames: int
    gaps: int
    """Places where sound was missing while the source was open."""
    reconnects: int
    since_frame_s: float
    """Since the last frame came."""
    lag_s: float
    """Delay between the end of the latest frame and the clock when it was heard."""
    opening_s: float
    """How long the present attempt to open it has taken; 0 without an attempt."""
    reason: str
    """Why it is offline and what to do; empty while it is not."""


class CaptureThread(threading.Thread):
    """Listens to one source until `stop`. Calls `post` with Findings, and with a SourceStatus when the source
    comes or goes. A bug ends the thread through `failed`."""

    def __init__(
        self,
        source: Source,
        ears: FrontEnd,
        post: Callable[[Findings | SourceStatus], None],
        failed: Callable[[BaseException], None],
        clock: Clock,
        network: Backoff | None = None,
        refusal: Backoff | None = None,
    ) -> None:
        super().__init__(name=f"listen-{source.name}", daemon=True)
        self.source = source
        self._ears = ears
        self._post = post
        self._failed = failed
        self._clock = clock
        self._stopping = threading.Event()
        self._network = network or Backoff(1, 8)
        self._refusal = refusal or Backoff(30, 60)
        self._abandoned = False
        self._status = threading.Lock()
        self._online: bool | None = None
        self._reason = ""
        self._frames = self._gaps = self._opened = 0
        self._last_frame_s = clock.monotonic_s()
        self._online_since_s = self._last_frame_s
        self._opening_since_s: float | None = None
        self._lag_s = 0.0
        self._until: datetime | None = None
        self.heard_until: datetime | None = None
        """End of the latest frame whose findings were posted; None while offline."""
        self.done = threading.Event()
        """The source has ended for ever (a file) or the thread was stopped."""

    def run(self) -> None:
        """The thread: opens the source, hears it, opens it again after a loss. What nobody expected goes to
        `failed`."""
        try:
            while not self._stopping.is_set() and not self._listen_once():
                pass
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            if not self._abandoned:
                self._failed(error)
        finally:
            self.done.set()

    def stop(self) -> None:
        """Make the thread end soon; from any thread."""
        self._stopping.set()
        self.source.close()

    def abandon(self, reason: str) -> None:
        """Its source hangs: it is offline, and nothing that this thread finds later is posted. Called by
        another thread, which starts a new one; this one ends when the source's call returns."""
        self._report(online=False, reason=reason)
        self._abandoned = True
        self.stop()

    def waiting_s(self) -> tuple[float, float]:
        """How long it has been opening, and how long since the last frame while online; 0 for what is not
        so. Asked of every source every second; from any thread."""
        now_s, opening_since_s = self._clock.monotonic_s(), self._opening_since_s
        return (
            now_s - opening_since_s if opening_since_s is not None else 0.0,
            now_s - self._last_frame_s if self._online else 0.0,
        )

    def figures(self) -> CaptureFigures:
        """A snapshot for the health message; from any thread."""
        now_s = self._clock.monotonic_s()
        opening_s, _ = self.waiting_s()
        return CaptureFigures(
            online=bool(self._online),
            frames=self._frames,
            gaps=self._gaps,
            reconnects=max(0, self._opened - 1),
            since_frame_s=now_s - self._last_frame_s,
            lag_s=self._lag_s,
            opening_s=opening_s,
            reason=self._reason,
        )

    def _listen_once(self) -> bool:
        """Open and listen until the source ends; True when it ended by itself or was stopped."""
        try:
            self._opening_since_s = self._clock.monotonic_s()
            with self.source:
                self._opening_since_s = None
                self._opened += 1
                for number, piece in enumerate(self.source.pieces()):
                    self._gaps += piece.follows_gap and number > 0
                    self._hear(piece)
            # An open segment is posted before the source's end, as it is before a loss.
            self._hand_over(self._ears.finish("shutdown"))
            if self._stopping.is_set():
                self._report(online=False, reason="stopped", ended_by="shutdown")
            else:
                self._report(online=False, reason="it has ended", ended_by="quiet")
            return True
        except SourceError as error:
            self._lost(error)
            return isinstance(error, SourceLost) and error.for_good
        finally:
            self._opening_since_s = None

    def _hear(self, piece: Piece) -> None:
        until = piece.ends_at
        self._frames += len(piece)
        self._last_frame_s = self._clock.monotonic_s()
        self._until = until
        self._lag_s = (self._clock.now() - until).total_seconds()
        if not self._online:
            self._online_since_s = self._last_frame_s
            self._report(online=True)
        with _HEARING:
            found = self._ears.hear(piece)
            self.source.calm_below = self._ears.calm_below
        for heard in found:
            self._hand_over(heard)
        self.heard_until = until

    def _lost(self, error: SourceError) -> None:
        self._hand_over(self._ears.finish("gap"))
        if self._online and self._clock.monotonic_s() - self._online_since_s >= STABLE_S:
            self._network.reset()
            self._refusal.reset()
        self._report(online=False, reason=str(error))
        refused = isinstance(error, SourceUnavailable) and error.refused
        self._stopping.wait((self._refusal if refused else self._network).next_s())

    def _report(self, *, online: bool, reason: str = "", ended_by: EventEnd = "source_lost") -> None:
        """Post and log a change of state, once per change and not per attempt."""
        with self._status:
            if self._abandoned or (online, reason) == (self._online, self._reason):
                return
            self._online, self._reason = online, reason
        self.heard_until = None
        at = self._until if self._until and not online else self._clock.now()
        self._post(SourceStatus(self.source.name, online, at, reason, ended_by))
        if online:
            log.info("listening", source=self.source.name)
        else:
            write = log.warning if ended_by == "source_lost" else log.info
            write("source offline", source=self.source.name, reason=reason)

    def _hand_over(self, heard: Findings | None) -> None:
        if heard is not None and not self._abandoned:
            self._post(heard)
