"""Live sound as frames: anchored to the clock once, kept true to it, gaps marked."""

from monitor.audio import Piece, Samples
from monitor.logs import get_logger
from monitor.sources.timing.framer import Framer
from monitor.sources.timing.rate import RateCheck
from monitor.sources.timing.timekeeper import Instant, Timekeeper

log = get_logger()

SETTLE_S = 0.25
LONGEST_SETTLE_S = 5.0
_BURST_S = 0.02


class LiveFramer:
    """Frames of sound that arrives as it is heard, or in bursts. Pure: the time is an argument.

    When a source opens, sound that was waiting comes first and fast. Until it comes at its own pace
    (`SETTLE_S`) it is held back, then dated so that none of it lies in the future.
    """

    def __init__(self, source: str, window_s: float, true_rates_hz: dict[int, int] | None = None) -> None:
        """`window_s`: within it, some sound arrives promptly; longer than the longest burst is apart.

        `true_rates_hz`: the true rate for each announced rate. Measured rates are added, and are used when
        the source is opened again. None: every announced rate is taken as true.
        """
        self._source = source
        self._window_s = window_s
        self._framer = Framer(source)
        self._settling: _Settling | None = _Settling()
        self._time: Timekeeper | None = None
        self._sample_rate_hz = 0
        self._gap = False
        self._drift_ppm = 0.0
        self._restarts = 0
        self._true_rates_hz = true_rates_hz
        self._rate_check = RateCheck()

    @property
    def drift_ppm(self) -> float:
        """How much slower than our clock the source runs, in parts per million; 0 until it is known."""
        known = self._time.drift_ppm() if self._time else None
        return self._drift_ppm if known is None else known

    @property
    def clock_offset_s(self) -> float:
        """What is left to correct: how late the promptest sound was of late, against its date."""
        return self._time.clock_offset_s if self._time else 0.0

    def push(self, samples: Samples, sample_rate_hz: int, arrived: Instant) -> list[Piece]:
        """The frames complete with these mono samples, the last of which arrived at `arrived`.

        Raises ValueError for a rate that no microphone has.
        """
        true_rate_hz = self._true_rate_hz(len(samples), sample_rate_hz, arrived)
        if self._settling:
            return self._settle(samples, true_rate_hz, arrived)
        return self._heard(samples, true_rate_hz, arrived)

    def gap(self, missing_s: float | None = None) -> None:
        """Samples are missing before the next push: so much, or unknown (it is then dated by its arrival)."""
        if self._time and missing_s is not None:
            self._time.skip(missing_s)
        self._rate_check.missing(missing_s or 0.0)
        self._gap = self._gap or missing_s is None
        self._sample_rate_hz = 0

    def finish(self) -> list[Piece]:
        """No more comes: the frames that were still held back."""
        pieces = self._begin_with(self._settling) if self._settling and self._settling.held else []
        return pieces + self._framer.drain()

    def close(self) -> None:
        """See Framer.close."""
        self._framer.close()

    def _true_rate_hz(self, count: int, said_hz: int, arrived: Instant) -> int:
        """The rate of these samples: the announced one, unless the measured one differs."""
        if self._true_rates_hz is None or not said_hz:
            return said_hz
        rate_hz = self._true_rates_hz.get(said_hz, said_hz)
        found_hz = self._rate_check.push(count / rate_hz, rate_hz, arrived.monotonic_s)
        if found_hz is None:
            return rate_hz
        log.warning(
            "the source's sample rate is not the one it announces; the measured one is used",
            source=self._source, says_hz=said_hz, delivers_hz=found_hz, before_hz=rate_hz,
        )  # fmt: skip
        self._true_rates_hz[said_hz] = found_hz
        self._rate_check = RateCheck()
        self._gap = self._time is not None
        return found_hz

    def _settle(self, samples: Samples, sample_rate_hz: int, arrived: Instant) -> list[Piece]:
        settling = self._settling
        assert settling is not None
        settling.add(samples, sample_rate_hz, arrived)
        return self._begin_with(settling) if settling.settled(arrived) else []

    def _begin_with(self, settling: "_Settling") -> list[Piece]:
        self._settling = None
        self._time = Timekeeper(settling.start, self._window_s)
        pieces: list[Piece] = []
        for held, rate_hz, at in settling.held:
            pieces += self._follow(held, rate_hz, at)
        return pieces

    def _heard(self, samples: Samples, sample_rate_hz: int, arrived: Instant) -> list[Piece]:
        assert self._time is not None
        duration_s = len(samples) / sample_rate_hz
        restart = arrived.plus(-duration_s) if self._gap else self._time.restart_at(duration_s, arrived)
        if restart:
            self._restart(restart)
        return self._follow(samples, sample_rate_hz, arrived)

    def _restart(self, start: Instant) -> None:
        assert self._time is not None
        moved_s = round((start.wall - self._time.due.wall).total_seconds(), 2)
        (log.debug if self._restarts else log.info)("sound dated anew", source=self._source, moved_s=moved_s)
        self._restarts += 1
        # A source that is dated anew again and again is so because of its drift: two windows must do.
        self._drift_ppm = self._time.drift_ppm(windows=2) or self._drift_ppm
        self._time = Timekeeper(start, self._window_s)
        self._gap = False
        self._sample_rate_hz = 0

    def _follow(self, samples: Samples, sample_rate_hz: int, arrived: Instant) -> list[Piece]:
        assert self._time is not None
        pieces: list[Piece] = []
        if sample_rate_hz != self._sample_rate_hz:
            pieces = self._framer.begin(self._time.due.wall, sample_rate_hz)
            self._sample_rate_hz = sample_rate_hz
        pieces += self._framer.push(samples)
        self._framer.shift(self._time.count(len(samples) / sample_rate_hz, arrived))
        return pieces


class _Settling:
    """The sound of the first moments, until it comes at its own pace."""

    def __init__(self) -> None:
        self.held: list[tuple[Samples, int, Instant]] = []
        self._duration_s = 0.0
        self._start: Instant | None = None
        self._began_s = self._steady_since_s = 0.0

    @property
    def start(self) -> Instant:
        """When its first sample was heard at the latest, as later sound came on time."""
        assert self._start is not None
        return self._start

    def add(self, samples: Samples, sample_rate_hz: int, arrived: Instant) -> None:
        self.held.append((samples, sample_rate_hz, arrived))
        self._duration_s += len(samples) / sample_rate_hz
        start = arrived.plus(-self._duration_s)
        if self._start is None:
            self._start, self._began_s, self._steady_since_s = start, arrived.monotonic_s, arrived.monotonic_s
        if start.monotonic_s < self._start.monotonic_s - _BURST_S:
            self._steady_since_s = arrived.monotonic_s
        if start.monotonic_s < self._start.monotonic_s:
            self._start = start

    def settled(self, now: Instant) -> bool:
        return (
            now.monotonic_s - self._steady_since_s >= SETTLE_S
            or now.monotonic_s - self._began_s >= LONGEST_SETTLE_S
        )
