"""Recall at equal false events."""

from datetime import timedelta

import pytest

from monitor.clock import BEGINNING
from monitor.events.defaults import DEFAULTS
from monitor.recordings.analysis import SOURCE
from monitor.types import Detection
from scripts.scenes.composing import Placed
from scripts.scenes.equal_rates import LabelOutcome, at_equal_rates, best, by_sensitivity
from scripts.scenes.hearing import Hearing, Trace


def bark(at_s: float, score: float) -> tuple[float, list[Detection]]:
    """A look that found a bark of half a second ending then."""
    began = BEGINNING + timedelta(seconds=at_s - 0.5)
    return at_s, [Detection("dog_bark", score, "tagger", SOURCE, began, 0.5, f"segment {at_s}")]


def scene(*looks: tuple[float, list[Detection]]) -> Hearing:
    """An hour with barks at 100, 200 and 300 s."""
    placed = tuple(Placed("dog_bark", "bark.wav", at, at + 1.0, 10.0) for at in (100.0, 200.0, 300.0))
    return Hearing("one", 3600, placed, (), False, False, "mixed", [], Trace([], list(looks)), [{}] * 3)


def test_a_lower_onset_is_taken_as_far_as_false_events_allow() -> None:
    """Two barks score above the two sounds that are taken for one, the third below them."""
    hearing = scene(bark(100.5, 0.9), bark(200.5, 0.8), bark(300.5, 0.3), bark(500.0, 0.6), bark(600.0, 0.5))
    found = {row["false_an_hour"]: row["macro_recall"] for row in at_equal_rates([hearing], DEFAULTS)}

    assert found["at most 1"] == pytest.approx(2 / 3, abs=0.001)
    assert found["at most 2"] == 1.0


def test_a_source_that_is_more_sensitive_hears_more_and_errs_more() -> None:
    """The onset of 0.5 is 0.12 for it, and 0.88 for one that is less so."""
    hearing = scene(bark(100.5, 0.9), bark(200.5, 0.8), bark(300.5, 0.3), bark(500.0, 0.6), bark(600.0, 0.2))
    found = {row["sensitivity"]: row for row in by_sensitivity([hearing], DEFAULTS)}

    assert found[1.0] == {"sensitivity": 1.0, "false_an_hour": 2.0, "macro_recall": 1.0}
    assert (found[0.0]["false_an_hour"], found[0.0]["macro_recall"]) == (1.0, 0.667)
    assert (found[-1.0]["false_an_hour"], found[-1.0]["macro_recall"]) == (0.0, 0.333)


def test_labels_share_the_budget() -> None:
    """Where one label costs more than it hears, the other has the false events."""
    cheap = [LabelOutcome(1.0, 1.0), LabelOutcome(0.2, 0.0)]
    dear = [LabelOutcome(0.6, 3.0), LabelOutcome(0.5, 0.0)]

    assert best({"cheap": cheap, "dear": dear}, 1.0) == pytest.approx(0.75)
    assert best({"cheap": cheap, "dear": dear}, 0.5) == pytest.approx(0.35)
    assert best({"cheap": cheap, "dear": dear}, 4.0) == pytest.approx(0.8)


def test_a_model_that_hears_nothing_has_no_recall() -> None:
    """And no false event."""
    assert {row["macro_recall"] for row in at_equal_rates([scene()], DEFAULTS)} == {0.0}
