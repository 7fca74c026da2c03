"""Which version of MQTT is spoken to a broker. Decisions; no sockets."""

from typing import Literal

from monitor.publishers.mqtt.news import Ended, Version

SILENCES_S = (2.0, 3.0, 5.0)
"""How long each try of version 5 waits to be accepted. After all of them 3.1.1 is tried: some brokers
that know no version 5 answer it with silence. A single one may come from a broker that is just slow."""
PATIENCE_S = 10.0
"""How long the last version is waited for."""


class Versions:
    """Version 5 first, at every new connection: it alone says what was refused, and that nobody subscribes.
    3.1.1 when the broker refuses 5, or after three tries of 5 without an answer; after one, at a broker that
    has taken 3.1.1 before and never 5. One thread."""

    def __init__(self, version: Version | Literal["auto"]) -> None:
        self.current: Version = "3.1.1" if version == "3.1.1" else "5"
        self._fixed = version != "auto"
        self._silences = 0
        self._has_taken: set[Version] = set()

    @property
    def is_last(self) -> bool:
        """Whether no other is tried after it."""
        return self._fixed or self.current == "3.1.1"

    @property
    def patience_s(self) -> float:
        """How long to wait for the broker's acceptance."""
        return PATIENCE_S if self.is_last else SILENCES_S[self._silences]

    def accepted(self) -> None:
        """The broker speaks it."""
        self._has_taken.add(self.current)
        self._silences = 0

    def ended(self, ended: Ended) -> bool:
        """The connection is over: whether the next is to be tried at once."""
        if self._fixed:
            return False
        if self.current == "3.1.1":
            self._begin_again()
            return False
        if ended.kind == "version":
            self.current = "3.1.1"
            return True
        if ended.kind == "unanswered":
            self._silences += 1
            if self._silences >= self._tries:
                self.current = "3.1.1"
            return True
        self._silences = 0
        return False

    @property
    def _tries(self) -> int:
        return 1 if self._has_taken == {"3.1.1"} else len(SILENCES_S)

    def _begin_again(self) -> None:
        self.current = "5"
        self._silences = 0
