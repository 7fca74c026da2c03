"""Whether another client uses our client id: two daemons push each other off the broker, for ever.

Decisions; no sockets.
"""

from dataclasses import replace

from monitor.publishers.mqtt.news import Ended

TWIN_S = 15.0
"""A broker that keeps us for longer than this has no twin of ours: it comes back within seconds."""
TWIN_LOSSES = 3
"""So many connections on end that were taken and cut off within `TWIN_S`: another client has our name."""


class Twins:
    """Counts connections that were cut off while nothing was on its way: with something on its way the broker
    may have minded that, most of all its size (`suspects`). `note` from any thread; the rest from one."""

    def __init__(self, client_id: str) -> None:
        self._fix = f"does another daemon use the client id {client_id}? give each its own `node`"
        self._times = 0

    @property
    def note(self) -> str:
        """What is wrong, for the health report; empty while nothing is."""
        if self._times < TWIN_LOSSES:
            return ""
        return f"the broker cuts us off within seconds, {self._times} times so far; {self._fix}"

    def lasts(self, seconds: float) -> None:
        """A connection that was taken goes on."""
        if seconds > TWIN_S:
            self._times = 0

    def ended(self, ended: Ended, lasted_s: float, *, was_taken: bool, was_idle: bool) -> Ended:
        """A connection is over: with the likely reason where the broker gives none."""
        if not was_taken or ended.kind != "lost" or lasted_s > TWIN_S:
            self._times = 0
        elif was_idle:
            self._times += 1
        if self._times < TWIN_LOSSES:
            return ended
        return replace(
            ended, reason=f"{ended.reason}; {self._times} times within seconds of taking us: {self._fix}"
        )
