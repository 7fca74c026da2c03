import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from monitor.classifiers.taggers.audioset import read_class_map
from monitor.classifiers.taggers.calibration import read_calibration
from monitor.classifiers.taggers.embedded import EmbeddedConfig, read_sidecar
from monitor.classifiers.taggers.onnx import OnnxClassifier, OnnxConfig
from monitor.errors import ClassifyError, ModelError
from testkit.builders import noise, segment, tone
from testkit.tagger_models import class_list, foreign_model

LOUD = -13.0
EXPECTED = 10 * 10 ** (LOUD / 10)


def tagger(model: Path, classes: Path, **more: object) -> OnnxClassifier:
    """Loaded."""
    fields = {"type": "onnx", "model": model, "classes": classes} | more
    made = OnnxConfig.model_validate(fields).build()
    made.load()
    return made


def scores(classifier: OnnxClassifier, *samples: np.ndarray) -> list[dict[str, float]]:
    """By label, for each segment."""
    parts = [segment(s, id=f"{n:012d}") for n, s in enumerate(samples)]
    said: list[dict[str, float]] = [{} for _ in parts]
    for detection in classifier.classify(parts):
        said[int(detection.segment_id or "")][detection.label] = detection.score
    return said


@pytest.mark.parametrize(
    "shape", [["n"], ["b", "n"], [1, "n"], ["b", 1, "n"], ["b", 32_000], [32_000], [1, 32_000]]
)
def test_every_usual_shape_of_input_is_served(tmp_path: Path, shape: Sequence[int | str]) -> None:
    """With or without a batch axis, free or fixed: the scores are the same."""
    classifier = tagger(foreign_model(tmp_path, shape), class_list(tmp_path))

    first, second = scores(classifier, tone(500, 2.0, LOUD), tone(500, 2.0, LOUD - 3))

    assert first["dog_bark"] == pytest.approx(EXPECTED, rel=0.02)
    assert first["speech"] == pytest.approx(EXPECTED / 2, rel=0.02)
    assert second["dog_bark"] == pytest.approx(EXPECTED / 2, rel=0.02)


@pytest.mark.parametrize("shape", [["n"], ["b", "n"]])
def test_frames_are_pooled_by_their_highest(tmp_path: Path, shape: Sequence[int | str]) -> None:
    """As YAMNet exports have it: an axis of frames before the classes."""
    classifier = tagger(foreign_model(tmp_path, shape, frames=True), class_list(tmp_path))

    assert scores(classifier, tone(500, 2.0, LOUD))[0]["dog_bark"] == pytest.approx(EXPECTED, rel=0.02)


def test_classes_are_mapped_by_their_audioset_names(tmp_path: Path) -> None:
    """The highest of the classes that mean a label is its score; classes that mean none are left out."""
    classes = class_list(tmp_path, ["Zither", "Shatter", "Bark", "Dog"], column="name")
    classifier = tagger(foreign_model(tmp_path, ["b", "n"], classes=4), classes)

    assert classifier.labels == {"glass_break", "dog_bark"}
    said = scores(classifier, tone(500, 2.0, LOUD))[0]
    assert said == pytest.approx({"glass_break": EXPECTED / 2, "dog_bark": EXPECTED / 4}, rel=0.02)


def test_logits_become_probabilities(tmp_path: Path) -> None:
    """Of a model that scores before the sigmoid."""
    classifier = tagger(foreign_model(tmp_path, ["b", "n"], logit=True), class_list(tmp_path), scores="logit")

    odds = EXPECTED
    assert scores(classifier, tone(500, 2.0, LOUD))[0]["dog_bark"] == pytest.approx(
        odds / (1 + odds), rel=0.02
    )


def test_a_sound_in_a_long_segment_is_found_and_dated(tmp_path: Path) -> None:
    """By the window in which it scored highest."""
    classifier = tagger(foreign_model(tmp_path, ["b", "n"]), class_list(tmp_path))
    part = segment(np.concatenate([noise(6.0, -60), tone(500, 2.0, LOUD), noise(2.0, -60)]))

    bark = next(d for d in classifier.classify([part]) if d.label == "dog_bark")

    assert bark.score == pytest.approx(EXPECTED, rel=0.05)
    assert (bark.started_at - part.started_at).total_seconds() == 6.0


@pytest.mark.parametrize("value", [0.0, 0.5, np.nan], ids=["silence", "DC", "NaN"])
def test_no_sound_scores_nothing(tmp_path: Path, value: float) -> None:
    """Whatever the model would make of it."""
    classifier = tagger(foreign_model(tmp_path, ["b", "n"]), class_list(tmp_path))

    assert set(scores(classifier, np.full(16_000, value, np.float32))[0].values()) == {0.0}


def test_a_model_at_another_rate_hears_the_same_sound(tmp_path: Path) -> None:
    """The segment is brought to the model's rate."""
    classifier = tagger(foreign_model(tmp_path, ["b", "n"]), class_list(tmp_path), sample_rate_hz=32_000)

    assert scores(classifier, tone(500, 2.0, LOUD))[0]["dog_bark"] == pytest.approx(EXPECTED, rel=0.05)


def test_the_wrong_list_of_classes_is_found_at_load(tmp_path: Path) -> None:
    """Four classes of scores, three rows in the CSV."""
    with pytest.raises(ModelError, match="has 3 classes, but the outputs"):
        tagger(foreign_model(tmp_path, ["b", "n"], classes=4), class_list(tmp_path))


def test_a_list_without_audioset_names_is_refused(tmp_path: Path) -> None:
    """Before anything is loaded."""
    block = {"type": "onnx", "model": "x.onnx", "classes": class_list(tmp_path, ["a", "b"])}

    with pytest.raises(ModelError, match="no AudioSet class in it"):
        _ = OnnxConfig.model_validate(block).build().labels


def test_a_missing_list_is_one_clear_error(tmp_path: Path) -> None:
    """Naming the file."""
    block = {"type": "onnx", "model": "x.onnx", "classes": tmp_path / "none.csv"}

    with pytest.raises(ModelError, match=r"none\.csv: the list of classes cannot be read"):
        _ = OnnxConfig.model_validate(block).build().labels


def test_a_missing_model_is_one_clear_error(tmp_path: Path) -> None:
    """Naming the file."""
    with pytest.raises(ModelError, match=r"none\.onnx is not there"):
        tagger(tmp_path / "none.onnx", class_list(tmp_path))


def test_an_unknown_output_is_refused_with_those_there_are(tmp_path: Path) -> None:
    """`output: probs` where the model calls it `said`."""
    with pytest.raises(ModelError, match="no output 'probs'; there are: said"):
        tagger(foreign_model(tmp_path, ["b", "n"]), class_list(tmp_path), output="probs")


def test_a_model_of_spectrograms_does_not_fit(tmp_path: Path) -> None:
    """Found while loading, not at the first sound."""
    with pytest.raises(ModelError, match="does not take a waveform"):
        tagger(foreign_model(tmp_path, ["b", 1, 64, 100]), class_list(tmp_path))


def test_a_classifier_that_is_not_loaded_makes_no_scores_up(tmp_path: Path) -> None:
    """Asking before `load` is an error, not silence."""
    block = {"type": "onnx", "model": foreign_model(tmp_path, ["b", "n"]), "classes": class_list(tmp_path)}

    with pytest.raises(ClassifyError, match="before its model was loaded"):
        OnnxConfig.model_validate(block).build().classify([segment(noise(1.0))])


def test_a_pipe_is_no_list_of_classes_and_no_calibration(tmp_path: Path) -> None:
    """Whoever opens one waits for ever for somebody to write: neither `check` nor the start does."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.with_suffix(".json").symlink_to(pipe)
    for read in (read_class_map, read_calibration, read_sidecar):
        with pytest.raises(ModelError, match="is a pipe and no file"):
            read(pipe)


def test_a_pipe_is_no_model(tmp_path: Path) -> None:
    """The daemon would wait for it and never listen."""
    os.mkfifo(tmp_path / "pipe.onnx")
    own = EmbeddedConfig(type="embedded", model=tmp_path / "pipe.onnx").build()
    with pytest.raises(ModelError, match="is a pipe and no file"):
        own.load()
    with pytest.raises(ModelError, match="is a pipe and no file"):
        tagger(tmp_path / "pipe.onnx", class_list(tmp_path))
