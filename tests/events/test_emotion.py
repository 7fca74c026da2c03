"""Whose emotion an event carries."""

from tests.events.tracking import QWEN, at, hit, tracking


def test_the_emotion_of_another_segment_is_not_taken() -> None:
    """While a shout is held open, the emotion of later speech is not the shout's."""
    tracker = tracking("shout", hold_s=30)
    tracker.update([hit("shout", s=1, segment_id="a" * 12, emotion={"angry": 0.9})], at(1))

    tracker.update([hit("shout", 0.1, 9, segment_id="b" * 12, emotion={"happy": 0.9})], at(9))

    assert [e.emotion for e in tracker.open_events()] == [{"angry": 0.9}]


def test_an_emotion_only_goes_with_a_voice() -> None:
    """A dog that barks carries no emotion, and a listener of emotions alone doubts nothing."""
    tracker = tracking("speech", QWEN)
    tracker.update([hit("dog_bark", s=1), hit("speech", s=1)], at(1))

    updates = tracker.update(
        [
            hit("dog_bark", 0.9, 1, classifier="qwen", emotion={"angry": 0.9}),
            hit("speech", 0.0, 1, classifier="qwen", emotion={"angry": 0.9}),
        ],
        at(3),
    )

    assert [(e.label, e.emotion, e.certainty) for e in updates] == [
        ("dog_bark", None, "confirmed"),
        ("speech", {"angry": 0.9}, "confirmed"),
    ]


def test_a_tagger_s_emotion_gives_way_to_a_verifier_s() -> None:
    """The tagger's emotion is taken until the large model has spoken."""
    tracker = tracking("speech", QWEN, hold_s=60)
    tracker.update([hit("speech", s=1, emotion={"happy": 0.6})], at(1))
    tracker.update([hit("speech", s=1, classifier="qwen", emotion={"angry": 0.8})], at(3))

    tracker.update([hit("speech", s=4, emotion={"happy": 0.9})], at(4))

    assert [e.emotion for e in tracker.open_events()] == [{"angry": 0.8}]
