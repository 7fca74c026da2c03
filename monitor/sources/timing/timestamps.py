"""What a sender's own timestamps are worth: they name holes only while they agree with its sound."""

from collections import deque
from math import inf

SMALLEST_GAP_S = 0.1
"""Timestamps of cheap cameras jitter by less. A gap that is smaller is no gap."""
LONGEST_GAP_S = 30.0
"""A longer hole means that the timestamps were set anew, not that so much sound is missing."""
TRUST_S = 2.0
"""Timestamps are believed after they kept step with the samples for so long. Chosen: below, a lucky second of
a camera that stamps at random is believed; above, a lossy network's holes are seen too late."""
_REMEMBERED_S = 3.0


class Timestamps:
    """Finds holes in the sound of one track by the sender's timestamps. Pure; seconds on any one clock each.

    Cameras stamp in a wrong unit (90 kHz for sound at 8 kHz), at the moment of sending, or with 0-250 ms of
    jitter. A hole counts only when the timestamps kept step with the number of samples before it, and when
    so much time has passed at our end, too: missing sound takes as long as sound. Everything else is the
    sender's mistake, and the sound on both sides of it belongs together.
    """

    def __init__(self, longest_gap_s: float = LONGEST_GAP_S) -> None:
        self._longest_gap_s = longest_gap_s
        self._counted_s = 0.0
        self._stamped: deque[tuple[float, float]] = deque()
        """Count of sound, and by how much the timestamp is ahead of it."""
        self._arrived: deque[tuple[float, float]] = deque()
        """Count of sound, and by how much its arrival is behind it."""
        self._least_s, self._most_s = inf, -inf
        """Between these lie all that is remembered of `_stamped`, and some that is forgotten."""

    def missing_s(self, begins_s: float | None, duration_s: float, arrived_s: float) -> float:
        """How much is missing before this sound, which begins at `begins_s` by the sender's timestamps;
        infinite for an unknown amount."""
        missing_s = 0.0 if begins_s is None else self._hole_s(begins_s, arrived_s)
        if missing_s and missing_s < inf:
            self._counted_s += missing_s
        elif missing_s:
            self._arrived.clear()
        if begins_s is not None:
            _remember(self._stamped, self._counted_s, begins_s - self._counted_s)
        _remember(self._arrived, self._counted_s, arrived_s - self._counted_s)
        self._counted_s += duration_s
        return missing_s

    def lost(self, duration_s: float) -> None:
        """Count sound that is known to be lost before the next sound."""
        self._counted_s += duration_s

    def _hole_s(self, begins_s: float, arrived_s: float) -> float:
        ahead_s = begins_s - self._counted_s
        self._least_s, self._most_s = min(self._least_s, ahead_s), max(self._most_s, ahead_s)
        if self._most_s - self._least_s < SMALLEST_GAP_S:  # in step, as nearly always: nothing to be searched
            return 0.0
        known = [ahead for _, ahead in self._stamped]
        self._least_s, self._most_s = min((*known, ahead_s)), max((*known, ahead_s))
        if self._most_s - self._least_s < SMALLEST_GAP_S:
            return 0.0
        trusted = self._stamped[-1][0] - self._stamped[0][0] >= TRUST_S and max(known) - min(known) < (
            SMALLEST_GAP_S
        )
        hole_s = ahead_s - known[-1]
        late_s = arrived_s - self._counted_s - min(late for _, late in self._arrived)
        is_hole = SMALLEST_GAP_S <= hole_s <= self._longest_gap_s
        if trusted and is_hole and hole_s <= late_s + SMALLEST_GAP_S:
            return hole_s
        self._least_s, self._most_s = ahead_s, ahead_s
        self._stamped.clear()
        # The sender began anew. Sound was lost over it only if time was lost as well.
        return inf if trusted and not is_hole and late_s >= SMALLEST_GAP_S else 0.0


def _remember(points: deque[tuple[float, float]], counted_s: float, value: float) -> None:
    points.append((counted_s, value))
    while counted_s - points[0][0] > _REMEMBERED_S:
        points.popleft()
