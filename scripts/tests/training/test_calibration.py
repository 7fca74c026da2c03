import numpy as np
import pytest

from scripts.train_tagger.calibration import fit_calibration


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
