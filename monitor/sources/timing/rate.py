"""Does a source deliver as many samples a second as it announces?"""

from collections import deque
from statistics import fmean

WINDOW_S = 3.0
"""Jitter of a network is up to 0.25 s, a twelfth of this."""
PAUSE_S = 1.0
"""After a pause of this length counting begins anew: what follows may be a backlog."""
USUAL_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
OFF_BY = 0.05
"""A rate that is wrong by less is a clock that drifts, which is followed without this. The nearest usual
rates (44.1 and 48 kHz) are 9 % apart."""
NEAR = 0.03
MICROPHONE_MOST_HZ = 192_000
"""No microphone delivers more: such a source sends more than time passes, see `Surplus`."""
_AGREEING = 3
_MOST_WINDOWS = 20


class RateCheck:
    """Compares the length of what was delivered with the time in which it came. Pure; seconds.

    Three windows of 3 s that agree are enough to find a usual rate; one that nobody uses must hold for a
    minute.
    """

    def __init__(self) -> None:
        self._ratios: deque[float] = deque(maxlen=_MOST_WINDOWS)
        self._began_s: float | None = None
        self._last_s = 0.0
        self._counted_s = 0.0

    def push(self, duration_s: float, sample_rate_hz: int, arrived_s: float) -> int | None:
        """More sound, by the length it has at the rate that is taken for true: the rate that is true
        instead, once that is certain."""
        if self._began_s is None or arrived_s - self._last_s > PAUSE_S:
            self._began_s, self._counted_s = arrived_s, 0.0
            self._ratios.clear()
        else:
            self._counted_s += duration_s
        self._last_s = arrived_s
        elapsed_s = arrived_s - self._began_s
        if elapsed_s < WINDOW_S:
            return None
        self._ratios.append(self._counted_s / elapsed_s)
        self._began_s, self._counted_s = arrived_s, 0.0
        return self._found(sample_rate_hz)

    def missing(self, duration_s: float) -> None:
        """Count sound that was sent and did not arrive."""
        self._counted_s += duration_s

    def _found(self, sample_rate_hz: int) -> int | None:
        """`_AGREEING` windows that differ little, ten that differ by jitter, or a whole minute of them."""
        ratios = list(self._ratios)
        for count, spread in ((_AGREEING, 0.03), (10, 0.15), (_MOST_WINDOWS, 0.15)):
            latest = ratios[-count:]
            ratio = fmean(latest)
            if len(latest) < count or any(abs(each / ratio - 1) > spread for each in latest if ratio):
                continue
            if abs(ratio - 1) < OFF_BY or not 0.1 < ratio < 10:
                continue
            usual = min(USUAL_RATES_HZ, key=lambda rate_hz: abs(rate_hz / (sample_rate_hz * ratio) - 1))
            if abs(usual / (sample_rate_hz * ratio) - 1) < NEAR:
                return usual
            if count == _MOST_WINDOWS and sample_rate_hz * ratio <= MICROPHONE_MOST_HZ:
                return round(sample_rate_hz * ratio)
        return None


SURPLUS_WINDOW_S = 10.0
"""A server may begin with what it has kept, of HLS half a minute: one or two windows of this length."""
SURPLUS = 1.5
"""Below this it is a rate that is wrong by less than any two usual ones, or a backlog that is caught up."""
_WINDOWS_IN_A_ROW = 3


class Surplus:
    """Does a source deliver more sound than time passes, for longer than any backlog lasts? It plays a
    recording, or its clock is wrong; the machine is not to blame for what it cannot follow. Pure; seconds."""

    def __init__(self) -> None:
        self.times = 1.0
        """How many seconds of sound come in a second, at least; 1 while that is usual."""
        self._began_s: float | None = None
        self._counted_s = 0.0
        self._latest: deque[float] = deque(maxlen=_WINDOWS_IN_A_ROW)

    def push(self, duration_s: float, arrived_s: float) -> None:
        """So much more sound."""
        if self._began_s is None:
            self._began_s = arrived_s
        self._counted_s += duration_s
        elapsed_s = arrived_s - self._began_s
        if elapsed_s < SURPLUS_WINDOW_S:
            return
        self._latest.append(self._counted_s / elapsed_s)
        self._began_s, self._counted_s = arrived_s, 0.0
        times = min(self._latest)
        self.times = times if len(self._latest) == _WINDOWS_IN_A_ROW and times > SURPLUS else 1.0
