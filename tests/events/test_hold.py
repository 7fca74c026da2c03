"""What keeps an event open, and what ends it."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.events.tracker import Tracker
from monitor.labels import LIFE_SAFETY, sounds
from tests.events.tracking import QWEN, at, beeps, hit, states, tracking


def test_hearing_it_again_extends_the_hold() -> None:
    """Hearing the same sound again keeps the event open, counted from the last time."""
    tracker = tracking(hold_s=30)

    assert states(tracker.update([hit("dog_bark", s=0)], at(0))) == ["started"]
    assert states(tracker.update([hit("dog_bark", s=20)], at(20))) == ["updated"]
    assert tracker.update([], at(49)) == []
    [event] = tracker.update([], at(50))

    assert (event.state, event.ended_by, event.ended_at, event.at) == ("ended", "quiet", at(20), at(50))


def test_events_end_by_time_alone() -> None:
    """No sound has to come for an event to end, and it ends once."""
    tracker = tracking(hold_s=5)
    tracker.update([hit("dog_bark")], at(0))

    assert states(tracker.update([], at(4.9))) == []
    assert states(tracker.update([], at(5))) == ["ended"]
    assert tracker.update([], at(60)) == []
    assert tracker.open_events() == []


def test_the_off_score_keeps_an_event_and_does_not_begin_one() -> None:
    """Between off and onset an open event lives on and a new one does not begin."""
    tracker = tracking(onset=0.6, off=0.3, hold_s=5)

    assert tracker.update([hit("dog_bark", 0.4, 0)], at(0)) == []
    tracker.update([hit("dog_bark", 0.7, 1)], at(1))
    tracker.update([hit("dog_bark", 0.3, 5)], at(5))
    assert tracker.update([hit("dog_bark", 0.29, 9)], at(9)) == []
    assert states(tracker.update([], at(10))) == ["ended"]


def test_a_sound_that_lasts_for_hours_does_not_grow() -> None:
    """Of very many segments an event keeps the first and the latest."""
    tracker = tracking("rain", hits=1, hold_s=30)

    for i in range(100):
        tracker.update([hit("rain", s=i * 10, segment_id=f"{i:012x}")], at(i * 10))
    [event] = tracker.update([], at(2000))

    assert len(event.segment_ids) == 32
    assert (event.segment_ids[0], event.segment_ids[-1]) == (f"{0:012x}", f"{99:012x}")


def test_sources_are_independent() -> None:
    """The same label at two sources is two events, and one that is ahead ends nothing of the other."""
    tracker = tracking(hold_s=5)

    first = tracker.update([hit("dog_bark"), hit("dog_bark", source="porch")], at(0))
    ahead = tracker.update([hit("dog_bark", s=20, source="porch")], at(20))

    assert sorted(event.source for event in first) == ["kitchen", "porch"]
    assert {event.source for event in ahead} == {"porch"}
    assert [event.source for event in tracker.update([], at(8))] == ["kitchen"]


def test_a_lost_source_ends_its_events() -> None:
    """When a source is lost its open events end at once, and half a beginning is forgotten."""
    tracker = tracking("siren", hits=2, within_s=4)
    tracker.update([hit("dog_bark"), hit("siren")], at(0))

    [event] = tracker.end_source("kitchen", at(1), "source_lost")

    assert (event.label, event.state, event.ended_by, event.at) == ("dog_bark", "ended", "source_lost", at(1))
    assert tracker.update([hit("siren", s=2)], at(2)) == []


def test_mute_ends_and_stops_all_but_the_life_safety_alarms() -> None:
    """A muted source says nothing but smoke, CO and fire."""
    tracker = tracking(hold_s=60)
    tracker.update([hit("dog_bark"), hit("smoke_alarm")], at(0))

    ended = tracker.mute("kitchen", True, at(1))
    muted = tracker.update([hit(label, 1.0, 30) for label in sounds()], at(30))
    muted += tracker.update([beeps("unknown_alarm", "confirmed", 31)], at(31))

    assert [(e.label, e.state, e.evidence.get("muted")) for e in ended] == [("dog_bark", "ended", True)]
    assert {event.label for event in muted} == LIFE_SAFETY
    assert tracker.mute("kitchen", False, at(39)) == []
    assert states(tracker.update([hit("dog_bark", s=40)], at(40)))[0] == "started"


def test_a_co_alarm_stays_on_through_its_one_burst_a_minute() -> None:
    """The rhythm's own hold counts, else the table's 90 s."""
    tracker = Tracker()
    updates = [e for s in (6, 66, 126) for e in tracker.update([beeps("co_alarm", "confirmed", s)], at(s))]
    updates += tracker.update([], at(126 + 89))
    assert states(updates) == ["started"]
    assert states(tracker.update([], at(126 + 90))) == ["ended"]

    tracker.update([beeps("co_alarm", "confirmed", 300, hold_s=20)], at(300))
    assert states(tracker.update([], at(320))) == ["ended"]


def test_a_smoke_alarm_ends_within_15_s_of_silence() -> None:
    """By default a smoke alarm's event does not outlast it by more than 15 s."""
    tracker = Tracker()
    tracker.update([beeps("smoke_alarm", "confirmed", 8)], at(8))

    assert states(tracker.update([], at(8 + 15))) == ["ended"]


def test_a_sound_dated_in_the_future_ends_in_time() -> None:
    """A source that lies about time cannot keep an event open."""
    tracker = tracking(hold_s=5)
    tracker.update([hit("dog_bark", s=5000)], at(0))

    assert states(tracker.update([], at(5))) == ["ended"]


def test_a_clock_set_back_does_not_leave_an_event_open() -> None:
    """After the clock was set back by an hour an open event ends by its hold, not an hour later."""
    tracker = tracking(hold_s=5)
    tracker.update([hit("dog_bark", s=3600)], at(3600))

    assert tracker.update([], at(0)) == []
    assert states(tracker.update([], at(5))) == ["ended"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["dog_bark", "siren", "smoke_alarm", "speech", "unknown_alarm"]),
            st.floats(0, 1),
            st.sampled_from(["embedded", "qwen", "rhythm"]),
            st.floats(0, 20),
            st.sampled_from(["kitchen", "porch"]),
        ),
        max_size=60,
    )
)
def test_every_event_begins_once_and_ends_once(
    looks: list[tuple[str, float, str, float, str]],
) -> None:
    """Whatever is heard: one start before everything else, one end, certainty and score that make sense."""
    tracker = Tracker(verifiers=QWEN)
    updates, now = [], 0.0
    for label, score, classifier, wait_s, source in looks:
        now += wait_s
        certainty = "suspected" if classifier == "rhythm" else None
        detection = hit(label, score, now, classifier=classifier, source=source, certainty=certainty)
        updates += tracker.update([detection], at(now)) + tracker.update([], at(now))
    updates += tracker.update([], at(now + 1000))

    for id in {event.id for event in updates}:
        story = [event for event in updates if event.id == id]
        assert story[0].state == "started"
        assert [e.state for e in story].count("started") == 1
        assert [e.state for e in story].count("ended") == 1
        assert [e.score for e in story] == sorted(e.score for e in story)
        assert all(e.started_at <= e.at for e in story)
    assert tracker.open_events() == []
