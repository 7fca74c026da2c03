"""Which sounds go on to a large model."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.classifiers.audio_llm.remote import RemoteConfig
from monitor.classifiers.cascade import Cascade, LabelSubset, SecondLook
from monitor.labels import sounds
from monitor.types import SegmentEnd
from testkit.builders import heard, noise, segment

CLIP = segment(noise(1.0))


def cascade(**options: object) -> Cascade:
    return Cascade(SecondLook.model_validate(options))


def test_an_unsure_score_goes_on() -> None:
    """By default any label between 0.3 and 0.7 goes on; what is clear either way does not."""
    second = cascade()

    assert second.wants(CLIP, [heard("dog_bark", 0.1), heard("cough", 0.5)])
    assert not second.wants(CLIP, [heard("dog_bark", 0.1), heard("cough", 0.9)])
    assert not cascade(unsure=None).wants(CLIP, [heard("cough", 0.5)])


def test_the_small_models_own_band_stands_in_for_unsure() -> None:
    """A label for which the small model knows its band is judged by that; `unsure: null` turns both off."""
    bands = {"cough": (0.05, 0.2)}

    assert Cascade(SecondLook(), bands).wants(CLIP, [heard("cough", 0.1)])
    assert not Cascade(SecondLook(), bands).wants(CLIP, [heard("cough", 0.5)])
    assert not Cascade(SecondLook(unsure=None), bands).wants(CLIP, [heard("cough", 0.1)])


def test_a_label_to_verify_goes_on_however_sure() -> None:
    """Labels of `verify` go on from `verify_above`, and others do not."""
    second = cascade(verify=["glass_break"], verify_above=0.4, unsure=None)

    assert second.wants(CLIP, [heard("glass_break", 0.95)])
    assert not second.wants(CLIP, [heard("glass_break", 0.3)])
    assert not second.wants(CLIP, [heard("gunshot", 0.95)])


def test_for_emotion_every_voice_goes_on() -> None:
    """A voice by the voice-activity detector or by the classifier; not a sound without one."""
    second = cascade(emotion=True, unsure=None)

    assert second.wants(replace(CLIP, speech_ratio=0.5), [])
    assert second.wants(CLIP, [heard("scream", 0.8)])
    assert not second.wants(CLIP, [heard("dog_bark", 0.8)])


def test_what_is_withheld_is_counted() -> None:
    """A voice that a server would have been asked about, had it been allowed to hear it; nothing else."""
    shy = Cascade(RemoteConfig(type="remote", url="http://10.0.0.5/v1", model="m", verify=["scream"]))

    assert not shy.wants(CLIP, [heard("scream", 0.9)])
    assert not shy.wants(CLIP, [heard("scream", 0.1)])
    assert not shy.wants(replace(CLIP, ended_by="open"), [heard("scream", 0.9)])
    assert shy.withheld == 1


@given(
    ended_by=st.sampled_from(["silence", "length", "gap", "shutdown", "open"]),
    scores=st.dictionaries(st.sampled_from(sounds()), st.floats(0, 1)),
)
def test_everything_means_every_finished_segment(ended_by: SegmentEnd, scores: dict[str, float]) -> None:
    """With `everything` all goes on whatever the scores, except early looks, which never do."""
    judged = [heard(label, score) for label, score in scores.items()]

    wanted = cascade(everything=True).wants(replace(CLIP, ended_by=ended_by), judged)

    assert wanted == (ended_by != "open")


def test_what_only_its_rhythm_tells_cannot_be_asked_for() -> None:
    """A label without a phrase under `labels:` is an error that says why."""
    with pytest.raises(ValidationError, match="'co_alarm' is found by its rhythm"):
        LabelSubset.model_validate({"labels": ["co_alarm"]})
    assert LabelSubset.model_validate({"labels": ["cough"]}).labels == ["cough"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"verify": ["glas_break"]}, "did you mean 'glass_break'"),
        ({"unsure": [0.7, 0.3]}, "write the lower score first"),
        ({"unsure": [0.3, 1.7]}, "less than or equal to 1"),
        ({"verfy": []}, "Extra inputs"),
    ],
)
def test_mistakes_are_named(options: dict[str, object], words: str) -> None:
    """Unknown labels, scores the wrong way round and unknown keys are errors that say so."""
    with pytest.raises(ValidationError, match=words):
        cascade(**options)
