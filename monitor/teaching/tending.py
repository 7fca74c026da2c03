"""What teaching has to do in a running daemon: vetoes as people have judged, and at night a look for what
keeps coming without a name."""

import os
import pickle
import subprocess
import sys
from datetime import datetime, time
from typing import Any

from monitor.classifiers.taught.veto import VetoBook
from monitor.clock import Clock, next_at
from monitor.config.model import Config
from monitor.errors import StoreError
from monitor.history.recorder import SCORES
from monitor.history.verdicts import Verdicts
from monitor.logs import get_logger
from monitor.teaching.taught.lesson import embedded_block
from monitor.teaching.taught.naming import Naming, read_naming
from monitor.teaching.versions import KeptVersions, versions_of
from monitor.teaching.vetoes import of_verdicts

log = get_logger()

EVERY_S = 60.0
"""A verdict may count a minute later; a fit of hundreds takes a moment of the disk's thread."""


AT_NIGHT = time(3, 30)
"""Of the house: least is heard then, and nobody waits for anything."""
LONGEST_S = 1800.0
"""What the night's look may take on a board that is busy; then it is given up."""
NICE = 19
"""A seventieth of the weight of whoever hears; at night the board is idle, and it takes seconds."""
QUESTION_EVERY_S = 10.0
"""So often it is looked whether somebody has answered."""


class Tending:
    """Everything of that. Belongs to a thread that may wait for a disk; `question` may be asked from any."""

    def __init__(self, config: Config, verdicts: Verdicts, clock: Clock) -> None:
        self._config, self._clock, self._has_begun = config, clock, False
        self._vetoes = KeptVetoes(verdicts, config.taught.vetoes, clock)
        self._versions = KeptVersions(config.state_folder())
        self._night = Night(config, clock)

    def tend(self, *, last: bool = False) -> None:
        """What is due."""
        if not self._has_begun:
            self._has_begun = True
            self._versions.note(versions_of(self._config), self._clock.now())
        self._versions.tend()
        self._vetoes.tend()
        self._night.tend(last=last)

    def question(self) -> dict[str, Any] | None:
        """The open question, for health: what came how often, where and when."""
        return self._night.question


class Night:
    """Runs the look in a process of its own, which everybody else goes before."""

    def __init__(self, config: Config, clock: Clock, nice: int = NICE) -> None:
        self._config = config
        self._nice = nice
        self._clock = clock
        self._folder = config.state_folder()
        self._process: subprocess.Popen[bytes] | None = None
        self._due_at: datetime | None = None
        self._given_up_at_s = self._read_at_s = 0.0
        self.question: dict[str, Any] | None = None

    def tend(self, *, last: bool = False) -> None:
        """Begin, end or give up."""
        if self._process is not None:
            self._look_after(self._process, last=last)
            return
        now_s = self._clock.monotonic_s()
        if last or now_s < self._read_at_s or not self._has_something_to_do():
            return
        self._read_at_s = now_s + QUESTION_EVERY_S
        naming = read_naming(self._folder)
        self.question = _shown(naming)
        now = self._clock.now()
        if self._due_at is None or self._due_at > next_at(now, AT_NIGHT):  # the clock was ahead then
            self._due_at = next_at(min(naming.looked_at or now, now), AT_NIGHT)
        if now >= self._due_at:
            self._begin()

    def _has_something_to_do(self) -> bool:
        keeps = self._config.history_days > 0 and (self._folder / SCORES).exists()
        return keeps and embedded_block(self._config) is not None

    def _begin(self) -> None:
        self._due_at = next_at(self._clock.now(), AT_NIGHT)
        self._given_up_at_s = self._clock.monotonic_s() + LONGEST_S
        command = [sys.executable, "-m", "monitor.teaching.taught.nightly", str(self._nice)]
        paths = os.pathsep.join(place for place in sys.path if place)
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}
            )
        except OSError as error:
            log.warning("the nightly search cannot begin", why=str(error))
            return
        assert process.stdin is not None
        try:
            with process.stdin as pipe:
                pipe.write(pickle.dumps(self._config))
        except BrokenPipeError:
            log.warning("the nightly search ended before it began")
        self._process = process

    def _look_after(self, process: "subprocess.Popen[bytes]", *, last: bool) -> None:
        if process.poll() is None and (last or self._clock.monotonic_s() >= self._given_up_at_s):
            process.kill()
            process.wait()
        if process.poll() is not None:
            self._process, self._read_at_s = None, 0.0


def _shown(naming: Naming) -> dict[str, Any] | None:
    question = naming.question
    if question is None:
        return None
    shown = question.model_dump(include={"id", "times", "days", "hour", "source"})
    return {**shown, "last_at": question.last_at.isoformat()}


class KeptVetoes:
    """Belongs to a thread that may wait for a disk. Never raises for one: the vetoes in force stay."""

    def __init__(self, verdicts: Verdicts, book: VetoBook | None, clock: Clock) -> None:
        self._verdicts = verdicts
        self._book = book
        self._clock = clock
        self._seen: tuple[int, int] | None = None
        self._due_s = 0.0

    def tend(self) -> None:
        """Learn anew where somebody has judged since the last time."""
        if self._book is None or self._clock.monotonic_s() < self._due_s:
            return
        self._due_s = self._clock.monotonic_s() + EVERY_S
        try:
            seen = self._verdicts.judged_count()
            if seen == self._seen:
                return
            found = of_verdicts(self._verdicts)
        except StoreError:  # the verdicts themselves log that
            return
        self._seen = seen
        if frozenset(one.label for one in found) != self._book.labels:
            log.info(
                "sounds like those often called wrong are now only suspected",
                labels=[one.label for one in found],
            )
        self._book.exchange(found)
