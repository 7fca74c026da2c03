"""Several taggers that judge together."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classifiers.base import Classifier
from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.classifiers.taggers.ensemble import Ensemble, combined
from monitor.classifiers.taggers.onnx import OnnxConfig
from monitor.config.capabilities import thresholds, unloaded
from monitor.config.loading import default_config
from monitor.config.model import Config
from monitor.pipeline.build import load_classifiers
from testkit.builders import segment, tone
from testkit.tagger_models import class_list, embedded_model, foreign_model

LOUD = -13.0


def logit(p: float) -> float:
    """Log odds."""
    return float(np.log(p / (1 - p)))


@pytest.fixture(name="members")
def _members(tmp_path: Path) -> tuple[Classifier, Classifier]:
    """One that dates, embeds and knows dog_bark, speech, knock; one that hears glass_break, too."""
    own = EmbeddedConfig(type="embedded", model=embedded_model(tmp_path, onsets={"dog_bark": 0.8})).build()
    classes = class_list(tmp_path, ["Shatter", "Bark", "Speech"])
    foreign = OnnxConfig(type="onnx", model=foreign_model(tmp_path, ["b", "n"]), classes=classes).build()
    return own, foreign


def scores(classifier: Classifier, *parts: np.ndarray) -> list[dict[str, float]]:
    """By label, of each segment."""
    segments = [segment(part, id=f"{n:012d}") for n, part in enumerate(parts)]
    found: list[dict[str, float]] = [{} for _ in segments]
    for one in classifier.classify(segments):
        found[int(one.segment_id or "")][one.label] = one.score
    return found


def test_a_score_is_the_mean_of_the_members_log_odds(members: tuple[Classifier, Classifier]) -> None:
    """A label that one alone knows is judged by that one."""
    together = Ensemble(members)
    together.load()
    parts = tone(500, 2.0, LOUD), tone(500, 1.0, LOUD - 6)

    own, foreign, joint = (scores(each, *parts) for each in (*members, together))

    for n in range(2):
        mean = (logit(own[n]["dog_bark"]) + logit(foreign[n]["dog_bark"])) / 2
        assert logit(joint[n]["dog_bark"]) == pytest.approx(mean, abs=1e-3)
        assert joint[n]["glass_break"] == pytest.approx(foreign[n]["glass_break"], abs=1e-6)
    assert together.labels == {"dog_bark", "speech", "knock", "glass_break"}
    together.close()


def test_dates_emotion_and_embedding_are_the_first_members(members: tuple[Classifier, Classifier]) -> None:
    """The one that ships measures when a sound began; a foreign one does not."""
    together = Ensemble(members)
    together.load()
    part = segment(np.concatenate([tone(500, 1.0, LOUD - 40), tone(500, 1.0, LOUD)]))

    [own] = [each for each in members[0].classify([part]) if each.label == "speech"]
    [joint] = [each for each in together.classify([part]) if each.label == "speech"]

    assert (joint.started_at, joint.duration_s, joint.dated) == (own.started_at, own.duration_s, True)
    assert (joint.emotion, joint.embedding) == (own.emotion, own.embedding)
    assert joint.classifier == "ensemble"


def test_a_look_and_its_segment_are_not_mixed(members: tuple[Classifier, Classifier]) -> None:
    """They share an id, and may share a batch."""
    together = Ensemble(members)
    together.load()
    parts = [segment(tone(500, 1.0, level), id="one") for level in (LOUD - 20, LOUD)]

    found = [each.score for each in together.classify(parts) if each.label == "dog_bark"]

    assert len(found) == 2
    assert found[0] < found[1]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=4), st.integers(0, 3), st.floats(0, 1))
def test_more_of_one_is_never_less_of_all(own: list[float], place: int, other: float) -> None:
    """And one member that is deaf to a sound does not silence another that is sure."""
    from monitor.classifiers.taggers.ensemble import _mean

    raised = list(own)
    raised[place % len(own)] = max(other, own[place % len(own)])
    assert 0 <= _mean(own) <= _mean(raised) <= 1
    assert _mean([0.0, 0.999]) == pytest.approx(0.5)


def test_the_configuration_chooses(tmp_path: Path) -> None:
    """`combine`; its onsets are those of members that have any, and one tagger alone is itself."""
    embedded = {"type": "embedded", "model": str(embedded_model(tmp_path, onsets={"dog_bark": 0.8}))}
    model, classes = foreign_model(tmp_path, ["b", "n"]), class_list(tmp_path)
    foreign = {"type": "onnx", "model": str(model), "classes": str(classes)}
    values = default_config([{"type": "demo", "name": "none"}]).model_dump(exclude_unset=True)

    def config(**more: object) -> Config:
        return Config.model_validate(values | {"classifiers": [embedded, foreign]} | more)

    apart, together = config(), config(combine="mean_log_odds")
    loaded = load_classifiers(together)

    assert [each.name for each in unloaded(apart)[0]] == ["embedded", "onnx"]
    assert [each.name for each in loaded.first] == ["ensemble"]
    assert thresholds(together, loaded.first).of("none")["dog_bark"].onset == pytest.approx(0.8)
    assert combined("mean_log_odds", loaded.first[:1]) == loaded.first[:1]
    loaded.close()
