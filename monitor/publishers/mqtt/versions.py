"""Which version of MQTT is spoken to a broker, and what is asked of it. Decisions; no sockets."""

from dataclasses import replace
from typing import Literal

from monitor.publishers.mqtt.news import Ended, MqttVersion, Terms

SILENCES_S = (2.0, 3.0, 5.0)
"""How long each try of version 5 waits to be accepted. After all of them 3.1.1 is tried: some brokers
that know no version 5 answer it with silence. A single one may come from a broker that is just slow."""
PATIENCE_S = 10.0
"""How long the last version is waited for."""

_GUESSES = (Terms(), Terms(), Terms(retain=False), Terms(qos=0), Terms(retain=False, qos=0))
"""What is asked of a broker of 3.1.1 that hangs up, in turn: it has no way to name what it does not take.
Twice everything first: a broker that starts hangs up once on anybody."""


class Versions:
    """Version 5 first, at every new connection: it alone says what was refused, and that nobody subscribes.
    3.1.1 when the broker refuses 5, or after three tries of 5 without an answer; after one, at a broker that
    has taken 3.1.1 before and never 5. All that a broker can take is asked for first, too. One thread."""

    def __init__(self, version: MqttVersion | Literal["auto"]) -> None:
        self.current: MqttVersion = "3.1.1" if version == "3.1.1" else "5"
        self._fixed = version != "auto"
        self._silences = 0
        self._has_taken: set[MqttVersion] = set()
        self._terms_of_5 = Terms()
        self._hang_ups = 0
        self._accepted = False

    @property
    def terms(self) -> Terms:
        """What to ask of the broker at the next connection."""
        return self._terms_of_5 if self.current == "5" else _GUESSES[self._hang_ups % len(_GUESSES)]

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
        self._accepted = True

    def ended(self, ended: Ended) -> bool:
        """The connection is over: whether the next is to be tried at once."""
        if self._accepted:
            self._accepted, self._hang_ups, self._terms_of_5 = False, 0, Terms()
        if ended.kind == "retain" or ended.kind == "qos":
            self._ask_less(ended.kind)
            return True
        if self.current == "3.1.1" and ended.kind == "hung up":
            self._hang_ups += 1
        return not self._fixed and self._another(ended)

    def _ask_less(self, refused: Literal["retain", "qos"]) -> None:
        terms = self._terms_of_5
        self._terms_of_5 = replace(terms, retain=False) if refused == "retain" else replace(terms, qos=0)

    def _another(self, ended: Ended) -> bool:
        """Choose the next version: whether it is to be tried at once."""
        if self.current == "3.1.1":
            self._begin_again()
            return False
        if ended.kind == "version":
            self.current = "3.1.1"
            return True
        if ended.kind in ("silent", "hung up"):
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
