"""Onsets that fit one's own recordings."""

import numpy as np
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.recordings.evaluation.proposal import FEWEST, as_yaml, best_onset, proposed

SCORES = st.lists(st.floats(0, 1), min_size=FEWEST, max_size=40)


def test_an_onset_lies_between_what_is_heard_and_what_is_not():
    """Ten glass breaks from 0.6 up and twenty other sounds up to 0.2: half-way, surely."""
    truth = np.array([True] * 10 + [False] * 20)
    scores = np.concatenate([np.linspace(0.6, 0.9, 10), np.linspace(0, 0.2, 20)])
    found = proposed(truth, scores)

    assert found is not None
    assert found.onset == 0.4
    assert (found.recall, found.precision) == (1.0, 1.0)
    assert found.low <= found.onset <= found.high


def test_few_recordings_that_overlap_are_said_to_be_unsure():
    """With more of them the interval narrows."""
    rng = np.random.default_rng(1)

    def width(count: int) -> float:
        truth = np.array([True] * count + [False] * count)
        scores = np.clip(np.concatenate([rng.normal(0.6, 0.2, count), rng.normal(0.4, 0.2, count)]), 0, 1)
        found = proposed(truth, scores)
        assert found is not None
        return found.high - found.low

    assert width(3000) < 0.15 < width(8)


def test_nothing_is_proposed_from_four_recordings():
    """One more would change it."""
    truth = np.array([True] * (FEWEST - 1) + [False] * 50)
    assert proposed(truth, np.linspace(0, 1, len(truth))) is None


@given(heard=SCORES, other=SCORES)
def test_no_other_onset_has_a_better_f1(heard: list[float], other: list[float]) -> None:
    """Whatever the scores are; to the two places that are written."""
    truth = np.array([True] * len(heard) + [False] * len(other))
    scores = np.round(np.array(heard + other), 1)

    def f1(onset: float) -> float:
        said = scores >= onset
        return float(2 * (said & truth).sum() / (said.sum() + truth.sum()))

    best = max(f1(onset) for onset in np.arange(0.05, 1.0, 0.1))
    assert f1(best_onset(truth, scores)) >= best - 1e-9


def test_the_yaml_can_be_pasted():
    """It is a `labels:` block with comments."""
    truth = np.array([True] * 10 + [False] * 10)
    found = proposed(truth, np.where(truth, 0.8, 0.2))
    assert found is not None
    text = as_yaml([("glass_break", 0.86, found)])

    assert yaml.safe_load(text) == {"labels": {"glass_break": {"onset": 0.5}}}
    assert "was 0.86; high confidence" in text
    assert as_yaml([]) == ""
