from collections import Counter

import pytest

from scripts.train_tagger.recordings import Recording, folded

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
