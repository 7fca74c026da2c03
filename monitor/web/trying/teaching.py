"""A sound of the house's own, taught from what was heard: lines of JSON, `{"progress": 0-1, "hearing": id,
"left_out": why}` for each hearing, and at last `{"taught": …, "kept": …}` or `{"refused": why}`, both with
`odd`: the hearings that are unlike the others."""

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.audio import Audio
from monitor.classifiers.taught.sound import TaughtSound
from monitor.config.model import Config
from monitor.errors import StoreError
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.web.trying.child import Write, line

if TYPE_CHECKING:
    from monitor.teaching.taught.lesson import Gathered


@dataclass(frozen=True, slots=True)
class Teaching:
    """What is taught, and whether it is kept."""

    config: Config
    label: str
    hearings: tuple[str, ...]
    """Ids of events, or of sounds that were none."""
    false_a_week: float
    only_try: bool
    more: bool
    """To those that it was taught from before."""
    now: datetime

    def work(self, write: Write) -> None:
        """Teach. Raises StoreError or ModelError. What it takes is imported here: the daemon itself needs
        none of it."""
        from monitor.config.taught import write_taught
        from monitor.teaching.taught.learning import NotTaught
        from monitor.teaching.taught.lesson import Teacher, gathered, taught_before, teach
        from monitor.teaching.taught.naming import was_taught

        folder, teacher = self.config.state_folder(), Teacher(self.config)

        def progress(one: "Gathered") -> None:
            share = round(0.9 * one.position / one.of, 2)
            write(line({"progress": share, "hearing": one.name, "left_out": one.left_out}))
            sys.stdout.flush()

        with History(folder / SCORES) as history, history.rows() as rows:
            heard = gathered(self.hearings, rows, teacher, _no_recording, progress)
            if isinstance(heard, NotTaught):
                write(line({"refused": heard.reason, "odd": []}))
                return
            households = teacher.households
            before = taught_before(self.config, self.label, households.model) if self.more else []
            lesson = teach(self.label, [*before, *heard], rows, households, self.now, self.false_a_week)
        if isinstance(lesson.found, NotTaught):
            write(line({"refused": lesson.found.reason, "odd": lesson.odd}))
            return
        if not self.only_try:
            write_taught(folder, lesson.found)
            was_taught(folder, self.hearings, self.label, self.now)
        write(line({"taught": plain(lesson.found, self.now), "kept": not self.only_try, "odd": lesson.odd}))


def plain(sound: TaughtSound, now: datetime) -> dict[str, Any]:
    """A taught sound and what to expect of it; times in UTC."""
    expected, until = sound.expected, sound.learning_until
    return {
        "label": sound.label,
        "taught_at": sound.taught_at.isoformat(),
        "learning_until": until.isoformat() if sound.is_learning(now) else None,
        "heard": expected.heard,
        "of": expected.of,
        "false_a_week": expected.false_a_week,
        "false_at_most": expected.false_at_most,
        "background_hours": expected.background_hours,
        "weak_at": list(expected.weak_at),
        "came_before": expected.came_before,
        "rhythm": None
        if (rhythm := sound.rhythm) is None
        else {
            "beeps": [{"at_s": at_s, "on_s": on_s, "pitch_hz": hz} for at_s, on_s, hz in rhythm.beeps],
            "shared": rhythm.shared,
            "of": rhythm.of,
        },
    }


def _no_recording(path: Path) -> Audio:
    """From the page nobody names a file of this machine."""
    raise StoreError(f"{path.name}: no event has this id")
