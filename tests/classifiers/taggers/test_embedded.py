from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import Audio
from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.errors import ClassifyError, ModelError
from monitor.types import Detection
from testkit.builders import START, noise, segment, tone
from testkit.tagger_models import embedded_model

LOUD, QUIET = -12.0, -60.0


@pytest.fixture
def classifier(tmp_path: Path) -> EmbeddedClassifier:
    """A loaded classifier that hears loudness."""
    made = EmbeddedConfig(type="embedded", model=embedded_model(tmp_path)).build()
    made.load()
    return made


def of(label: str, found: list[Detection]) -> Detection:
    """The one detection of a label."""
    (detection,) = [d for d in found if d.label == label]
    return detection


def test_labels_and_thresholds_are_known_without_loading(tmp_path: Path) -> None:
    """`check` can name every label that may be heard without opening a model."""
    file = embedded_model(
        tmp_path, onsets={"dog_bark": 0.7}, hits={"dog_bark": 2}, second_look={"dog_bark": (0.4, 0.9)}
    )
    file.unlink()

    classifier = EmbeddedConfig(type="embedded", model=file).build()

    assert classifier.labels == {"dog_bark", "speech", "knock"}
    assert classifier.thresholds == {"dog_bark": {"onset": 0.7, "hits": 2}}
    assert classifier.second_look == {"dog_bark": (0.4, 0.9)}


def test_every_label_of_every_segment_gets_one_detection(classifier: EmbeddedClassifier) -> None:
    """However low its score: the tracker decides, not the classifier."""
    found = classifier.classify([segment(noise(1.0), id="a" * 12), segment(noise(7.0), id="b" * 12)])

    assert sorted((d.segment_id, d.label) for d in found) == sorted(
        (id, label) for id in ("a" * 12, "b" * 12) for label in classifier.labels
    )


def test_scores_do_not_depend_on_the_company(classifier: EmbeddedClassifier) -> None:
    """A segment scores the same alone and between others of other lengths."""
    parts = [segment(noise(length, LOUD + n, seed=n)) for n, length in enumerate((0.4, 1.0, 3.2, 5.0, 1.0))]

    together = [d.score for d in classifier.classify(parts)]
    alone = [d.score for part in parts for d in classifier.classify([part])]

    assert together == pytest.approx(alone, abs=1e-5)


def test_the_onset_is_where_the_sound_begins_inside_the_segment(classifier: EmbeddedClassifier) -> None:
    """An event is dated by its sound, not by the pre-roll before it."""
    samples = np.concatenate([noise(5.0, QUIET), tone(1000, 1.0, LOUD), noise(3.0, QUIET)])

    bark = of("dog_bark", classifier.classify([segment(samples)]))

    assert (bark.started_at - START) / timedelta(seconds=1) == pytest.approx(5.0, abs=0.17)
    assert bark.duration_s == pytest.approx(1.0, abs=0.33)


def test_the_highest_window_of_a_long_segment_counts(classifier: EmbeddedClassifier) -> None:
    """A short sound in ten seconds is not averaged away."""
    samples = np.concatenate([noise(8.0, QUIET), tone(1000, 0.5, LOUD), noise(1.5, QUIET)])

    assert of("dog_bark", classifier.classify([segment(samples)])).score > 0.4


def test_an_emotion_comes_with_a_voice(classifier: EmbeddedClassifier) -> None:
    """Speech that is heard carries the emotions; other labels do not."""
    found = classifier.classify([segment(tone(300, 1.0, -10.0))])

    assert of("speech", found).emotion == pytest.approx({"neutral": 0.25, "angry": 0.75})
    assert of("dog_bark", found).emotion is None


def test_no_emotion_without_a_voice(classifier: EmbeddedClassifier) -> None:
    """Where nobody is heard, an emotion would be made up."""
    assert of("speech", classifier.classify([segment(noise(1.0, -40.0))])).emotion is None


@pytest.mark.parametrize(
    "samples",
    [np.zeros(16_000, np.float32), np.full(16_000, 0.5, np.float32), np.full(160, np.nan, np.float32)],
    ids=["silence", "DC", "NaN"],
)
def test_no_sound_scores_nothing(classifier: EmbeddedClassifier, samples: np.ndarray) -> None:
    """Silence, a constant and broken samples are no sound at all."""
    assert {d.score for d in classifier.classify([segment(samples)])} == {0.0}


def test_broken_samples_do_not_spoil_their_neighbours(classifier: EmbeddedClassifier) -> None:
    """One NaN in one segment leaves the other segments' scores as they are."""
    sound = tone(1000, 1.0, LOUD)
    broken = sound.copy()
    broken[100] = np.nan

    together = classifier.classify([segment(broken), segment(sound)])

    assert all(np.isfinite(d.score) for d in together)
    assert together[3].score == pytest.approx(classifier.classify([segment(sound)])[0].score, abs=1e-5)


@given(seconds=st.sampled_from([0.0, 1 / 16_000, 0.01, 0.16, 3.2, 3.2001, 600.0]), level=st.floats(-80, 0))
@settings(max_examples=15, deadline=None)
def test_any_length_gives_scores(seconds: float, level: float) -> None:
    """From no sample to ten minutes: scores from 0 to 1, onset and length inside the segment."""
    sound = segment(noise(seconds, level))
    for detection in _any_length.classify([sound]):
        assert 0 <= detection.score <= 1
        assert sound.started_at <= detection.started_at <= sound.ends_at
        assert 0 <= detection.duration_s <= max(0.16, sound.audio.duration_s)


@pytest.fixture(autouse=True, scope="module")
def _hypothesis_classifier(tmp_path_factory: pytest.TempPathFactory) -> None:
    global _any_length
    _any_length = EmbeddedConfig(
        type="embedded", model=embedded_model(tmp_path_factory.mktemp("model"))
    ).build()
    _any_length.load()


_any_length: EmbeddedClassifier


def test_sound_at_another_rate_is_resampled(classifier: EmbeddedClassifier) -> None:
    """A segment at 48 kHz is judged as the same sound at 16 kHz."""
    at_16k = tone(500, 1.0, LOUD)
    at_48k = Audio(at_16k.copy(), 16_000).resampled(48_000)
    other = segment(at_16k)
    object.__setattr__(other, "audio", at_48k)

    assert of("dog_bark", classifier.classify([other])).score == pytest.approx(
        of("dog_bark", classifier.classify([segment(at_16k)])).score, abs=0.02
    )


def test_no_segments_no_detections(classifier: EmbeddedClassifier) -> None:
    """An empty batch is not an error."""
    assert classifier.classify([]) == []


def test_embeddings_come_one_for_each_segment(classifier: EmbeddedClassifier) -> None:
    """For teaching new sounds: one vector a segment, whatever the number of windows."""
    assert classifier.embed([segment(noise(1.0)), segment(noise(9.0))]).shape == (2, 3)


def test_a_classifier_that_is_not_loaded_makes_no_scores_up(tmp_path: Path) -> None:
    """Asking before `load` is an error, not silence."""
    classifier = EmbeddedConfig(type="embedded", model=embedded_model(tmp_path)).build()

    with pytest.raises(ClassifyError, match="before its model was loaded"):
        classifier.classify([segment(noise(1.0))])


def test_a_closed_classifier_can_be_loaded_again(classifier: EmbeddedClassifier) -> None:
    """`close` and `load` may alternate."""
    classifier.close()
    with pytest.raises(ClassifyError):
        classifier.classify([segment(noise(1.0))])
    classifier.load()
    assert classifier.classify([segment(noise(1.0))])


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    """The package was damaged or the path is wrong."""
    file = embedded_model(tmp_path)
    file.unlink()

    with pytest.raises(ModelError, match=r"tagger\.onnx cannot be read .* reinstall earwitness"):
        EmbeddedConfig(type="embedded", model=file).build().load()


def test_a_model_that_is_not_the_one_described_is_refused(tmp_path: Path) -> None:
    """A changed byte changes the SHA-256."""
    file = embedded_model(tmp_path)
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")

    with pytest.raises(ModelError, match="damaged or not the model of its JSON"):
        EmbeddedConfig(type="embedded", model=file).build().load()


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """With the right SHA-256 but nothing that onnxruntime can open."""
    import hashlib

    junk = b"not a model"
    file = embedded_model(tmp_path, sha256=hashlib.sha256(junk).hexdigest())
    file.write_bytes(junk)

    with pytest.raises(ModelError, match="onnxruntime"):
        EmbeddedConfig(type="embedded", model=file).build().load()


@pytest.mark.parametrize("content", ["", "[]", '{"version": 1}'])
def test_a_broken_description_is_one_clear_error(tmp_path: Path, content: str) -> None:
    """The JSON beside the model is read before anything else."""
    file = embedded_model(tmp_path)
    file.with_suffix(".json").write_text(content)

    with pytest.raises(ModelError, match=r"tagger\.json does not describe a model"):
        _ = EmbeddedConfig(type="embedded", model=file).build().labels


def test_a_missing_description_is_one_clear_error(tmp_path: Path) -> None:
    """Naming a model without its JSON."""
    with pytest.raises(ModelError, match=r"other\.json cannot be read"):
        _ = EmbeddedConfig(type="embedded", model=tmp_path / "other.onnx").build().labels
