"""What makes the events of a source certain."""

import pytest

from monitor.events.tracker import Tracker
from monitor.labels import LIFE_SAFETY, sounds
from testkit.builders import heard
from tests.events.tracking import QWEN, at, beeps, hit, tracking


def test_a_smoke_alarm_that_only_a_model_hears_is_suspected_until_a_second_hit() -> None:
    """A second hit 3-10 s after the first confirms it; one sooner or later does not."""
    tracker = Tracker()
    sooner = [tracker.update([hit("smoke_alarm", s=s)], at(s)) for s in (0, 1, 2.9)]
    later = tracker.update([hit("smoke_alarm", s=13.5)], at(13.5))

    assert sooner[0][0].certainty == "suspected"
    assert {e.certainty for events in [*sooner, later] for e in events} == {"suspected"}
    [confirmed] = tracker.update([hit("smoke_alarm", s=16.6)], at(16.6))
    assert (confirmed.state, confirmed.certainty) == ("updated", "confirmed")


@pytest.mark.parametrize("label", sorted(set(sounds()) - LIFE_SAFETY))
def test_other_labels_are_confirmed_at_their_onset(label: str) -> None:
    """What a model hears alone is confirmed, except the life-safety alarms."""
    tracker = tracking(label, hits=1)

    assert [e.certainty for e in tracker.update([hit(label)], at(0))] == ["confirmed"]


def test_rhythm_is_suspected_after_one_cycle_and_confirmed_after_two() -> None:
    """The certainty of T3 and T4 is the rhythm's own; the measured evidence travels along."""
    tracker = Tracker()

    [first] = tracker.update([beeps("co_alarm", "suspected", 6, pattern="T4")], at(6))
    [second] = tracker.update([beeps("co_alarm", "confirmed", 12, pattern="T4", cycles=2)], at(12))

    assert (first.certainty, second.certainty, second.state) == ("suspected", "confirmed", "updated")
    assert second.evidence == {"pattern": "T4", "cycles": 2}
    assert tracker.update([beeps("co_alarm", "confirmed", 18, pattern="T4", cycles=3)], at(18)) == []


def test_rhythm_and_model_together_confirm_a_smoke_alarm() -> None:
    """One cycle of T3 and the sound model agreeing is enough, in either order."""
    model_first, rhythm_first = Tracker(), Tracker()

    updates = model_first.update([hit("smoke_alarm", s=1)], at(1))
    updates += model_first.update([beeps("smoke_alarm", "suspected", 4)], at(4))
    other = rhythm_first.update([beeps("smoke_alarm", "suspected", 4)], at(4))
    other += rhythm_first.update([hit("smoke_alarm", s=5)], at(5))

    for events, joined in ((updates, "rhythm"), (other, "embedded")):
        assert [e.certainty for e in events] == ["suspected", "confirmed"]
        assert events[-1].confirmed_by == (joined,)


@pytest.mark.parametrize("label", ["unknown_alarm", "fire_alarm"])
def test_march_and_unknown_rhythms_stay_suspected_without_the_model(label: str) -> None:
    """March time and unknown patterns need the sound model: a reversing truck is no alarm."""
    tracker = Tracker()

    [alone] = tracker.update([beeps(label, "confirmed", 4)], at(4))
    [agreed, *_] = tracker.update([hit("fire_alarm", s=5)], at(5))

    assert alone.certainty == "suspected"
    assert (agreed.label, agreed.certainty, agreed.confirmed_by) == (label, "confirmed", ("embedded",))


def test_the_model_may_speak_before_an_unknown_rhythm() -> None:
    """A siren that the model already hears confirms the unknown rhythm found later."""
    tracker = tracking("siren", hits=1)
    tracker.update([hit("siren", s=1)], at(1))

    [event] = tracker.update([beeps("unknown_alarm", "suspected", 8)], at(8))

    assert (event.certainty, event.confirmed_by) == ("confirmed", ("embedded",))


def test_a_tagger_does_not_make_a_fire_of_a_co_alarm() -> None:
    """While the rhythm hears T4, the tagger's smoke alarm is reported as suspected and stays so."""
    tracker = Tracker()
    tracker.update([beeps("co_alarm", "suspected", 6)], at(6))

    updates = [e for s in (7, 12, 18) for e in tracker.update([hit("smoke_alarm", s=s)], at(s))]

    assert [(e.label, e.state, e.certainty) for e in updates] == [("smoke_alarm", "started", "suspected")]


def test_a_co_rhythm_takes_back_what_the_tagger_made_of_it() -> None:
    """Two smoke hits on two bursts of T4 confirm a smoke alarm only until the rhythm knows better."""
    tracker = Tracker()
    before = [e for s in (0.5, 6.2) for e in tracker.update([hit("smoke_alarm", s=s)], at(s))]

    after = tracker.update([beeps("co_alarm", "suspected", 6.4)], at(6.4))

    assert [e.certainty for e in before] == ["suspected", "confirmed"]
    assert {e.label: e.certainty for e in after} == {"smoke_alarm": "suspected", "co_alarm": "suspected"}
    [smoke] = tracker.update([beeps("smoke_alarm", "confirmed", 20)], at(20))
    assert (smoke.label, smoke.certainty) == ("smoke_alarm", "confirmed")


def test_a_large_model_that_agrees_is_no_second_hit() -> None:
    """It is named among those who confirm, and the smoke alarm stays suspected until it is heard again."""
    tracker = Tracker(verifiers=QWEN)
    tracker.update([hit("smoke_alarm", s=1, segment_id="a" * 12)], at(1))
    agreed = heard("smoke_alarm", 0.9, at(0), duration_s=8.0, segment_id="a" * 12, classifier="qwen")

    [event] = tracker.update([agreed], at(9))

    assert (event.certainty, event.confirmed_by) == ("suspected", ("qwen",))
