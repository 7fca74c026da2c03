"""What of an open event is worth publishing."""

from dataclasses import replace

import pytest

from monitor.events.tracker import Tracker
from testkit.builders import heard
from tests.events.tracking import at, beeps, hit, states, tracking


def test_updates_are_published_sparingly() -> None:
    """A score is reported again when it has risen by a tenth, not at every look; the end has the peak."""
    tracker = tracking(hold_s=5, onset=0.5)

    looks = [
        heard("dog_bark", 0.6 + i / 100, at(0), duration_s=i / 2, segment_id="b" * 12) for i in range(15)
    ]
    updates = [event for look in looks for event in tracker.update([look], look.ends_at)]
    updates += tracker.update([], at(60))

    assert [(e.state, e.score) for e in updates] == [
        ("started", 0.6),
        ("updated", pytest.approx(0.7)),
        ("ended", pytest.approx(0.74)),
    ]
    assert len({event.id for event in updates}) == 1


def test_a_repeated_sound_is_counted() -> None:
    """Each sound of its own in an open event is counted; the first are reported, later ones every 5 s."""
    tracker = tracking(hold_s=30)

    updates = [
        event
        for s in range(1, 21)
        for event in tracker.update([hit("dog_bark", s=s, segment_id=f"{s:012x}")], at(s))
    ]

    assert [event.evidence.get("times", 1) for event in updates] == [1, 2, 3, 4, 5, 10, 15, 20]
    assert updates[1].evidence["last_began_at"] == at(1.5).isoformat()


def test_a_long_sound_cut_into_segments_is_not_repeated() -> None:
    """A segment that overlaps the one before it is the same sound."""
    tracker = tracking("rain", hits=1, hold_s=30)

    updates = tracker.update([heard("rain", 0.9, at(0), duration_s=10.0, segment_id="a" * 12)], at(10))
    updates += tracker.update([heard("rain", 0.9, at(9), duration_s=10.0, segment_id="b" * 12)], at(19))

    assert states(updates) == ["started"]


def test_an_emotion_that_wavers_is_published_now_and_then() -> None:
    """A first listener's emotion of every look is not an update each."""
    tracker = tracking("speech", hold_s=5)

    updates = [
        event
        for i in range(13)
        for event in tracker.update(
            [hit("speech", s=i / 2, emotion={"happy": 0.3 + 0.4 * (i % 2)})], at(i / 2)
        )
    ]

    assert [event.at for event in updates] == [at(0), at(2.5), at(5)]


def test_the_evidence_is_that_of_the_clearest_pitch() -> None:
    """One alarm found at its pitch and at a harmonic has the louder, and the higher count of cycles."""
    tracker = Tracker()
    found = [
        beeps("smoke_alarm", "suspected", 4, cycles=1, snr_db=19.0, pitch_hz=1300),
        beeps("smoke_alarm", "suspected", 4, cycles=1, snr_db=-6.0, pitch_hz=2600),
    ]

    [first] = tracker.update(found, at(4))
    weaker_first = [
        replace(d, certainty="confirmed", evidence={**d.evidence, "cycles": 2}) for d in found[::-1]
    ]
    [second] = tracker.update(weaker_first, at(8))

    assert [e.evidence["pitch_hz"] for e in (first, second)] == [1300, 1300]
    assert second.evidence["cycles"] == 2
