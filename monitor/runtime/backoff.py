"""How long to wait before the next attempt."""

import random


class Backoff:
    """Doubling waits between two bounds with +-20 % jitter, so that ten cameras do not knock together."""

    def __init__(self, first_s: float, longest_s: float, rng: random.Random | None = None) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing

    def next_s(self) -> float:
        """The wait before the coming attempt; the one after it will be longer."""
        wait_s = self._next_s
        self._next_s = min(self._next_s * 2, self._longest_s)
        return wait_s * self._rng.uniform(0.8, 1.2)

    def reset(self) -> None:
        """It worked: begin again with the shortest wait."""
        self._next_s = self._first_s
