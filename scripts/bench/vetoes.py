"""Vetoes from verdicts: how many false events they hold back from being confirmed, and how many right ones.

    python scripts/bench vetoes --traces TRACES

TRACES are the houses of `scripts/bench verdicts`, of sources that taught the model nothing. In one half of a
house's scenes somebody says of every event whether it was right, truly; with ten wrong and five right of a
label a veto is learnt, as in a running daemon. The other half is heard with it; then the other way round.
What is held back is still reported, as suspected.
"""

import argparse
import json
import pickle
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitor.classifiers.taught.sound import unpacked
from monitor.classifiers.taught.veto import WORTH_A_LOOK, Veto
from monitor.events.certainty import HELD_BACK_BELOW
from monitor.teaching.stream import LabelledSound, sounds, with_onset
from monitor.teaching.vetoes import LEAST_RIGHT, LEAST_WRONG, JudgedEmbedding, veto
from monitor.types import Detection
from scripts.bench.table import show
from scripts.bench.verdicts import Half, half_of, rows_in_force


@dataclass
class EventCount:
    """Events of the halves that were only listened to."""

    halves: int = 0
    """So many had a veto."""
    false: int = 0
    false_held: int = 0
    right: int = 0
    right_held: int = 0


def main() -> None:
    """Read houses, learn, listen, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--traces", type=Path, required=True, help="folder of the houses (pickle)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    files = sorted(options.traces.glob("*.pkl"))
    counts: dict[str, EventCount] = defaultdict(EventCount)
    everything = EventCount()
    for file in files:
        scenes = pickle.loads(file.read_bytes())
        middle = len(scenes) // 2
        halves = half_of(scenes[:middle]), half_of(scenes[middle:])
        for learned, listened in (halves, halves[::-1]):
            for label, row in rows_in_force().items():
                heard = sounds(learned.detections.get(label, ()), row)
                found = veto(list(_examples(learned, label, [one for one in heard if one.is_event])))
                later = with_onset(listened.detections.get(label, ()), row, 0.0)
                for one in (counts[label], everything):
                    _count(one, listened, label, later, found)
    table = [{"sound": label, **_summary(one)} for label, one in sorted(counts.items()) if one.halves]
    table.append({"sound": "all sounds, veto or not", **_summary(everything)})
    show(table, f"{len(files)} houses, both ways round; from {LEAST_WRONG} wrong and {LEAST_RIGHT} right")
    if options.json:
        options.json.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _examples(half: Half, label: str, events: Sequence[LabelledSound]) -> Iterator[JudgedEmbedding]:
    """What a verdict on each keeps: the embedding of its best look."""
    for sound in events:
        truth = half.truth(sound)
        best = max(_looks(half, label, sound), key=lambda one: one.score, default=None)
        if truth is not None and best is not None and best.embedding is not None:
            yield JudgedEmbedding(label, unpacked(best.embedding), truth)


def _looks(half: Half, label: str, sound: LabelledSound) -> list[Detection]:
    return [
        one
        for one in half.detections.get(label, ())
        if one.embedding is not None
        and one.score >= WORTH_A_LOOK
        and one.started_at <= sound.ended_at
        and one.ends_at >= sound.started_at
    ]


def _count(
    count: EventCount, half: Half, label: str, events: Sequence[LabelledSound], found: Veto | None
) -> None:
    count.halves += found is not None
    for sound in events:
        truth = half.truth(sound)
        if truth is None:
            continue
        held = found is not None and _is_held(found, _looks(half, label, sound))
        if truth:
            count.right += 1
            count.right_held += held
        else:
            count.false += 1
            count.false_held += held


def _is_held(found: Veto, looks: Sequence[Detection]) -> bool:
    """One look that is likely right confirms the event."""
    likely = [found.likely_right(unpacked(one.embedding)) for one in looks if one.embedding is not None]
    return bool(likely) and max(likely) < HELD_BACK_BELOW


def _summary(one: EventCount) -> dict[str, object]:
    return {
        "halves with a veto": one.halves,
        "false": one.false,
        "held back": f"{one.false_held} ({_share(one.false_held, one.false)})",
        "right": one.right,
        "held back, too": f"{one.right_held} ({_share(one.right_held, one.right)})",
    }


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


if __name__ == "__main__":
    main()
