"""Taggers as TensorFlow Lite files: asked as ONNX ones are."""

import sys
from pathlib import Path

import numpy as np
import pytest

from monitor.classifiers.taggers.tflite import TfliteConfig
from monitor.errors import ModelError
from testkit.builders import segment, tone
from testkit.tagger_models import class_list
from testkit.tflite_models import tflite_model

LOUD = -13.0
EXPECTED = 10 * 10 ** (LOUD / 10)


def block(model: Path, classes: Path) -> TfliteConfig:
    """The settings of a tagger."""
    return TfliteConfig(type="tflite", model=model, classes=classes)


def test_a_waveform_is_scored_in_windows_of_the_models_length(tmp_path: Path) -> None:
    """As YAMNet takes it: one window at a time, of fixed length."""
    classifier = block(tflite_model(tmp_path), class_list(tmp_path)).build()
    classifier.load()
    silence_then_tone = np.concatenate([np.zeros(16_000, np.float32), tone(500, 1.0, LOUD)])

    found = {each.label: each for each in classifier.classify([segment(silence_then_tone)])}

    assert classifier.window_s == 1.0
    assert found["dog_bark"].score == pytest.approx(EXPECTED, rel=0.02)
    assert found["speech"].score == pytest.approx(EXPECTED / 2, rel=0.02)
    classifier.close()


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    """With the name of the classifier, so that one finds its block."""
    (tmp_path / "broken.tflite").write_bytes(b"TFL3 and nothing more")

    with pytest.raises(ModelError, match="tflite: not a model"):
        block(tmp_path / "broken.tflite", class_list(tmp_path)).build().load()


def test_a_missing_interpreter_is_named_with_its_package(tmp_path: Path, monkeypatch) -> None:
    """It is not installed by itself."""
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)

    with pytest.raises(ModelError, match="ai-edge-litert"):
        block(tflite_model(tmp_path), class_list(tmp_path)).build().load()
