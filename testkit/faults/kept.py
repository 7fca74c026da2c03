"""A process that keeps all that a house has taught and must know again after a restart, round after round,
until it is killed or its disk is full.

python -m testkit.faults.kept FOLDER            a line with the round's number when all of it is kept
python -m testkit.faults.kept FOLDER --full     two rounds, one on a full disk, and a last one
"""

import resource
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from monitor.clock import SystemClock
from monitor.config.loading import default_config
from monitor.config.model import Config
from monitor.config.overrides import apply, undo
from monitor.config.taught import write_taught
from monitor.config.upkeep import DigestConfig
from monitor.delivery.chain.kept import ChainState, KeptChain
from monitor.delivery.kept.active import ActiveAlerts
from monitor.delivery.kept.memory import KeptMemory
from monitor.delivery.kept.settings import KeptSettings
from monitor.drill.report import DrillReport, RoomReport, keep_drill
from monitor.errors import StoreError
from monitor.gate.habit import MINUTE_LOOKS
from monitor.history.digest.daily import DailyDigest
from monitor.history.habits import KeptHabits
from monitor.history.recorder import SCORES
from monitor.history.verdicts import Judged, Missed, Verdicts, VerdictWord
from monitor.logs import configure_logging
from monitor.store.believed_time import BelievedTime
from monitor.teaching.taught.naming import Answered, Naming, keep_naming
from monitor.teaching.versions import KeptVersions
from monitor.types import Setting
from monitor.web.access.keys import Keys
from monitor.web.mutes import Mutes
from monitor.web.setup.choices import Choices, Drawer
from testkit.builders import START, alert
from testkit.fakes import FakeClock
from testkit.taught import SIZE, taught

AFTER = 1_000_000
"""Ids of the verdicts beyond the first of each round are larger."""
MORE: tuple[VerdictWord, ...] = ("wrong", "wrong", "right")
FULL_BYTES = 64
"""No file may be longer while the disk is full."""


def main() -> None:
    """Keep, and print how far it came."""
    configure_logging()
    folder = Path(sys.argv[1])
    config = default_config([{"type": "demo", "name": "hall"}]).model_copy(update={"state_dir": folder})
    clock = SystemClock()
    with Verdicts(folder, clock) as verdicts, Keys(folder, clock) as keys:
        daemon = KeepingDaemon(verdicts, keys, config, folder)
        if "--full" not in sys.argv:
            for number in count(1):
                _all_of_it(daemon, number)
                print(number, flush=True)
        for number in (1, 2):
            _all_of_it(daemon, number)
        print(_refused(daemon), flush=True)
        _all_of_it(daemon, 4)


def _refused(daemon: "KeepingDaemon") -> int:
    """How many of them a full disk refuses by our own error."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, hard))
    refused = 0
    for work in daemon.works(3):
        try:
            work()
        except StoreError:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    return refused


def _all_of_it(daemon: "KeepingDaemon", number: int) -> None:
    for work in daemon.works(number):
        work()


class KeepingDaemon:
    """What a daemon keeps, by the classes that keep it. A day passes with each round."""

    def __init__(self, verdicts: Verdicts, keys: Keys, config: Config, folder: Path) -> None:
        self._verdicts, self._keys, self._config, self._folder = verdicts, keys, config, folder
        self._chain, self._versions = KeptChain(folder), KeptVersions(folder)
        self._settings = KeptSettings(folder / "settings.json", [Setting("hall", "sensitivity", 0.0)])
        self._active = ActiveAlerts(folder / "active.json")
        self._active.read()
        self._taken = _Taken()
        self._memory = KeptMemory(folder, "broker", self._taken)
        self._habits = KeptHabits(folder, ["hall"])
        self._habits.tend(0.0, last=False)
        self._clock = FakeClock(START)
        self._mutes = Mutes(folder, lambda _: None, self._clock)
        self._time = BelievedTime(folder, self._clock)
        digest = DigestConfig(at=f"{START.astimezone() + timedelta(hours=12):%H:%M}")
        self._digest = DailyDigest(digest, folder, folder / SCORES, ["hall"], verdicts, dict, self._clock)
        self._digest.due()

    def works(self, number: int) -> list[Callable[[], object]]:
        """All of this number."""
        return [*self._said(number), *self._remembered(number)]

    def _said(self, number: int) -> list[Callable[[], object]]:
        """A verdict, three more that make a veto in time, a question that was asked, a missed sound, a
        threshold, the same taken back and made again, a taught sound, a drill, its acknowledgement, a night's
        look with what somebody answered, a password, and a choice at set-up: each raises for a disk."""
        verdicts, folder, config = self._verdicts, self._folder, self._config
        at = START + timedelta(seconds=number)
        judged = Judged(f"{number:012x}", "dog_bark", "hall", at, 0.9, "embedded")
        onset = {"labels.dog_bark.onset": 0.5 + number % 50 / 200}
        rooms = (RoomReport("hall", pattern="T3"),)
        report = DrillReport(f"{number:012x}", "smoke_alarm", at, rooms, ended_at=at)
        ignored = Answered(at=at, answer="ignored", middle=(1.0, float(number)))
        return [
            lambda: verdicts.judge(judged, "wrong", None, at, "page"),
            lambda: _more_verdicts(verdicts, number),
            lambda: verdicts.ask(judged.event_id, at),
            lambda: verdicts.miss(Missed("knock", "hall", at), at, "page"),
            lambda: apply(config, onset, by="page", at=at),
            lambda: undo(folder) and apply(config, onset, by="page", at=at),
            lambda: write_taught(folder, taught(taught_at=at)),
            lambda: keep_drill(folder, report),
            lambda: verdicts.acknowledge([report.id], at, "page"),
            lambda: keep_naming(folder, Naming(looked_at=at, answered=(ignored,))),
            lambda: self._keys.set_password("admin", str(number)),
            lambda: Drawer(folder).write(Choices(), {"CAMERA_1": str(number)}),
        ]

    def _remembered(self, number: int) -> list[Callable[[], object]]:
        """A silent test of the chain, the model's version, a sensitivity, an alert that waits, what a
        receiver has taken, how quiet a room is, a mute for an hour, the time, and a day's digest: each waits
        for a disk that is full."""
        at = START + timedelta(days=number)
        waits = alert(id=f"{number:012x}")
        return [
            lambda: self._clock.advance(86_400),
            lambda: self._chain.keep(ChainState(START, at, (str(number),))),
            lambda: self._versions.note({"embedded": str(number)}, at),
            lambda: self._settings.keep(Setting("hall", "sensitivity", number / 1000)),
            self._settings.write,
            lambda: self._active.raised(waits) and self._active.write(),
            lambda: self._taken.found({"last": number}),
            self._memory.write,
            lambda: self._live_a_minute(at),
            lambda: self._habits.tend(0.0, last=True),
            lambda: self._mutes.set("hall", True, 3600.0),
            lambda: self._time.tend(last=True),
            self._digest.due,
        ]

    def _live_a_minute(self, at: datetime) -> None:
        for _ in range(MINUTE_LOOKS):
            self._habits.of("hall").add_life(at, -50)


class _Taken:
    """What a receiver remembers: one number."""

    def __init__(self) -> None:
        self.changed = Event()
        self._rows: Mapping[str, Any] = {}

    def rows(self) -> Mapping[str, Any]:
        """To be kept."""
        return self._rows

    def found(self, rows: Mapping[str, Any]) -> None:
        """Kept before."""
        self._rows = rows


def _more_verdicts(verdicts: Verdicts, number: int) -> None:
    """Two wrong and a right one, each with what it sounded like."""
    rng = np.random.default_rng(number)
    for place, word in enumerate(MORE):
        embedding = (rng.normal(size=SIZE) + (4 if word == "right" else -4)).astype("<f2").tobytes()
        id = f"{(place + 1) * AFTER + number:012x}"
        judged = Judged(id, "dog_bark", "hall", START, 0.9, "embedded", embedding=embedding)
        verdicts.judge(judged, word, None, START, "page")


if __name__ == "__main__":
    main()
