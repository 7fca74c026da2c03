"""When a fault is raised and when it is cleared."""

from monitor.audio import FRAME_S

_RETURNS_WITHIN_S = 3600.0
"""A fault that returns within this time doubles its clear time. Chosen: an hour, so that a source that is bad
for an evening raises a few problems and not hundreds, and a fault of yesterday has no effect."""
_LONGEST_CLEAR_S = 1800.0
"""Upper limit of the doubled clear time. Chosen: with more, a microphone that was repaired would be shown as
faulty for hours."""


class LeakyBucket:
    """A leaky bucket: it fills while a fault shows, and leaks while it does not. The fault is raised when the
    bucket is full (`raise_after_s`) and cleared when it is empty (`clear_after_s` without the fault).

    A fault that recurs within 1 h doubles its clear time, up to 30 min: a source that is faulty twice a
    minute is raised once. Raising takes as long as the first time."""

    def __init__(self, raise_after_s: float, clear_after_s: float) -> None:
        self.raise_after_s = raise_after_s
        """May be changed at any time: the bucket stays as full as it is."""
        self._first_clear_s = self._clear_s = clear_after_s
        self._filled = 0.0
        """0, empty, to 1, full."""
        self._cleared_at_frame: int | None = None
        self.raised = False

    @property
    def leaking(self) -> bool:
        """Whether the bucket holds anything: frames without the fault then still count."""
        return self._filled > 0

    def push(self, faulty: bool, frame: int) -> None:
        """Count one frame of 30 ms. `frame` is its number; frames left out change nothing."""
        clear_s = self._clear_s if self.raised else self._first_clear_s
        step = FRAME_S / self.raise_after_s if faulty else -FRAME_S / clear_s
        self._filled = min(1.0, max(0.0, self._filled + step))
        if not self.raised and self._filled >= 1 - FRAME_S / 2 / self.raise_after_s:
            self._raise(frame)
        elif self.raised and self._filled == 0:
            self.raised, self._cleared_at_frame = False, frame

    def _raise(self, frame: int) -> None:
        self.raised = True
        self._filled = 1.0
        cleared_at = self._cleared_at_frame
        returned = cleared_at is not None and (frame - cleared_at) * FRAME_S < _RETURNS_WITHIN_S
        longest_s = max(_LONGEST_CLEAR_S, self._first_clear_s)
        self._clear_s = min(2 * self._clear_s, longest_s) if returned else self._first_clear_s
