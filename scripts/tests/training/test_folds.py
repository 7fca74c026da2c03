from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import BEGINNING
from monitor.recordings.evaluation.evaluate import Scored
from monitor.recordings.evaluation.manifest import Clip
from monitor.recordings.evaluation.scoring import FileScores
from monitor.types import Detection
from scripts.train_tagger.background import Background, Heard
from scripts.train_tagger.folds import SNRS_DB, Fold, judge_folds
from scripts.train_tagger.recordings import Recording, folded
from scripts.train_tagger.targets import LABELS

RECORDINGS = [
    Recording(f"{source}/{group}-{take}", source, ("Bark",), None, "CC0", f"g{group}", "train", 16_000)
    for source, groups in (("one", range(10)), ("two", range(8, 20)))
    for group in groups
    for take in range(3)
]


def held_out(fold: str) -> list[Recording]:
    """The recordings that a fold's model is judged on."""
    return [r for r in folded(RECORDINGS, fold) if r.split == "valid"]


def test_every_recording_is_held_out_once() -> None:
    """By one of the folds, and trained on by the others."""
    judged = Counter(r.path for k in range(1, 6) for r in held_out(f"{k}/5"))

    assert judged == Counter(r.path for r in RECORDINGS)


def test_no_group_is_divided() -> None:
    """Not even one that two sources share."""
    for k in range(1, 6):
        groups = {r.group for r in held_out(f"{k}/5")}
        assert all(r.split == "valid" for r in folded(RECORDINGS, f"{k}/5") if r.group in groups)


def test_folds_are_alike() -> None:
    """Each source gives to each fold, about as many."""
    for k in range(1, 6):
        assert {r.source for r in held_out(f"{k}/5")} == {"one", "two"}
        assert len(held_out(f"{k}/5")) == pytest.approx(len(RECORDINGS) / 5, rel=0.4)


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "5", "a/b"])
def test_other_folds_do_not_exist(fold: str) -> None:
    """They are named, and nothing is trained."""
    with pytest.raises(ValueError, match="is not K/N"):
        folded(RECORDINGS, fold)


def fold(name: str, dogs: float, others: float, in_background: float) -> Fold:
    """Two dogs of one yard and two other clips, scored so; and ten hours in which one look scored so."""
    barks = [Recording(f"{name}{n}", "yard", ("Bark",), None, "CC0", name, "valid", 16_000) for n in range(2)]
    rest = [Recording(f"{name}-{n}", "acted", (), "angry", "CC0", name, "valid", 16_000) for n in range(2)]
    clips = [
        Clip(Path(r.path), frozenset({"dog_bark"} if r in barks else ()), r.emotion) for r in barks + rest
    ]
    heard = [FileScores(1.0, {"dog_bark": dogs}, {}, ()) for _ in barks]
    heard += [FileScores(1.0, {"dog_bark": others}, {"angry": 0.6, "sad": 0.4}, ()) for _ in rest]
    began = BEGINNING + timedelta(seconds=10)
    look = Heard(0, 11.0, Detection("dog_bark", in_background, "model", "background", began, 1.0, name))
    scored = Scored(tuple(clips), tuple(heard))
    background = Background({"dog_bark": [look]}, dict.fromkeys(LABELS, 4.0))
    return Fold(barks + rest, dict.fromkeys(SNRS_DB, scored), background)


def test_a_fold_is_judged_at_the_thresholds_of_the_others() -> None:
    """One heard 0.7 where no dog was, so that the other's dogs at 0.6 are missed; that one heard 0.3, and
    the first one's own 0.7 is a false event."""
    judged = judge_folds([fold("a", 0.9, 0.1, 0.7), fold("b", 0.6, 0.1, 0.3)])

    assert judged["conditions"][0]["recall"]["dog_bark"] == {"successes": 2, "trials": 4}
    assert judged["false_events"]["dog_bark"] == 1
    assert judged["hours"]["dog_bark"] == 8.0


def test_scores_of_all_folds_are_put_together() -> None:
    """One fold's other sounds score above the other's dogs, though each fold by itself is right."""
    alone = judge_folds([fold("a", 0.9, 0.7, 0.0), fold("b", 0.9, 0.7, 0.0)])
    pooled = judge_folds([fold("a", 0.9, 0.7, 0.0), fold("b", 0.6, 0.1, 0.0)])

    assert alone["conditions"][0]["mean_average_precision"] == 1
    assert pooled["conditions"][0]["mean_average_precision"] < 1


def test_what_figures_rest_on_is_counted() -> None:
    """Recordings, groups of each label, and emotion by corpus."""
    judged = judge_folds([fold("a", 0.9, 0.1, 0.0), fold("b", 0.9, 0.1, 0.0)])

    assert judged["clips"] == 8
    assert judged["groups"]["dog_bark"] == 2
    assert judged["emotion"] == {"acted": {"angry": {"successes": 4, "trials": 4}}}
