"""What is kept of a night: scores and decisions for days, clips and pictures where they are wanted."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from typing import Self

from monitor.audio import Piece
from monitor.clock import Clock
from monitor.config.capabilities import thresholds, unloaded
from monitor.config.model import Config
from monitor.drill.runner import DrillRunner
from monitor.errors import StoreError
from monitor.events.settings import shifted
from monitor.evidence.keeper import EvidenceKeeper
from monitor.evidence.privacy import HearsVoice
from monitor.gate.voice import VoiceDetector
from monitor.history.answers import Answers
from monitor.history.best_looks import BestLooks
from monitor.history.digest.daily import DailyDigest
from monitor.history.habits import KeptHabits
from monitor.history.reader import History
from monitor.history.verdicts import Verdicts
from monitor.history.writer import PATIENCE_S, ScoreStore
from monitor.patience import Patience
from monitor.store.believed_time import BelievedTime
from monitor.types import (
    Alert,
    Command,
    Findings,
    Message,
    Picture,
    Setting,
    SoundEvent,
    SoundLevel,
    SourceStatus,
)

SCORES = "scores.db"
"""In the state folder: what `earwitness explain` and `replay` read."""


class Recorder:
    """Takes in frames, what was heard, and what was decided; each from its own thread, none of which waits
    for a disk. `tend` does, and belongs to a thread of its own."""

    def __init__(self, config: Config, clock: Clock) -> None:
        folder = config.state_folder()
        self._config, self._clock = config, clock
        self._began_at = clock.now()
        keep_s = config.history_days * 86400
        self._best = BestLooks(config)
        self._believed = BelievedTime(folder, clock)
        self._scores = ScoreStore(
            folder / SCORES, clock, keep_s=keep_s, best=self._best, believed_now=self._believed.now
        )
        self._evidence = EvidenceKeeper(
            config.evidence, folder / "evidence", _new_detector, self._believed.now
        )
        self._keeps_scores = config.history_days > 0
        self.verdicts = Verdicts(folder, clock)
        self.answers = Answers(self.verdicts, folder / SCORES, clock)
        self.habits = KeptHabits(folder, [source.name for source in config.sources])
        self.drill = DrillRunner(folder, [one.name for one in config.sources if one.enabled], clock)
        self._digest = config.digest and DailyDigest(
            config.digest, folder, folder / SCORES, [one.name for one in config.sources if one.enabled],
            self.verdicts, self.drill.figures, clock,
        )  # fmt: skip
        self._life = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as life:
            if self._keeps_scores:
                life.enter_context(self._scores)
            life.enter_context(self.verdicts)
            life.enter_context(self._evidence)
            self._life = life.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._life.close()

    def heard_until(self, left: Sequence[SoundEvent], settings: Iterable[Setting]) -> dict[str, datetime]:
        """By id: until when an earlier run heard what it could not end. Waits a second at most for the disk;
        what is not known is left out. From any thread."""
        found: dict[str, datetime] = {}
        if left and self._keeps_scores:
            with suppress(StoreError):
                work = partial(self._look_back, left, tuple(settings))
                found = Patience("history", PATIENCE_S).do(work)
        return found

    def _look_back(self, left: Sequence[SoundEvent], settings: Iterable[Setting]) -> dict[str, datetime]:
        known = thresholds(self._config, unloaded(self._config)[0])
        turned = {one.source: float(one.value) for one in settings if one.name == "sensitivity"}
        with History(self._config.state_folder() / SCORES, patience_s=PATIENCE_S) as history:
            return {
                one.id: history.heard_until(
                    one, shifted(row, turned.get(one.source, 0.0)).off, self._began_at
                )
                for one in left
                if (row := known.of(one.source).get(one.label))
            }

    def notes(self) -> dict[str, str]:
        """What is not being kept, for the health report; from any thread."""
        fault = self._scores.fault
        history = {"history": f"nothing is kept of what is heard: {fault}"} if fault else {}
        return history | self._believed.notes()

    def follow(self, config: Config) -> None:
        """Other thresholds are in force from now on; from any thread."""
        self._best.follow(config)

    def remember(self, piece: Piece) -> bool:
        """The next frames of a source; in that source's thread. Whether they are waited for: here never."""
        self._evidence.push(piece)
        self.drill.push(piece)
        return False

    def heard(self, heard: Findings, now: datetime) -> None:
        """What classifiers made of a stretch, and the decider's `now` with it, UTC; from any thread."""
        self._evidence.hear(heard)
        if self._keeps_scores:
            self._scores.hear(heard, now)

    def decided(self, message: Message, now: datetime) -> None:
        """What was decided; in the decider's thread."""
        if isinstance(message, SoundEvent):
            self._evidence.note(message)
        self.drill.decided(message)
        if self._keeps_scores and isinstance(message, SoundEvent | Alert | SourceStatus | Setting):
            self._scores.post(message, now)
        if self._keeps_scores and isinstance(message, SoundLevel):
            self._scores.measured(message)

    def due(self, failed: Callable[[BaseException], None]) -> list[Command | Alert]:
        """What is for the decider now: a drill that was asked for, the day's summary. In a thread that may
        wait for a disk; a bug in the drill's own thread reaches `failed`."""
        digest = self._digest.due() if self._digest else None
        return [*self.drill.tend(failed), *([digest] if digest else [])]

    def tend(self, *, last: bool = False) -> list[Picture]:
        """Write what waits, make the clips that are due, let go what is old: the new pictures. The
        `last` time, clips are made of what there is."""
        self._believed.tend(last=last)
        if self._keeps_scores:
            self._scores.flush()
        self.habits.tend(self._clock.monotonic_s(), last=last)
        kept = self._evidence.due(self._clock.now(), last=last)
        return [
            Picture(one.event.source, one.event.id, one.event.label, one.picture)
            for one in kept
            if one.picture is not None
        ]


def _new_detector() -> HearsVoice:
    return VoiceDetector().hears_voice
