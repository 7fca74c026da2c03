"""Scores that become probabilities."""

import json
from pathlib import Path

import numpy as np
import pytest

from monitor.classifiers.taggers.calibration import (
    calibrated,
    fitted,
    logits,
    probabilities,
    read_calibration,
    write_calibration,
)
from monitor.classifiers.taggers.onnx import OnnxConfig
from monitor.errors import ModelError
from testkit.builders import segment, tone
from testkit.tagger_models import class_list, foreign_model


def test_the_curve_that_made_the_truth_is_found() -> None:
    """Offset and slope, from 4,000 recordings."""
    rng = np.random.default_rng(3)
    x = rng.normal(-4, 3, 4000)
    truth = rng.random(4000) < probabilities(3.0 + 1.5 * x)

    offset, slope = fitted(truth, probabilities(x)) or (0, 0)

    assert offset == pytest.approx(3.0, abs=0.4)
    assert slope == pytest.approx(1.5, abs=0.15)


def test_perfectly_parted_scores_give_a_finite_curve() -> None:
    """Few recordings, no mistake among them: Platt's targets keep it from being sure."""
    truth = np.repeat([True, False], 10)
    scores = np.where(truth, 0.9, 0.1)

    curve = fitted(truth, scores)

    assert curve is not None
    assert np.isfinite(curve).all()
    high, low = calibrated("siren", np.array([0.9, 0.1], np.float32), {"siren": curve})
    assert 0.8 < high < 1
    assert 0 < low < 0.2


@pytest.mark.parametrize(
    ("truth", "scores"),
    [
        (np.repeat([True, False], [4, 20]), np.linspace(0.9, 0.1, 24)),
        (np.repeat([True, False], 10), np.linspace(0.1, 0.9, 20)),
    ],
    ids=["too few", "the wrong way round"],
)
def test_nothing_is_made_of_too_little(truth, scores) -> None:
    """Neither of four recordings, nor where a higher score speaks against the sound."""
    assert fitted(truth, scores) is None


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And applied to the label it names alone."""
    file = tmp_path / "yamnet.json"
    write_calibration(file, {"dog_bark": (2.0, 0.5)})
    assert read_calibration(file) == {"dog_bark": (2.0, 0.5)}

    model, classes = foreign_model(tmp_path, ["b", "n"]), class_list(tmp_path)
    raw, changed = (
        OnnxConfig(type="onnx", model=model, classes=classes, calibration=each).build()
        for each in (None, file)
    )
    found = []
    for classifier in (raw, changed):
        classifier.load()
        part = segment(tone(500, 2.0, -13.0))
        found.append({each.label: each.score for each in classifier.classify([part])})
    assert logits(found[1]["dog_bark"]) == pytest.approx(2.0 + 0.5 * logits(found[0]["dog_bark"]), abs=1e-3)
    assert found[1]["speech"] == found[0]["speech"]


@pytest.mark.parametrize(
    "content",
    ["{", "[]", json.dumps({"siren": 3}), json.dumps({"sirene": [0, 1]}), json.dumps({"siren": [0, -1]}),
     '{"siren": [NaN, 1]}'],
)  # fmt: skip
def test_anything_else_is_refused_with_the_way_to_make_one(tmp_path: Path, content: str) -> None:
    """A broken file must not make a house deaf."""
    file = tmp_path / "yamnet.json"
    file.write_text(content)

    with pytest.raises(ModelError, match="earwitness eval"):
        read_calibration(file)
    with pytest.raises(ModelError, match="cannot be read"):
        read_calibration(tmp_path / "none.json")
