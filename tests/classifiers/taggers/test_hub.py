"""Models of the hub as listeners: tiny random ones, loaded from disk as the real ones are."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit, softmax

from monitor.classifiers.taggers.hub import HubClassifier, HubConfig
from monitor.classifiers.taggers.hub_models import Tagger, ast_features
from monitor.errors import ClassifyError, ModelError
from monitor.labels import VOICED, emotions
from testkit import tiny_models
from testkit.builders import noise, segment, tone

AUDIOSET = ["Speech", "Bark", "Yip", "Shatter", "Screaming", "Accordion"]
SEGMENTS = [
    segment(samples, id=f"{i:012x}")
    for i, samples in enumerate((tone(3100, 0.6), noise(2.0, -20), noise(12.0, -30, seed=1), tone(440, 0.02)))
]


def loaded(folder: Path, **options: object) -> HubClassifier:
    classifier = HubConfig.model_validate(
        {"type": "hub", "model": str(folder), "device": "cpu", **options}
    ).build()
    classifier.load()
    return classifier


def test_an_audioset_tagger_is_mapped_to_our_labels(tmp_path: Path) -> None:
    """AST's classes become our labels by their AudioSet names; two classes of one label give the higher."""
    classifier = loaded(tiny_models.ast(tmp_path, AUDIOSET))

    found = classifier.classify(SEGMENTS)

    assert classifier.labels == {"speech", "dog_bark", "glass_break", "scream"}
    assert len(found) == 4 * len(SEGMENTS)
    model = classifier._loaded
    assert isinstance(model, Tagger)
    logits = _logits(model, SEGMENTS[1].audio.samples)
    scores = {d.label: d.score for d in found if d.segment_id == SEGMENTS[1].id}
    assert scores["dog_bark"] == pytest.approx(expit(max(logits[1], logits[2])), abs=1e-5)
    assert scores["glass_break"] == pytest.approx(expit(logits[3]), abs=1e-5)


def _logits(model: Tagger, samples: np.ndarray) -> np.ndarray:
    import torch

    with torch.inference_mode():
        return np.asarray(model._model(**model._features([samples])).logits[0])


@pytest.mark.parametrize("kind", ["ast", "wav2vec2", "clap"])
def test_a_batch_scores_as_each_alone(tmp_path: Path, kind: str) -> None:
    """Segments of different lengths in one call score exactly as alone, also the 20 ms and the 12 s one."""
    folder = {
        "ast": lambda: tiny_models.ast(tmp_path, AUDIOSET),
        "wav2vec2": lambda: tiny_models.wav2vec2(tmp_path, AUDIOSET),
        "clap": lambda: tiny_models.clap(tmp_path),
    }[kind]()
    classifier = loaded(folder)

    together = classifier.classify(SEGMENTS)
    alone = [d for one in SEGMENTS for d in classifier.classify([one])]

    assert np.std([d.score for d in together if d.label == "glass_break"]) > 0
    assert [d.score for d in together] == pytest.approx([d.score for d in alone], abs=1e-5)


def test_an_emotion_model_adds_emotion_to_voices(tmp_path: Path) -> None:
    """Its classes become our emotions, which sum to 1, on the voiced labels; those score the share of voice
    that the voice-activity detector heard, for the model knows nothing of sounds."""
    classifier = loaded(tiny_models.wav2vec2(tmp_path, ["ang", "hap", "neu", "sad"]))

    found = classifier.classify([SEGMENTS[1]])

    assert {d.label for d in found} == VOICED == classifier.labels
    assert {d.score for d in found} == {0.0}
    emotion = found[0].emotion
    assert emotion is not None
    assert set(emotion) == {"angry", "happy", "neutral", "sad"}
    assert sum(emotion.values()) == pytest.approx(1, abs=1e-5)


def test_exclusive_classes_add_up_and_own_names_are_mapped(tmp_path: Path) -> None:
    """`classes` names what a model calls a label; exclusive classes are a softmax and add up."""
    folder = tiny_models.wav2vec2(tmp_path, ["window smash", "bottle smash", "other"])
    classifier = loaded(folder, classes={"glass_break": ["Window smash", "bottle smash"]})

    [found] = classifier.classify([SEGMENTS[1]])

    model = classifier._loaded
    assert isinstance(model, Tagger)
    logits = _logits(model, SEGMENTS[1].audio.samples)
    assert found.label == "glass_break"
    assert found.score == pytest.approx(softmax(logits)[:2].sum(), abs=1e-5)


def test_a_class_that_is_not_the_models_is_an_error(tmp_path: Path) -> None:
    """A misspelt class, and a model none of whose classes we know, are named."""
    folder = tiny_models.wav2vec2(tmp_path, ["a", "b"])

    with pytest.raises(ModelError, match="glass_break: the model has no class 'smash'"):
        loaded(folder, classes={"glass_break": ["smash"]})
    with pytest.raises(ModelError, match="map them under `classes:`"):
        loaded(folder)


def test_clap_scores_labels_by_their_words(tmp_path: Path) -> None:
    """Zero-shot CLAP knows every label with a phrase, and emotions when asked; silence scores the prior."""
    classifier = loaded(
        tiny_models.clap(tmp_path), emotion=True, prior=0.1, labels=["cough", "speech", "rain"]
    )

    found = classifier.classify([SEGMENTS[1], segment(np.zeros(32_000, np.float32), id="ffffffffffff")])

    assert {d.label for d in found} == {"cough", "speech", "rain"}
    assert [d.score for d in found if d.segment_id == "ffffffffffff"] == pytest.approx([0.1] * 3, abs=1e-6)
    spoken = next(d for d in found if d.label == "speech")
    assert spoken.emotion is not None
    assert set(spoken.emotion) == set(emotions())


def test_clap_takes_other_words_for_a_label(tmp_path: Path) -> None:
    """`phrases` replaces the built-in words, and the score changes with them."""
    folder = tiny_models.clap(tmp_path)

    [usual] = loaded(folder, labels=["cough"]).classify([SEGMENTS[1]])
    [other] = loaded(folder, labels=["cough"], phrases={"cough": ["a hacking noise"]}).classify([SEGMENTS[1]])

    assert usual.score != pytest.approx(other.score, abs=1e-6)


def test_ast_uses_transformers_own_filterbank(tmp_path: Path) -> None:
    """Our features for AST are those of its extractor without torchaudio, so that a machine with torchaudio
    scores the same."""
    from transformers.utils import is_torchaudio_available

    classifier = loaded(tiny_models.ast(tmp_path, AUDIOSET))
    model = classifier._loaded
    assert isinstance(model, Tagger)
    extractor = model._extractor
    waves = [SEGMENTS[0].audio.samples, SEGMENTS[1].audio.samples]

    ours = ast_features(extractor, model._ast_filters, waves)

    assert not is_torchaudio_available(), "this environment must be without torchaudio for the comparison"
    assert np.allclose(ours, extractor(waves, sampling_rate=16_000)["input_values"], atol=1e-6)


def test_a_qwen_model_names_its_block(tmp_path: Path) -> None:
    """A Qwen audio model given as a hub model is refused with the type to write."""
    with pytest.raises(ModelError, match="write `type: qwen`"):
        loaded(tiny_models.qwen2_audio(tmp_path))


def test_asking_before_loading_is_an_error(tmp_path: Path) -> None:
    """The message says what to call; a folder that is not there is named."""
    classifier = HubConfig(type="hub", model=str(tmp_path / "none")).build()

    with pytest.raises(ClassifyError, match="call load"):
        classifier.classify(SEGMENTS)
    with pytest.raises(ModelError, match="there is no such folder"):
        classifier.load()
