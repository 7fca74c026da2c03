"""The table of cadences in docs/reference/rhythm.md: what a pattern for each would take, and what else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitor.rhythm.pulse_trains import SPOKEN
from testkit import markdown
from testkit.cadences.candidates import CANDIDATES
from testkit.cadences.sounds import CADENCES
from testkit.cadences.trials import ALL_IMPOSTORS, CONDITIONS, CadenceTrial, cadence, impostor, recording

HEAD = ("alarm", "a pattern for it", *CONDITIONS, "impostors taken", "of recordings", "reported so far")
VOICE = ("voice_after_one", "voice_after_two")
CO_VOICE = "co_voice"
BUILT = "words between"


def report(own: int, impostors: int, seed: int, recordings: Sequence[Path], pool: Any) -> list[str]:
    """The page's lines. `own`, `impostors`: performances of each cadence, under each condition, and of each
    impostor; `recordings`: of things that beep, ring and wail."""
    jobs = [(name, condition, seed + i) for name in CADENCES for condition in CONDITIONS for i in range(own)]
    alarms: list[CadenceTrial] = pool.map(cadence, jobs, chunksize=2)
    kinds = [(name, seed + i) for name in ALL_IMPOSTORS for i in range(impostors)]
    others: list[CadenceTrial] = pool.map(impostor, kinds, chunksize=2)
    heard: list[CadenceTrial] = pool.map(recording, recordings, chunksize=8)
    rows = [_row(name, _pattern_of(name), alarms, others, heard) for name in CADENCES if name != CO_VOICE]
    rows += [_row(name, BUILT, alarms, others, heard) for name in VOICE]
    count = f"{own} of each alarm under each condition, {len(others)} impostors ({impostors} of each of "
    count += (
        f"{len(ALL_IMPOSTORS)} kinds), {len(heard)} recordings of alarm clocks, telephones, sirens and beeps."
    )
    words = [trial for trial in alarms if trial.name == CO_VOICE]
    found = sum("co_alarm" in trial.labels for trial in words)
    spoken = f"Words in the pause of T4 change nothing: {found} of {len(words)} are a `co_alarm`."
    return [count, "", markdown.table(HEAD, rows), "", spoken]


def _pattern_of(cadence_name: str) -> str:
    return "voice_alarm" if cadence_name in VOICE else cadence_name


def _row(
    name: str,
    pattern: str,
    alarms: Sequence[CadenceTrial],
    others: Sequence[CadenceTrial],
    heard: Sequence[CadenceTrial],
) -> list[str]:
    own = [trial for trial in alarms if trial.name == name]
    shares = []
    for condition in CONDITIONS:
        trials = [trial for trial in own if trial.condition == condition]
        shares.append(f"{sum(_takes(pattern, trial) for trial in trials)}/{len(trials)}")
    taken = [trial.name for trial in others if _takes(pattern, trial)]
    kinds = sorted({(-taken.count(each), each) for each in taken})
    named = ", ".join(f"{each} {-count}" for count, each in kinds)
    recorded = sum(_takes(pattern, trial) for trial in heard)
    return [
        name.replace("_", " "), pattern.replace("_", " "), *shares,
        f"{len(taken)}" + (f": {named}" if named else ""), f"{recorded}", _so_far(own),
    ]  # fmt: skip


def _takes(pattern: str, trial: CadenceTrial) -> bool:
    if pattern == BUILT:  # a T3 alarm that is found whole needs no other pattern
        return SPOKEN in trial.patterns or ("smoke_alarm" in trial.labels and trial.name in CADENCES)
    return pattern in trial.candidates


def _so_far(own: Sequence[CadenceTrial]) -> str:
    """What the detector reports, in how many of them."""
    counts = {
        label: sum(label in trial.labels for trial in own) for label in ("smoke_alarm", "unknown_alarm")
    }
    return ", ".join(f"`{label}` {count}/{len(own)}" for label, count in counts.items() if count) or "nothing"


assert set(map(_pattern_of, CADENCES)) - {CO_VOICE} <= set(CANDIDATES)
