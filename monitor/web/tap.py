"""Between the daemon and its record: the page sees what the record is given, and nobody waits for it."""

from datetime import datetime
from typing import Protocol

from monitor.audio import Piece
from monitor.config.model import Config
from monitor.types import Findings, Message


class Recorder(Protocol):
    """What keeps a history."""

    def follow(self, config: Config) -> None:
        """Another configuration is in force."""

    def remember(self, piece: Piece) -> bool:
        """The next frames of a source, in its capture thread; whether they are waited for."""

    def heard(self, heard: Findings, now: datetime) -> None:
        """What classifiers and detectors found."""

    def decided(self, message: Message, now: datetime) -> None:
        """What was made of it. The decider's thread."""


class Onlooker(Protocol):
    """What is shown to whoever looks. Never waits, never raises."""

    def follow(self, config: Config) -> None:
        """Another configuration is in force."""

    def hear(self, piece: Piece) -> bool:
        """The next frames of a source, in its capture thread; whether somebody looks or listens now."""

    def decided(self, message: Message, now: datetime) -> None:
        """For the feed. The decider's thread."""


class Tap:
    """Stands in for the record. Each method is called in the thread in which the record expects it."""

    def __init__(self, record: Recorder, onlooker: Onlooker) -> None:
        self._record = record
        self._onlooker = onlooker

    def follow(self, config: Config) -> None:
        """Other rules and thresholds are in force."""
        self._record.follow(config)
        self._onlooker.follow(config)

    def remember(self, piece: Piece) -> bool:
        """The next frames of a source; whether somebody looks at it, so that no sound may wait for more."""
        waited_for = self._record.remember(piece)
        return self._onlooker.hear(piece) or waited_for

    def heard(self, heard: Findings, now: datetime) -> None:
        """What classifiers made of a stretch."""
        self._record.heard(heard, now)

    def decided(self, message: Message, now: datetime) -> None:
        """What was decided."""
        self._record.decided(message, now)
        self._onlooker.decided(message, now)
