"""Figures on sources that taught nothing."""

import numpy as np
import pytest

from scripts.train_tagger.recordings import Recording, folded_by_source, held_apart, without
from scripts.train_tagger.targets import INDEX, LABELS
from scripts.train_tagger.unseen import (
    GROUPS,
    MEAN_OF_ALL,
    MEAN_OF_TEACHERS,
    JudgedRecordings,
    compared,
    mean_log_odds,
    put_together,
)


def recording(number: int, source: str, *names: str, group: str = "", split: str = "train") -> Recording:
    """One of a source."""
    return Recording(
        f"free/{source}/{number}", source, names, None, "CC0", group or f"{source}{number}", split, 16_000
    )


def test_sources_are_held_out_as_a_whole_and_once() -> None:
    """In some fold each, those of one project together; an original that others have is judged by none."""
    recordings = [
        recording(n, source) for source in ("a", "b", "snoring-1s", "snoring-1s-neg") for n in range(4)
    ]
    recordings.append(recording(9, "a", group="shared"))
    recordings.append(recording(9, "b", group="shared"))

    held_out = [
        {(r.source, r.path) for r in folded_by_source(recordings, f"{k}/3") if r.split == "valid"}
        for k in (1, 2, 3)
    ]

    sources = [{source for source, _ in fold} for fold in held_out]
    assert sorted(map(sorted, sources)) == [["a"], ["b"], ["snoring-1s", "snoring-1s-neg"]]
    assert not any(path.endswith("/9") for fold in held_out for _, path in fold)


def test_what_is_kept_for_judging_neither_teaches_nor_chooses() -> None:
    """Its held-out recordings would choose thresholds; a name that is not there is an error."""
    recordings = [recording(0, "a"), recording(1, "b"), recording(2, "b", split="valid")]

    assert without(recordings, ["b"]) == [recordings[0]]
    assert {r.source for r in held_apart(recordings, ["b"]) if r.split == "valid"} == {"b"}
    with pytest.raises(ValueError, match="no recording is of c"):
        without(recordings, ["c"])


def test_a_mean_of_log_odds_leaves_out_who_does_not_know_a_label() -> None:
    """A listener without the class scores 0 throughout."""
    ours, other = np.array([[0.9, 0.5], [0.1, 0.5]]), np.array([[0.5, 0.0], [0.5, 0.0]])

    mean = mean_log_odds([ours, other])

    assert mean[0, 0] == pytest.approx(0.75)
    assert mean[:, 1] == pytest.approx(0.5)


def test_precision_is_over_recordings_that_say_something_of_the_label() -> None:
    """A clip that leaves the label open is no counter-example; labels of too few sources are left out."""
    recordings = [
        recording(0, "a", "Siren"), recording(1, "b", "Siren"), recording(2, "a", "Rain"),
        recording(3, "a", "Fire alarm"),
    ]  # fmt: skip
    scores = np.zeros((4, len(LABELS)))
    scores[:, INDEX["siren"]] = [0.9, 0.6, 0.1, 0.8]
    scores[:, INDEX["rain"]] = [0.1, 0.1, 0.9, 0.1]
    said = dict.fromkeys(("ours", "one", "other"), scores)

    found = compared(JudgedRecordings(recordings, said), "ours", ["one", "other"], least_sources=2)

    assert set(found["labels"]) == {"siren"}
    assert found["labels"]["siren"]["ours"] == 1.0
    assert found["groups"]["all"]["ours"][0] == 1.0
    assert found["groups"]["alarms and signals"][MEAN_OF_TEACHERS][0] == 1.0
    assert found["groups"]["all"][MEAN_OF_ALL][0] == 1.0
    assert set(
        compared(JudgedRecordings(recordings, said), "ours", ["one", "other"], of={"rain"})["labels"]
    ) == {"rain"}
    assert "voices" not in found["groups"]


def test_folds_are_judged_as_one_set() -> None:
    """Each model judged its own part; a label's precision is over all of them."""
    parts = [
        JudgedRecordings([recording(n, "ab"[n], "Siren")], {"ours": np.full((1, len(LABELS)), 0.1 + n / 2)})
        for n in range(2)
    ]

    whole = put_together(parts)

    assert [r.source for r in whole.recordings] == ["a", "b"]
    assert whole.scores["ours"][:, INDEX["siren"]].tolist() == [0.1, 0.6]


def test_every_label_is_in_one_group() -> None:
    """The table by group leaves none out."""
    grouped = [label for members in GROUPS.values() for label in members]
    assert sorted(grouped) == sorted(LABELS)
