"""What begins an event."""

import pytest

from monitor.events.tracker import Tracker
from testkit.builders import heard
from tests.events.tracking import at, hit, states, tracking


def test_an_event_begins_at_the_onset_score_and_not_below() -> None:
    """The onset threshold decides whether an event exists."""
    tracker = tracking(onset=0.6, off=0.3)

    assert tracker.update([hit("dog_bark", 0.59, 1)], at(1)) == []
    [event] = tracker.update([hit("dog_bark", 0.6, 2)], at(2))

    assert (event.state, event.label, event.source, event.classifier) == (
        "started",
        "dog_bark",
        "kitchen",
        "embedded",
    )
    assert (event.started_at, event.at, event.score, event.certainty) == (at(1.5), at(2), 0.6, "confirmed")


def test_hits_must_be_half_a_second_apart() -> None:
    """Looks at the same moment, by one classifier or two, are one hit."""
    tracker = tracking("siren", onset=0.5, hits=3, within_s=4)

    assert tracker.update([hit("siren", s=1), hit("siren", s=1, classifier="hub")], at(1)) == []
    assert tracker.update([hit("siren", s=1.3)], at(1.3)) == []
    assert tracker.update([hit("siren", s=1.5)], at(1.5)) == []
    [event] = tracker.update([hit("siren", s=2)], at(2))

    assert (event.state, event.started_at) == ("started", at(0.5))


def test_early_looks_of_one_growing_segment_are_hits_of_their_own() -> None:
    """A sustained sound begins its event while its segment still grows, and names the segment once."""
    tracker = tracking("siren", hits=4, within_s=4)

    looks = [heard("siren", 0.8, at(0), duration_s=s, segment_id="a" * 12) for s in (0.51, 0.99, 1.5, 1.98)]
    updates = [tracker.update([look], look.ends_at) for look in looks]

    assert [states(events) for events in updates] == [[], [], [], ["started"]]
    assert updates[-1][0].segment_ids == ("a" * 12,)


def test_hits_too_far_apart_begin_nothing() -> None:
    """Hits must fall within the label's time."""
    tracker = tracking("siren", hits=2, within_s=4)

    for s in (0.0, 4.5, 9.0):
        assert tracker.update([hit("siren", s=s)], at(s)) == []
    assert states(tracker.update([hit("siren", s=12)], at(12))) == ["started"]


@pytest.mark.parametrize(("value", "begins"), [(1.0, 0.13), (0.0, 0.5), (-1.0, 0.89)])
def test_sensitivity_shifts_the_onset_in_logits(value: float, begins: float) -> None:
    """Sensitivity 1 lowers an onset of 0.5 to 0.12, and -1 raises it to 0.88."""
    tracker = tracking(onset=0.5)
    tracker.set_sensitivity("kitchen", value)

    assert tracker.update([hit("dog_bark", begins - 0.02, 1)], at(1)) == []
    assert states(tracker.update([hit("dog_bark", begins, 2)], at(2))) == ["started"]


def test_sensitivity_never_touches_the_rhythm() -> None:
    """The alarm rhythms are held to no score, whatever the sensitivity."""
    tracker = Tracker()
    tracker.set_sensitivity("kitchen", -1)
    quiet = heard("smoke_alarm", 0.2, at(0), classifier="rhythm", certainty="suspected")

    assert states(tracker.update([quiet], at(1))) == ["started"]


def test_a_look_that_waited_in_a_queue_does_not_begin_its_event_again() -> None:
    """A detection whose sound lies within an event already reported is old news."""
    tracker = tracking(hold_s=5)
    tracker.update([heard("dog_bark", 0.9, at(0), duration_s=4.0)], at(4))
    tracker.update([], at(20))

    assert tracker.update([hit("dog_bark", s=3)], at(21)) == []


def test_what_a_gone_source_left_in_the_queue_rings_no_second_alarm() -> None:
    """The daemon stops, or a camera breaks off, while an alarm sounds: the look that is classified after
    that is no alarm of its own. A sound not yet reported is, and so is what the source brings back."""
    tracker = tracking(hold_s=5)
    tracker.update([hit("smoke_alarm", s=1)], at(1))
    tracker.end_source("kitchen", at(3), "shutdown")

    late = tracker.update([hit("smoke_alarm", s=2.9), hit("glass_break", s=2.9)], at(4))
    again = tracker.update([hit("smoke_alarm", s=10)], at(10))

    assert [event.label for event in late] == ["glass_break"]
    assert "smoke_alarm" in {event.label for event in again}


def test_an_unknown_label_is_ignored() -> None:
    """A classifier's word for something that labels.csv does not name does no harm."""
    assert Tracker().update([hit("unicorn")], at(0)) == []


def test_a_segment_has_one_loud_noise() -> None:
    """Bangs that follow each other without quiet are one sound; the next segment may have its own."""
    tracker = tracking("loud_noise")
    updates = [
        event
        for s, segment_id in ((1, "a" * 12), (5, "a" * 12), (9, "a" * 12), (13, "b" * 12))
        for event in (
            *tracker.update([], at(s - 0.5)),
            *tracker.update([hit("loud_noise", s=s, segment_id=segment_id)], at(s)),
        )
    ]

    assert [(e.state, e.segment_ids) for e in updates if e.state == "started"] == [
        ("started", ("a" * 12,)),
        ("started", ("b" * 12,)),
    ]


def test_a_sound_whose_length_was_measured_is_a_hit_for_each_half_second() -> None:
    """One look at two seconds of siren is as good as four looks at it; two at its loudest moment are not."""
    tracker = tracking("siren", hits=4, within_s=4)
    brief = [heard("siren", 0.8, at(1), duration_s=0.6, dated=True) for _ in range(4)]
    lasting = heard("siren", 0.8, at(10), duration_s=2.0, dated=True)

    assert [tracker.update([look], at(2 + n / 2)) for n, look in enumerate(brief)] == [[], [], [], []]
    [event] = tracker.update([lasting], at(12))

    assert (event.state, event.started_at) == ("started", at(10))


def test_looks_at_one_lasting_sound_do_not_count_its_half_seconds_twice() -> None:
    """Looks overlap: what two of them heard at the same time is one hit."""
    tracker = tracking("siren", hits=4, within_s=4)

    assert tracker.update([heard("siren", 0.8, at(0), duration_s=1.4, dated=True)], at(1.4)) == []
    assert tracker.update([heard("siren", 0.8, at(0.2), duration_s=1.4, dated=True)], at(1.6)) == []
    assert states(tracker.update([heard("siren", 0.8, at(0.5), duration_s=1.4, dated=True)], at(1.9))) == [
        "started"
    ]


def test_a_length_that_was_not_measured_is_one_hit() -> None:
    """A tagger that judges windows of ten seconds does not say for how long the sound was in it."""
    tracker = tracking("siren", hits=2, within_s=4)

    assert tracker.update([heard("siren", 0.8, at(0), duration_s=3.0)], at(3)) == []


def test_one_look_however_long_confirms_no_smoke_alarm() -> None:
    """The second hit that makes a smoke alarm certain is another look's, seconds later."""
    tracker = tracking("smoke_alarm", hits=2, within_s=10)
    long, later = (heard("smoke_alarm", 0.9, at(s), duration_s=6.0, dated=True) for s in (0, 4))

    assert [event.certainty for event in tracker.update([long], at(6))] == ["suspected"]
    assert [event.certainty for event in tracker.update([later], at(10))] == ["confirmed"]
