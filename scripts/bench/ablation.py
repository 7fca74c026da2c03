"""What each check of the rhythm detector buys: impostors taken for alarms, and alarms missed, without it.

    python scripts/bench ablation --impostors 63 --trials 6 --jobs 2 [--backgrounds FOLDER] [--save]

Every sound is heard with all checks, which notes those that turned something down, and once more without each
of these: without any other check all would have been the same. Give seeds on which nothing was tuned.
"""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Mapping
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from monitor.audio import Samples
from scripts.bench.page import save
from scripts.bench.rhythm import without_alarms
from scripts.bench.table import show
from testkit.impostors import IMPOSTORS
from testkit.rhythm_ablation import CHECKS, noted, without
from testkit.rhythm_trials import (
    CONDITIONS,
    LABELS,
    SOON,
    AlarmTrial,
    RecallCondition,
    alarm,
    impostor_samples,
    recorded,
    words,
)

Outcome = dict[str, frozenset[str]]
"""By check ("" for none left out): what went wrong with one sound."""
WRONG = ("suspected", "confirmed")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--impostors", type=int, default=63, help="performances of each of the 16 kinds")
    parser.add_argument("--trials", type=int, default=6, help="alarms of each rhythm and condition")
    parser.add_argument("--seed", type=int, default=400_000)
    parser.add_argument("--backgrounds", type=Path, help="recordings with a manifest.csv (path, labels)")
    parser.add_argument("--recordings", type=int, default=600, help="so many of them, drawn by the seed")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--save", action="store_true", help="keep the figures for the docs")
    options = parser.parse_args()
    impostors = [(name, options.seed + i) for i in range(options.impostors) for name in IMPOSTORS]
    alarms = [
        (pattern, condition, options.seed + i)
        for i in range(options.trials)
        for pattern in LABELS
        for condition in CONDITIONS
    ]
    paths = without_alarms(options.backgrounds) if options.backgrounds else []
    random.Random(options.seed).shuffle(paths)
    with Pool(options.jobs) as pool:
        recordings = list(pool.imap_unordered(_recording, paths[: options.recordings], chunksize=2))
        false = list(pool.imap_unordered(_impostor, impostors, chunksize=2))
        missed = list(pool.imap_unordered(_alarm, alarms, chunksize=2))
    heard = {"impostors": false, "recordings": recordings, "alarms missed": missed}
    rows = [_row(check, heard) for check in ("", *CHECKS)]
    show(rows, "ablation")
    if options.save:
        numbers = f"--impostors {options.impostors} --trials {options.trials} --seed {options.seed}"
        folder = f" --backgrounds FOLDER --recordings {options.recordings}" if paths else ""
        save("ablation", rows, f"python scripts/bench ablation {numbers}{folder} --save")


def _outcome(hear: Callable[[], frozenset[str]]) -> Outcome:
    with noted() as rejecting:
        outcome = {"": hear()}
    for name in sorted(rejecting):
        with without(name):
            outcome[name] = hear()
    return outcome


def _impostor(job: tuple[str, int]) -> Outcome:
    return _taken_for_an_alarm(impostor_samples(*job))


def _recording(path: Path) -> Outcome:
    return _taken_for_an_alarm(recorded(path))


def _taken_for_an_alarm(samples: Samples) -> Outcome:
    return _outcome(
        lambda: frozenset(certainty for label, certainty in words(samples) if label in LABELS.values())
    )


def _alarm(job: tuple[str, RecallCondition, int]) -> Outcome:
    """What was not said soon enough."""
    sound = alarm(*job)
    return _outcome(lambda: _missed(sound.heard()))


def _missed(result: AlarmTrial) -> frozenset[str]:
    times = {certainty: getattr(result, certainty) for certainty in SOON}
    return frozenset(c for c, limit in SOON.items() if times[c] is None or times[c] > limit)


def _row(check: str, heard: Mapping[str, list[Outcome]]) -> dict[str, Any]:
    row: dict[str, Any] = {"without": check or "all checks"}
    for head, outcomes in heard.items():
        counts = Counter(kind for each in outcomes for kind in each.get(check, each[""]))
        row |= {f"{head} {kind}": f"{counts[kind]} of {len(outcomes)}" for kind in WRONG if outcomes}
    everything = [each for outcomes in heard.values() for each in outcomes]
    return row | {"turned down in": sum(check in each for each in everything) if check else ""}


if __name__ == "__main__":
    main()
