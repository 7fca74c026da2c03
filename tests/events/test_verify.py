"""What a large model's answer changes."""

import pytest

from monitor.events.tracker import Tracker
from monitor.labels import LIFE_SAFETY
from tests.events.tracking import QWEN, at, beeps, hit, tracking


def test_a_muted_source_takes_no_second_opinion() -> None:
    """What a large model says of a muted source changes nothing, but for the life-safety alarms."""
    tracker = tracking("speech", QWEN, hold_s=5)
    tracker.update([hit("speech", s=1, segment_id="a" * 12)], at(1))
    tracker.mute("kitchen", True, at(2))

    answer = hit("speech", s=1, segment_id="a" * 12, classifier="qwen", description="secrets")

    assert tracker.update([answer], at(3)) == []


def test_a_verifier_confirms() -> None:
    """The large model's agreement is an update that names it."""
    tracker = tracking("glass_break", QWEN)
    tracker.update([hit("glass_break", s=1, segment_id="a" * 12)], at(1))

    [event] = tracker.update([hit("glass_break", 0.8, 1, segment_id="a" * 12, classifier="qwen")], at(3))

    assert (event.state, event.certainty, event.confirmed_by) == ("updated", "confirmed", ("qwen",))


def test_a_verifier_casts_doubt_and_takes_it_back() -> None:
    """Not hearing it makes the event suspected, with the score as evidence; hearing it ends the doubt."""
    tracker = tracking("glass_break", QWEN, hold_s=60)
    tracker.update([hit("glass_break", s=1, segment_id="a" * 12)], at(1))

    [doubted] = tracker.update([hit("glass_break", 0.05, 1, segment_id="a" * 12, classifier="qwen")], at(3))
    tracker.update([hit("glass_break", s=9, segment_id="b" * 12)], at(9))
    [again] = tracker.update([hit("glass_break", 0.9, 9, segment_id="b" * 12, classifier="qwen")], at(11))

    assert (doubted.certainty, doubted.evidence["doubted_by"]) == ("suspected", {"qwen": 0.05})
    assert (again.certainty, "doubted_by" in again.evidence) == ("confirmed", False)


@pytest.mark.parametrize("label", sorted(LIFE_SAFETY))
def test_a_verifier_neither_doubts_nor_opens_an_alarm(label: str) -> None:
    """Nothing vetoes smoke, CO and fire, and a large model alone does not raise them."""
    tracker = Tracker(verifiers=QWEN)
    assert tracker.update([hit(label, 1.0, 1, classifier="qwen")], at(1)) == []

    tracker.update([beeps(label, "confirmed", 20)], at(20))

    assert tracker.update([hit(label, 0.0, 19, classifier="qwen")], at(22)) == []


def test_a_verifier_opens_what_nobody_had() -> None:
    """One look at the whole segment is enough, and an event long over begins and ends at once."""
    tracker = tracking("siren", QWEN, hits=4, hold_s=5)

    soon = tracker.update([hit("siren", 0.8, 1, segment_id="a" * 12, classifier="qwen")], at(3))
    late = tracker.update([hit("groan", 0.8, 1, segment_id="a" * 12, classifier="qwen")], at(60))

    assert [(e.state, e.classifier, e.certainty) for e in soon] == [("started", "qwen", "confirmed")]
    assert [(e.label, e.state) for e in late] == [
        ("groan", "started"),
        ("siren", "ended"),
        ("groan", "ended"),
    ]


def test_the_answer_arrives_after_the_event_has_ended() -> None:
    """Emotion and description are added to the event of their segment for five minutes after its end."""
    tracker = tracking("speech", QWEN, hold_s=5)
    [begun] = tracker.update([hit("speech", s=1, segment_id="a" * 12)], at(1))
    tracker.update([], at(10))
    answer = hit(
        "speech",
        0.9,
        1,
        segment_id="a" * 12,
        classifier="qwen",
        emotion={"fearful": 0.7, "neutral": 0.3},
        description="a woman calls for help",
    )

    [event] = tracker.update([answer], at(60))

    assert (event.id, event.state, event.ended_at) == (begun.id, "updated", at(1))
    assert event.emotion == {"fearful": 0.7, "neutral": 0.3}
    assert event.description == "a woman calls for help"
    assert tracker.update([answer], at(61)) == []


def test_a_description_goes_to_all_that_was_heard_in_its_segment() -> None:
    """The large model's words about a segment reach its events, whichever label it holds likeliest."""
    tracker = tracking("glass_break", QWEN)
    both = [hit(label, s=1, segment_id="a" * 12) for label in ("glass_break", "speech")]
    tracker.update([*both, hit("dog_bark", s=1, segment_id="b" * 12)], at(1))

    updates = tracker.update(
        [hit("music", 0.4, 1, segment_id="a" * 12, classifier="qwen", description="a glass falls")], at(3)
    )

    assert {e.label: e.description for e in updates} == dict.fromkeys(
        ["glass_break", "speech"], "a glass falls"
    )


def test_an_answer_five_minutes_late_changes_nothing() -> None:
    """An answer that comes too late changes no event of the past."""
    tracker = tracking("speech", QWEN, hold_s=5)
    tracker.update([hit("speech", s=1, segment_id="a" * 12)], at(1))
    tracker.update([], at(10))

    assert tracker.update([hit("speech", 0.1, 1, segment_id="a" * 12, classifier="qwen")], at(400)) == []


@pytest.mark.parametrize("classifier", ["embedded", "qwen"])
def test_a_score_that_is_no_number_opens_nothing(classifier: str) -> None:
    """It is below every threshold, not above."""
    tracker = tracking("gunshot", QWEN)

    assert tracker.update([hit("gunshot", float("nan"), 1, classifier=classifier)], at(1)) == []
