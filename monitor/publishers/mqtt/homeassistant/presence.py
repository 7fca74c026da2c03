"""Whether Home Assistant is there, by its birth and will. Decisions; no sockets."""

from datetime import datetime, timedelta
from typing import Any

_UNSEEN_LOSS = timedelta(seconds=120)
"""Home Assistant may be gone this long before its broker notices (its keep-alive is 60 s)."""
_LONGEST_START = timedelta(minutes=10)
"""After a power cut we are up long before Home Assistant is."""


class Presence:
    """Whether Home Assistant is there to hear, by its birth and last will (`<discovery_prefix>/status`).

    It connects with a clean session and throws away what was sent while it restarted. As long as it has
    published nothing on this connection, it counts as being there.
    """

    def __init__(self) -> None:
        self.here = True
        self._left_at: datetime | None = None
        self._unknown_since: datetime | None = None
        self._status: tuple[str, datetime, bool] | None = None

    def connected(self, now: datetime) -> datetime | None:
        """A new connection: it may have come or gone unseen. If it was away: the time since when what we
        sent may have been lost, for its return may be what we missed."""
        self.here = True
        left_at, self._left_at = self._left_at, None
        self._unknown_since = now
        return left_at - _UNSEEN_LOSS if left_at else None

    def heard(self, payload: bytes, now: datetime, *, retained: bool) -> datetime | None:
        """Take in a status. On a birth: the time since when what we sent may have been lost. A retained
        `online` is old news and no birth."""
        if payload in (b"offline", b"online"):
            self._status = payload.decode(), now, retained
        if payload == b"offline":
            self.here = False
            self._left_at = self._left_at or now
        elif payload == b"online":
            self.here = True
            if not retained:
                return self._lost_since(now) - _UNSEEN_LOSS
        return None

    def figures(self, now: datetime) -> dict[str, Any]:
        """Its last status, the seconds since it came, and its origin: `live`, or `retained`, which the broker
        had kept and may be years old. MQTT does not show who published it."""
        if self._status is None:
            return {"status": "unknown"}
        status, at, retained = self._status
        age_s = round((now - at).total_seconds(), 1)
        return {"status": status, "age_s": age_s, "origin": "retained" if retained else "live"}

    def _lost_since(self, now: datetime) -> datetime:
        """When it left, or when we lost sight of it, or just now."""
        left_at, self._left_at = self._left_at, None
        unknown_since, self._unknown_since = self._unknown_since, None
        if left_at is None and unknown_since is not None and now - unknown_since < _LONGEST_START:
            return unknown_since
        return left_at or now
