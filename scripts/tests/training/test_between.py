"""Weights between what a student began with and what it became."""

from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.train_tagger.between import between, measure_norms, mixed
from scripts.train_tagger.network import SETTLED_STAGES, Student
from scripts.train_tagger.preparing import keep_start
from scripts.train_tagger.recordings import Recording
from scripts.train_tagger.release import ENOUGH_GROUPS, LEAST_LABEL_SHARE, label_shares
from scripts.train_tagger.stock import Stock
from scripts.train_tagger.targets import INDEX
from scripts.train_tagger.training import new_student


def student(seed: int) -> Student:
    """With random weights."""
    torch.manual_seed(seed)
    return new_student().eval()


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_lie_on_the_straight_line(share: float) -> None:
    """0 is the beginning, 1 what was learnt; guesses at the teachers are what was learnt throughout."""
    start, learnt = student(1).state_dict(), student(2).state_dict()
    found = mixed(start, learnt, share)

    expected = (1 - share) * start["label.weight"] + share * learnt["label.weight"]
    assert torch.allclose(found["label.weight"], expected)
    assert torch.equal(found["to_teacher.weight"], learnt["to_teacher.weight"])


def test_norms_expect_what_they_meet() -> None:
    """Their means and spreads are those of the maps, not the mean of those at the two ends."""
    one = student(1)
    with torch.no_grad():
        waves = [0.1 * torch.randn(8, 16_000) for _ in range(2)]
        maps = [one.maps(one.front(wave))[SETTLED_STAGES - 1] for wave in waves]
        measure_norms(one, maps)
        first = next(m for m in one.stages[SETTLED_STAGES].modules() if isinstance(m, torch.nn.BatchNorm2d))
        before = one.stages[SETTLED_STAGES].widen.conv(torch.cat(maps))  # type: ignore[union-attr, operator]

    assert first.running_mean is not None
    assert first.running_mean.numpy() == pytest.approx(before.mean((0, 2, 3)).numpy(), abs=1e-4)
    assert not first.training


def test_a_run_without_its_beginning_cannot_go_back(tmp_path: Path) -> None:
    """The start is kept before the first step, and not overwritten when a run goes on."""
    torch.save({"averaged": student(2).state_dict(), "step": 3, "recipe": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(FileNotFoundError, match=r"start\.pt"):
        between(tmp_path, 0.5, Stock([tmp_path]))

    keep_start(student(1), tmp_path / "start.pt")
    keep_start(student(2), tmp_path / "start.pt")
    kept = torch.load(tmp_path / "start.pt", weights_only=True)
    assert torch.equal(kept["label.weight"], student(1).state_dict()["label.weight"])


def test_labels_count_the_more_the_more_groups_taught_them() -> None:
    """Ten cuts of one recording are one group."""
    barks = [recording("Bark", f"group {n}") for n in range(ENOUGH_GROUPS)]
    sirens = [recording("Siren", "one") for _ in range(10)]
    shares = label_shares(barks + sirens)

    assert shares[INDEX["dog_bark"]] == 1
    assert shares[INDEX["siren"]] == pytest.approx(
        LEAST_LABEL_SHARE + (1 - LEAST_LABEL_SHARE) / ENOUGH_GROUPS
    )
    assert np.all(shares >= LEAST_LABEL_SHARE)


def recording(label: str, group: str) -> Recording:
    """One of a set, with one AudioSet name."""
    return Recording("x.wav", "set", (label,), None, "CC0-1.0", group, "train", 32_000)
