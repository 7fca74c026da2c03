"""A taught sound in the hearing path: beside what the model hears, and never in its way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.taught.classifier import NAME, TaughtClassifier
from monitor.classifiers.taught.sound import TaughtSound
from monitor.events.certainty import held_back
from monitor.labels import LIFE_SAFETY, name_taught
from monitor.types import Detection, Segment
from testkit.builders import START, heard
from testkit.taught import SIZE, hearings, shipped_sha256, taught
from tests.events.tracking import at, tracking


class Model:
    """Stands for the model: these scores, and this embedding."""

    name = "embedded"
    labels = frozenset({"smoke_alarm", "dog_bark"})
    window_s = hop_s = 2.0
    thresholds: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    second_look: ClassVar[Mapping[str, tuple[float, float]]] = {}
    dates = True
    trouble = None

    def __init__(self, embedding: np.ndarray, scores: dict[str, float]) -> None:
        self._embedding = embedding.astype("<f2").tobytes()
        self._scores = scores

    def load(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to let go."""

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Every label."""
        return [
            replace(heard(label, score, segment.started_at), segment_id=segment.id, embedding=self._embedding)
            for segment in segments
            for label, score in self._scores.items()
        ]


def segment(s: float = 0.0) -> Segment:
    audio = Audio(np.zeros(2 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)
    return Segment("a" * 12, "hall", START + timedelta(seconds=s), audio, 0.5, -60, -30, 0.0, "silence")


def listening(*sounds: TaughtSound) -> TaughtClassifier:
    """To what a thing sounds like."""
    return TaughtClassifier(Model(hearings()[0].embedding, {"dog_bark": 0.1}), shipped_sha256(), sounds)


def test_what_is_taught_meanwhile_is_heard_from_the_next_look_on():
    """In place of what was heard before; what another model was taught is not."""
    listener = listening()
    assert [one.label for one in listener.classify([segment()])] == ["dog_bark"]
    listener.take([taught("gate"), taught(model="0" * 64)])
    assert [one.label for one in listener.classify([segment()])] == ["dog_bark", "gate"]
    assert listener.labels == {"smoke_alarm", "dog_bark", "gate"}


def test_it_is_heard_beside_what_the_model_hears():
    """One detection more, with what speaks for it; on probation at first."""
    listener = listening(taught())

    dog, washer = listener.classify([segment()])

    assert dog.label == "dog_bark"
    assert (washer.label, washer.classifier, washer.evidence) == ("washer_done", NAME, {"learning": True})
    assert washer.score > 0.5
    assert washer.started_at == START + timedelta(seconds=0.5)
    assert washer.duration_s == 1.5
    assert listener.labels == {"smoke_alarm", "dog_bark", "washer_done"}
    later = listener.classify([segment(8 * 86_400)])[1]
    assert later.evidence == {}


def test_a_look_and_its_segment_in_one_batch_are_two():
    """They share an id, and each has its own score."""
    listener = listening(taught())
    found = listener.classify([segment(), segment(1.0)])
    assert [one.started_at for one in found if one.label == "washer_done"] == [at(0.5), at(1.5)]


def test_a_model_that_overflows_teaches_nothing():
    """No score of a number that is none."""
    listener = TaughtClassifier(Model(np.full(SIZE, np.inf), {"dog_bark": 0.1}), shipped_sha256(), [taught()])
    assert [one.label for one in listener.classify([segment()])] == ["dog_bark"]


@given(
    st.lists(st.floats(-50, 50), min_size=SIZE, max_size=SIZE),
    st.dictionaries(st.sampled_from([*sorted(LIFE_SAFETY), "dog_bark"]), st.floats(0, 1), min_size=1),
)
def test_nothing_that_is_taught_changes_what_the_model_says(embedding: list[float], scores: dict[str, float]):
    """Whatever it is taught: the alarms' detections pass as they are, and nothing holds an alarm back."""
    model = Model(np.array(embedding), scores)
    listener = TaughtClassifier(model, shipped_sha256(), [taught(), taught("gate")])
    assert listener.classify([segment()])[: len(scores)] == model.classify([segment()])
    assert not any(held_back(label, {"learning": True}) for label in LIFE_SAFETY)


def test_while_it_is_learning_its_events_are_suspected():
    """Then they are confirmed as any other model's are."""
    name_taught(["washer_done"])
    tracker = tracking("washer_done")
    found = heard("washer_done", 0.9, at(0), classifier=NAME, duration_s=1.0)

    learning = replace(found, evidence={"learning": True})
    [event] = tracker.update([learning], at(1))
    assert (event.certainty, event.evidence["learning"]) == ("suspected", True)

    tracker.update([], at(60))
    later = replace(found, started_at=at(100))
    [event] = tracker.update([later], at(101))
    assert event.certainty == "confirmed"
