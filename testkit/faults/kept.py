"""A process that keeps what people teach, round after round, until it is killed or its disk is full.

python -m testkit.faults.kept FOLDER            a line with the round's number when all of it is kept
python -m testkit.faults.kept FOLDER --full     two rounds, one on a full disk, and a last one
"""

import resource
import sys
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

from monitor.clock import SystemClock
from monitor.config.loading import default_config
from monitor.config.model import Config
from monitor.config.overrides import apply
from monitor.config.taught import write_taught
from monitor.drill.report import DrillReport, RoomReport, keep_drill
from monitor.errors import StoreError
from monitor.history.verdicts import Judged, Verdicts
from monitor.teaching.taught.naming import Naming, keep_naming
from testkit.builders import START
from testkit.taught import taught

FULL_BYTES = 64
"""No file may be longer while the disk is full."""


def main() -> None:
    """Keep, and print how far it came."""
    folder = Path(sys.argv[1])
    config = default_config([{"type": "demo", "name": "hall"}]).model_copy(update={"state_dir": folder})
    with Verdicts(folder, SystemClock()) as verdicts:
        if "--full" not in sys.argv:
            for number in count(1):
                _all_of_it(verdicts, config, folder, number)
                print(number, flush=True)
        for number in (1, 2):
            _all_of_it(verdicts, config, folder, number)
        print(_refused(verdicts, config, folder), flush=True)
        _all_of_it(verdicts, config, folder, 4)


def _refused(verdicts: Verdicts, config: Config, folder: Path) -> int:
    """How many of them a full disk refuses by our own error."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL_BYTES, hard))
    refused = 0
    for work in works(verdicts, config, folder, 3):
        try:
            work()
        except StoreError:
            refused += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    return refused


def _all_of_it(verdicts: Verdicts, config: Config, folder: Path, number: int) -> None:
    for work in works(verdicts, config, folder, number):
        work()


def works(verdicts: Verdicts, config: Config, folder: Path, number: int) -> list[Callable[[], object]]:
    """A verdict, a threshold, a taught sound, a drill and a night's look of this number."""
    at = START + timedelta(seconds=number)
    judged = Judged(f"{number:012x}", "dog_bark", "hall", at, 0.9, "embedded")
    report = DrillReport(f"{number:012x}", "smoke_alarm", at, (RoomReport("hall"),), ended_at=at)
    return [
        lambda: verdicts.judge(judged, "wrong", None, at, "page"),
        lambda: apply(config, {"labels.dog_bark.onset": 0.5 + number % 50 / 200}, by="page", at=at),
        lambda: write_taught(folder, taught(taught_at=at)),
        lambda: keep_drill(folder, report),
        lambda: keep_naming(folder, Naming(looked_at=at)),
    ]


if __name__ == "__main__":
    main()
