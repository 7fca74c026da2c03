import numpy as np
import pytest

from scripts.train_tagger.calibration import fit_calibration
from scripts.train_tagger.operating_point import HIGHEST, LOWEST, Background, choose_onsets, second_look
from scripts.train_tagger.targets import INDEX, LABELS


def test_overconfident_scores_are_tamed() -> None:
    """Logits twice as large as they should be are halved."""
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, (4_000, 3))
    truth = (rng.random(honest.shape) < 1 / (1 + np.exp(-honest))).astype(float)

    fitted = fit_calibration(2 * honest, truth, np.ones_like(truth))

    assert fitted.scale == pytest.approx(0.5, abs=0.05)
    assert fitted.shift == pytest.approx(0.0, abs=0.15)


def test_labels_without_examples_take_the_common_shift() -> None:
    """What nobody labelled cannot have a shift of its own; what is left open does not count."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (2_000, 2))
    truth = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)
    truth[:, 1] = 0
    known = np.ones_like(truth)
    known[:, 1] = 0

    fitted = fit_calibration(logits, truth, known)

    assert fitted.shift == pytest.approx(0.0, abs=0.15)


def background(
    label: str, score: float, at: list[int], windows: int = 4_500, hop_s: float = 8.0
) -> Background:
    """Ten hours in which one label scores in some windows."""
    scores = np.zeros((windows, len(LABELS)), np.float32)
    scores[at, INDEX[label]] = score
    return Background(scores, hop_s)


def test_windows_next_to_each_other_are_one_false_event() -> None:
    """Those within ten seconds of each other."""
    heard = background("rain", 0.8, [10, 11, 12, 40])

    assert heard.hours == 10
    assert heard.false_events(INDEX["rain"], 0.5) == 2
    assert heard.false_events(INDEX["rain"], 0.9) == 0


def test_thresholds_allow_what_the_operating_point_allows() -> None:
    """One event in ten hours for an everyday label; none for a critical one, of which all share that rate."""
    rain = choose_onsets(background("rain", 0.8, [10, 50]))["rain"]
    rain_once = choose_onsets(background("rain", 0.8, [10]))["rain"]
    gunshot = choose_onsets(background("gunshot", 0.7, [10]))["gunshot"]

    assert rain == pytest.approx(0.81, abs=0.011)
    assert rain_once == LOWEST
    assert gunshot == pytest.approx(0.71, abs=0.011)


def test_thresholds_stay_where_scores_mean_something() -> None:
    """A label that scores 0.99 in backgrounds is capped, and the model card says so."""
    assert choose_onsets(background("rain", 0.99, [10, 50]))["rain"] == HIGHEST


def test_the_band_of_doubt_surrounds_the_threshold() -> None:
    """By as much in odds on either side."""
    low, high = second_look({"rain": 0.5})["rain"]

    assert low == pytest.approx(1 - high, abs=1e-3)
    assert low < 0.5 < high
