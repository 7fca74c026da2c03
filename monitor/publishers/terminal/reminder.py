"""When to remind that something is still wrong."""

FIRST_S = 60.0
LONGEST_S = 3600.0


class Reminder:
    """Due a minute after it began, then twice as long after each time, at most an hour apart: whoever looks
    at the screen sees it, and a lost night is a dozen lines."""

    def __init__(self, since_s: float, first_s: float = FIRST_S) -> None:
        self.since_s = since_s
        self._next_s = since_s + first_s
        self._wait_s = first_s

    def due(self, now_s: float) -> bool:
        """Whether it is time; true once for each time."""
        if now_s < self._next_s:
            return False
        self._wait_s = min(2 * self._wait_s, LONGEST_S)
        self._next_s = now_s + self._wait_s
        return True
