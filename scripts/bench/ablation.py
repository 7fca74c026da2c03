"""What each check of the rhythm detector buys: impostors taken for alarms, and alarms missed, without it.

    python scripts/bench ablation --impostors 63 --trials 6 --jobs 2 [--save]

Every sound is heard with all checks, which notes those that turned something down, and once more without each
of these: without any other check all would have been the same. Seeds from 400 000 are this benchmark's own.
"""

import argparse
from collections import Counter
from functools import partial
from multiprocessing import Pool
from typing import Any

from scripts.bench.page import save
from scripts.bench.table import show
from testkit.impostors import IMPOSTORS
from testkit.rhythm_ablation import CHECKS, noted, without
from testkit.rhythm_trials import CONDITIONS, LABELS, SOON, Condition, impostor, trial

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
    with Pool(options.jobs) as pool:
        false = list(pool.imap_unordered(partial(_outcome, _of_impostor), impostors, chunksize=2))
        missed = list(pool.imap_unordered(partial(_outcome, _of_alarm), alarms, chunksize=2))
    rows = [_row("all checks", "", false, missed), *(_row(name, name, false, missed) for name in CHECKS)]
    show(rows, "ablation")
    if options.save:
        command = (
            f"python scripts/bench ablation --impostors {options.impostors} --trials {options.trials} --save"
        )
        save("ablation", rows, command)


def _outcome(hear: Any, job: Any) -> Outcome:
    with noted() as rejecting:
        outcome = {"": hear(job)}
    for name in sorted(rejecting):
        with without(name):
            outcome[name] = hear(job)
    return outcome


def _of_impostor(job: tuple[str, int]) -> frozenset[str]:
    """As which alarms it was taken."""
    _, _, words = impostor(job)
    return frozenset(certainty for label, certainty in words if label in LABELS.values())


def _of_alarm(job: tuple[str, Condition, int]) -> frozenset[str]:
    """What was not said soon enough."""
    result = trial(*job)
    return frozenset(
        certainty
        for certainty, limit in SOON.items()
        if (at := getattr(result, certainty)) is None or at > limit
    )


def _row(title: str, check: str, false: list[Outcome], missed: list[Outcome]) -> dict[str, Any]:
    row: dict[str, Any] = {"without": check if check else title}
    for head, outcomes in (("impostors", false), ("alarms missed", missed)):
        counts = Counter(kind for each in outcomes for kind in each.get(check, each[""]))
        row |= {f"{head} {kind}": f"{counts[kind]} of {len(outcomes)}" for kind in WRONG}
    return row | {"turned down in": sum(check in each for each in [*false, *missed]) if check else ""}


if __name__ == "__main__":
    main()
