"""Thresholds from verdicts: what 20 judged sounds do to a house's false events, and to its right ones.

    python scripts/bench verdicts MANIFEST --sources a,b,c --houses 12 --traces TRACES
    python scripts/bench verdicts --traces TRACES

Each house lives with sources of its own, drawn from those named (name whole sources that taught the model
nothing). In one half of its scenes somebody answers the questions that `earwitness review` would ask, truly;
then every suggestion is taken, and the other half is heard with the onsets of before and after. Then the
other way round.
"""

import argparse
import json
import pickle
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from monitor.clock import BEGINNING
from monitor.config.capabilities import in_force, unloaded
from monitor.config.loading import default_config
from monitor.events.defaults import Hysteresis
from monitor.recordings.analysis import SOURCE
from monitor.teaching.fit import Example, Fit, Floats, Prior
from monitor.teaching.forecast import INTERVAL, Forecast, JudgedSound
from monitor.teaching.questions import MOST_A_DAY, VerdictQuestion, chosen
from monitor.teaching.stream import LabelledSound, sounds, with_onset
from monitor.teaching.suggestion import LIKELY, Aim, Suggestion, Taught, fitted, never, suggest
from monitor.types import Detection
from scripts.bench.table import show
from scripts.scenes.composing import Placed
from scripts.scenes.hearing import Hearing
from scripts.scenes.kinds import ALERTS, kin
from scripts.scenes.scoring import EARLY_S, LATE_S

LABELS = tuple(label for label in ALERTS if never(label) is None)
"""Those whose truth the scenes know, and that a person may teach."""
SOURCES_A_HOUSE = 10
GAP_S = 60.0
"""Between two scenes, so that no event runs from one into the next."""


@dataclass
class Half:
    """Some scenes of a house, one behind the other."""

    placed: list[Placed]
    detections: dict[str, list[Detection]]
    days: float

    def truth(self, sound: LabelledSound) -> bool | None:
        """Whether it was what it was taken for; None where its name is kin of what it was."""
        start_s = (sound.started_at - BEGINNING).total_seconds()
        near = [one for one in self.placed if one.start_s - EARLY_S <= start_s <= one.end_s + LATE_S]
        if any(one.label == sound.label for one in near):
            return True
        return None if any(kin(one.label, sound.label) for one in near) else False


@dataclass
class HouseOutcome:
    """The half of a house that was only heard, before and after."""

    verdicts: int = 0
    suggestions: int = 0
    days: float = 0.0
    false_before: int = 0
    false_after: int = 0
    right_before: int = 0
    right_after: int = 0
    predicted: Floats | None = None
    """Draws of its false events a day with the new onsets, of the labels that were suggested."""
    found: float = 0.0
    """What they were."""

    @property
    def inside(self) -> bool | None:
        """Whether the interval held what was found; None where nothing was suggested."""
        if self.predicted is None:
            return None
        low, high = np.quantile(self.predicted, INTERVAL)
        return bool(low <= self.found <= high)


def main() -> None:
    """Compose or read houses, live in them, print."""
    options = _options()
    if options.manifest is not None:
        _compose(options)
    files = sorted(options.traces.glob("*.pkl"))
    ways = [way for file in files for way in _both_ways(pickle.loads(file.read_bytes()))]
    rows = rows_in_force()
    table = []
    for aim in (LIKELY, Aim("right", 0.9), Aim("keep", 0.95)):
        for per_label in (False, True):
            outcomes = [_lived(*way, rows, aim, options.verdicts, per_label) for way in ways]
            table.append({"aim": aim.words, "verdicts": "a label" if per_label else "a house",
                          **_summary(outcomes)})  # fmt: skip
    show(table, f"{len(files)} houses, both ways round, {options.verdicts} verdicts")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path, nargs="?", help="compose houses from it first")
    parser.add_argument("--sources", default="", help="comma-separated; each house draws from them")
    parser.add_argument("--houses", type=int, default=12)
    parser.add_argument("--first", type=int, default=0, help="number of the first house: others are others")
    parser.add_argument("--scenes", type=int, default=10, help="of a house, half to learn and half to test")
    parser.add_argument("--minutes", type=float, default=10, help="length of a scene")
    parser.add_argument("--traces", type=Path, required=True, help="folder of the houses (pickle)")
    parser.add_argument("--verdicts", type=int, default=20)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _compose(options: argparse.Namespace) -> None:
    """Every house heard, with sources of its own."""
    from monitor.pipeline.build import load_classifiers
    from scripts.scenes.composing import compose
    from scripts.scenes.hearing import hear
    from scripts.scenes.recordings import Pool, read_manifest

    config = default_config([{"type": "file", "name": SOURCE, "path": "scene.wav"}])
    classifiers = load_classifiers(config)
    every = sorted(options.sources.split(","))
    options.traces.mkdir(parents=True, exist_ok=True)
    for house in range(options.first, options.first + options.houses):
        own = np.random.default_rng([house]).choice(every, min(SOURCES_A_HOUSE, len(every)), replace=False)
        pool = Pool(options.manifest.parent, read_manifest(options.manifest, sorted(own)))
        scenes = (compose(pool, house, number, options.minutes) for number in range(options.scenes))
        heard = [hear(scene, config, classifiers) for scene in scenes]
        (options.traces / f"house{house:02d}.pkl").write_bytes(pickle.dumps(heard))


def rows_in_force() -> dict[str, Hysteresis]:
    config = default_config([{"type": "demo", "name": SOURCE}])
    assert unloaded(config)[0]
    return {label: row for label, row in in_force(config)[SOURCE].items() if label in LABELS}


def half_of(scenes: Sequence[Hearing]) -> Half:
    placed: list[Placed] = []
    detections: dict[str, list[Detection]] = defaultdict(list)
    at_s = 0.0
    for scene in scenes:
        by = timedelta(seconds=at_s)
        placed += [replace(one, start_s=one.start_s + at_s, end_s=one.end_s + at_s) for one in scene.placed]
        for _, found in scene.trace.steps:
            for one in found:
                if one.label in LABELS and one.certainty is None:
                    detections[one.label].append(replace(one, started_at=one.started_at + by))
        at_s += scene.duration_s + GAP_S
    return Half(placed, detections, sum(scene.duration_s for scene in scenes) / 86400)


def _both_ways(scenes: Sequence[Hearing]) -> list[tuple[Half, Half]]:
    """The half to judge and the half to hear, and the other way round."""
    middle = len(scenes) // 2
    first, second = half_of(scenes[:middle]), half_of(scenes[middle:])
    return [(first, second), (second, first)]


def _lived(
    first: Half, second: Half, rows: dict[str, Hysteresis], aim: Aim, budget: int, per_label: bool
) -> HouseOutcome:
    """A house from its first verdict to its last suggestion."""
    heard = {label: sounds(first.detections.get(label, ()), row) for label, row in rows.items()}
    judged = _judged(first, heard, budget, per_label)
    outcome = HouseOutcome(verdicts=len(judged), days=second.days)
    for label, row in rows.items():
        found = suggest(_taught(label, row, heard[label], judged, first.days), aim)
        dx = found.dx if isinstance(found, Suggestion) else 0.0
        before = with_onset(second.detections.get(label, ()), row, 0.0)
        after = with_onset(second.detections.get(label, ()), row, dx)
        false = _false(second, after)
        outcome.false_before += _false(second, before)
        outcome.false_after += false
        outcome.right_before += _placed(second, before, label)
        outcome.right_after += _placed(second, after, label)
        if isinstance(found, Suggestion):
            outcome.suggestions += 1
            outcome.found += false / second.days
            taught = _taught(label, row, heard[label], judged, first.days)
            draws = Forecast(taught.heard, fitted(taught, Prior()), first.days).false_means(dx, second.days)
            outcome.predicted = draws if outcome.predicted is None else outcome.predicted + draws
    return outcome


def _taught(
    label: str, row: Hysteresis, heard: Sequence[LabelledSound], judged: dict[int, bool], days: float
) -> Taught:
    known = [JudgedSound(one, judged.get(id(one))) for one in heard]
    examples = [Example(one.sound.x, one.right) for one in known if one.right is not None]
    return Taught(label, None, row.onset, known, examples, (), days)


def _judged(
    half: Half, heard: dict[str, list[LabelledSound]], budget: int, per_label: bool
) -> dict[int, bool]:
    """Answers to the most informative questions, by the sound's identity; three a day, fitted in between."""
    if per_label:
        return {
            id(one): truth
            for label, own in heard.items()
            for one, truth in _answers(half, {label: own}, budget)
        }
    return {id(one): truth for one, truth in _answers(half, heard, budget)}


def _answers(
    half: Half, heard: dict[str, list[LabelledSound]], budget: int
) -> Iterator[tuple[LabelledSound, bool]]:
    left = [VerdictQuestion(str(id(one)), one) for own in heard.values() for one in own if one.is_event]
    told: dict[str, list[Example]] = {label: [] for label in heard}
    count = 0
    while left and count < budget:
        fits = {label: Fit(examples, Prior()) for label, examples in told.items()}
        numbers = {label: len(examples) for label, examples in told.items()}
        for question in chosen(left, fits, numbers, MOST_A_DAY):
            left.remove(question)
            truth = half.truth(question.sound)
            if truth is not None and count < budget:
                count += 1
                told[question.sound.label].append(Example(question.sound.x, truth))
                yield question.sound, truth


def _false(half: Half, found: Sequence[LabelledSound]) -> int:
    return sum(half.truth(one) is False for one in found)


def _placed(half: Half, found: Sequence[LabelledSound], label: str) -> int:
    """How many of the placed sounds were reported."""
    starts = [(one.started_at - BEGINNING).total_seconds() for one in found]
    return sum(
        any(one.start_s - EARLY_S <= start <= one.end_s + LATE_S for start in starts)
        for one in half.placed
        if one.label == label
    )


def _summary(outcomes: Sequence[HouseOutcome]) -> dict[str, object]:
    """Means over houses, as the person in each of them lives it."""
    falls = [1 - one.false_after / one.false_before for one in outcomes if one.false_before]
    lost = [1 - one.right_after / one.right_before for one in outcomes if one.right_before]
    held = [one.inside for one in outcomes if one.inside is not None]
    return {
        "judged": round(float(np.mean([one.verdicts for one in outcomes])), 1),
        "suggestions": round(float(np.mean([one.suggestions for one in outcomes])), 1),
        "hours": round(sum(one.days for one in outcomes) * 24, 1),
        "false before": sum(one.false_before for one in outcomes),
        "false after": sum(one.false_after for one in outcomes),
        "fewer false": round(float(np.mean(falls)), 3) if falls else None,
        "right before": sum(one.right_before for one in outcomes),
        "right lost": round(float(np.mean(lost)), 3) if lost else None,
        "inside its interval": f"{sum(held)}/{len(held)}",
    }
