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

import numpy as np

from monitor.clock import SystemClock
from monitor.config.loading import default_config
from monitor.config.model import Config
from monitor.config.overrides import apply, undo
from monitor.config.taught import write_taught
from monitor.delivery.chain.kept import ChainState, KeptChain
from monitor.drill.report import DrillReport, RoomReport, keep_drill
from monitor.errors import StoreError
from monitor.history.verdicts import Judged, Missed, Verdicts, VerdictWord
from monitor.logs import configure_logging
from monitor.teaching.taught.naming import Answered, Naming, keep_naming
from testkit.builders import START
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
    """Of this number: a verdict, three more that make a veto in time, a question that was asked, a missed
    sound, a threshold, the same taken back and made again, a taught sound, a drill, its acknowledgement, a
    night's look with what somebody answered, and a silent test of the chain, which a full disk makes wait."""
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
        lambda: KeptChain(folder).keep(ChainState(START, at, (str(number),))),
    ]


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
