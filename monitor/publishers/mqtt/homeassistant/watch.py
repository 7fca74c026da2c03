"""When Home Assistant is greeted, what waits for that, and what it may have missed. No sockets."""

import random
import threading
from datetime import datetime
from typing import Any

from monitor.logs import get_logger
from monitor.publishers.mqtt.homeassistant.presence import Presence

log = get_logger()

SETTLE_S = 1.0
"""What Home Assistant takes to make entities of our documents; an event before that finds nobody."""
BIRTH_PAUSE_S = (0.1, 0.6)
"""On its birth everybody speaks at once; a random moment later it has time to listen."""


class HomeAssistantWatch:
    """Alerts wait for nothing: one sent before our documents were read is noted, to be sent again. Events
    wait until then. Called in the connection's thread, but for `lost_since` and `figures`: any thread."""

    def __init__(self, publisher: str) -> None:
        self._publisher = publisher
        self._presence = Presence()
        self._lock = threading.Lock()
        self._lost_since: datetime | None = None
        self._settles_at_s: float | None = None
        self._greets_at_s: float | None = None
        self._has_settled = False
        self._knows_us = False
        self._early: datetime | None = None

    def connected(self, now: datetime, now_s: float) -> None:
        """A new connection to the broker."""
        self._note(self._presence.connected(now))
        if not self._has_settled:
            self._settles_at_s = now_s + SETTLE_S

    def waits(self, now_s: float) -> None:
        """Documents do not go out yet."""
        self._settles_at_s = max(self._settles_at_s or 0.0, now_s + SETTLE_S)
        self._has_settled = False

    def is_new(self) -> None:
        """Home Assistant has no entity of our alerts: they go out under other ids than before."""
        self._knows_us = False

    def found_us(self) -> None:
        """The broker has kept our document: Home Assistant has the entity of our alerts already."""
        self._knows_us = True

    def heard(self, payload: bytes, now: datetime, now_s: float, *, retained: bool) -> None:
        """Home Assistant's status."""
        was_here = self._presence.here
        since = self._presence.heard(payload, now, retained=retained)
        if since is not None and self._greets_at_s is None:
            log.info("home assistant is back", publisher=self._publisher)
            self._greets_at_s = now_s + random.uniform(*BIRTH_PAUSE_S)  # noqa: S311
            self._settles_at_s = self._greets_at_s + SETTLE_S
        self._note(since)
        if was_here and not self._presence.here:
            log.info(
                "home assistant is offline; alerts are sent now and again when it is back",
                publisher=self._publisher,
                retained=retained,
            )

    def greets(self, now_s: float) -> bool:
        """Whether everything is to be announced anew now; True once after each birth."""
        if self._greets_at_s is None or now_s < self._greets_at_s:
            return False
        self._greets_at_s = None
        return True

    def settles(self, now_s: float) -> bool:
        """Whether what was announced has just had time to be read; True once each time."""
        if self._settles_at_s is None or now_s < self._settles_at_s:
            return False
        self._settles_at_s, self._has_settled = None, True
        if not self._knows_us:
            self._note(self._early)
        self._early, self._knows_us = None, True
        return True

    @property
    def settled(self) -> bool:
        """Whether what was announced has had time to be read."""
        return self._settles_at_s is None

    def sent_alert(self, now: datetime) -> None:
        """An alert has gone out; nobody may have had an entity for it."""
        if not self._has_settled:
            self._early = self._early or now

    def next_s(self, now_s: float) -> float:
        """How long until there is something to do; 1 s at most."""
        times_s = (self._greets_at_s, self._settles_at_s)
        return min([at_s - now_s for at_s in times_s if at_s is not None and at_s > now_s] + [1.0])

    def lost_since(self) -> datetime | None:
        """See `Publisher.lost_since`; once it can be heard."""
        with self._lock:
            if not self.settled:
                return None
            since, self._lost_since = self._lost_since, None
            return since

    def figures(self, now: datetime) -> dict[str, Any]:
        """What Home Assistant published of itself last, how long ago, and whether the broker had kept it."""
        return self._presence.figures(now)

    def _note(self, since: datetime | None) -> None:
        if since is not None:
            with self._lock:
                self._lost_since = min(since, self._lost_since or since)
