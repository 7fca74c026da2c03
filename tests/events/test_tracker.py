"""Events begin, change and always end."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events.settings import Labels, LabelSettings, Thresholds
from monitor.events.tracker import Tracker
from monitor.labels import LIFE_SAFETY, sounds
from monitor.types import Detection, SoundEvent
from testkit.builders import START, heard

QWEN = frozenset({"qwen"})


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def hit(label: str, score: float = 0.9, s: float = 0.0, **more: object) -> Detection:
    """Heard for half a second until `s`."""
    return heard(label, score, at(s - 0.5), **({"duration_s": 0.5} | more))


def beeps(label: str, certainty: str, s: float, **evidence: object) -> Detection:
    """The rhythm listener's word at `s`."""
    return heard(
        label, 0.9, at(s - 4), duration_s=4.0, classifier="rhythm", certainty=certainty, evidence=evidence
    )


def tracking(label: str = "dog_bark", second: frozenset[str] = frozenset(), **settings: object) -> Tracker:
    labels: Labels = {label: LabelSettings(**settings)}
    return Tracker(Thresholds(general=labels).of, second_listeners=second)


def states(events: Iterable[SoundEvent]) -> list[str]:
    return [event.state for event in events]


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
    told = [tracker.update([look], look.ends_at) for look in looks]

    assert [states(events) for events in told] == [[], [], [], ["started"]]
    assert told[-1][0].segment_ids == ("a" * 12,)


def test_hits_too_far_apart_begin_nothing() -> None:
    """Hits must fall within the label's time."""
    tracker = tracking("siren", hits=2, within_s=4)

    for s in (0.0, 4.5, 9.0):
        assert tracker.update([hit("siren", s=s)], at(s)) == []
    assert states(tracker.update([hit("siren", s=12)], at(12))) == ["started"]


def test_updates_are_told_sparingly() -> None:
    """A score is told again when it has risen by a tenth, not at every look; the end tells the peak."""
    tracker = tracking(hold_s=5, onset=0.5)

    looks = [
        heard("dog_bark", 0.6 + i / 100, at(0), duration_s=i / 2, segment_id="b" * 12) for i in range(15)
    ]
    told = [event for look in looks for event in tracker.update([look], look.ends_at)]
    told += tracker.update([], at(60))

    assert [(e.state, e.score) for e in told] == [
        ("started", 0.6),
        ("updated", pytest.approx(0.7)),
        ("ended", pytest.approx(0.74)),
    ]
    assert len({event.id for event in told}) == 1


def test_a_repeated_sound_is_counted() -> None:
    """Each sound of its own in an open event is counted; the first are told, later ones every 5 s."""
    tracker = tracking(hold_s=30)

    told = [
        event
        for s in range(1, 21)
        for event in tracker.update([hit("dog_bark", s=s, segment_id=f"{s:012x}")], at(s))
    ]

    assert [event.evidence.get("times", 1) for event in told] == [1, 2, 3, 4, 5, 10, 15, 20]
    assert told[1].evidence["last_began_at"] == at(1.5).isoformat()


def test_a_long_sound_cut_into_segments_is_not_repeated() -> None:
    """A segment that overlaps the one before it is the same sound."""
    tracker = tracking("rain", hits=1, hold_s=30)

    told = tracker.update([heard("rain", 0.9, at(0), duration_s=10.0, segment_id="a" * 12)], at(10))
    told += tracker.update([heard("rain", 0.9, at(9), duration_s=10.0, segment_id="b" * 12)], at(19))

    assert states(told) == ["started"]


def test_a_sound_that_lasts_for_hours_does_not_grow() -> None:
    """Of very many segments an event keeps the first and the latest."""
    tracker = tracking("rain", hits=1, hold_s=30)

    for i in range(100):
        tracker.update([hit("rain", s=i * 10, segment_id=f"{i:012x}")], at(i * 10))
    [event] = tracker.update([], at(2000))

    assert len(event.segment_ids) == 32
    assert (event.segment_ids[0], event.segment_ids[-1]) == (f"{0:012x}", f"{99:012x}")


def test_a_muted_source_takes_no_second_opinion() -> None:
    """What a large model says of a muted source changes nothing, but for the life-safety alarms."""
    tracker = tracking("speech", QWEN, hold_s=5)
    tracker.update([hit("speech", s=1, segment_id="a" * 12)], at(1))
    tracker.mute("kitchen", True, at(2))

    answer = hit("speech", s=1, segment_id="a" * 12, classifier="qwen", description="secrets")

    assert tracker.update([answer], at(3)) == []


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


def test_the_evidence_is_that_of_the_clearest_pitch() -> None:
    """One alarm found at its pitch and at a harmonic tells the louder, and the higher count of cycles."""
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


def test_rhythm_and_model_together_confirm_a_smoke_alarm() -> None:
    """One cycle of T3 and the sound model agreeing is enough, in either order."""
    model_first, rhythm_first = Tracker(), Tracker()

    told = model_first.update([hit("smoke_alarm", s=1)], at(1))
    told += model_first.update([beeps("smoke_alarm", "suspected", 4)], at(4))
    other = rhythm_first.update([beeps("smoke_alarm", "suspected", 4)], at(4))
    other += rhythm_first.update([hit("smoke_alarm", s=5)], at(5))

    for events, joined in ((told, "rhythm"), (other, "embedded")):
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
    """While the rhythm hears T4, the tagger's smoke alarm is told as suspected and stays so."""
    tracker = Tracker()
    tracker.update([beeps("co_alarm", "suspected", 6)], at(6))

    told = [e for s in (7, 12, 18) for e in tracker.update([hit("smoke_alarm", s=s)], at(s))]

    assert [(e.label, e.state, e.certainty) for e in told] == [("smoke_alarm", "started", "suspected")]


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
    tracker = Tracker(second_listeners=QWEN)
    tracker.update([hit("smoke_alarm", s=1, segment_id="a" * 12)], at(1))
    agreed = heard("smoke_alarm", 0.9, at(0), duration_s=8.0, segment_id="a" * 12, classifier="qwen")

    [event] = tracker.update([agreed], at(9))

    assert (event.certainty, event.confirmed_by) == ("suspected", ("qwen",))


def test_the_emotion_of_another_segment_is_not_taken() -> None:
    """While a shout is held open, the emotion of later speech is not the shout's."""
    tracker = tracking("shout", hold_s=30)
    tracker.update([hit("shout", s=1, segment_id="a" * 12, emotion={"angry": 0.9})], at(1))

    tracker.update([hit("shout", 0.1, 9, segment_id="b" * 12, emotion={"happy": 0.9})], at(9))

    assert [e.emotion for e in tracker.open_events()] == [{"angry": 0.9}]


def test_a_co_alarm_stays_on_through_its_one_burst_a_minute() -> None:
    """The rhythm's own hold counts, else the table's 90 s."""
    tracker = Tracker()
    told = [e for s in (6, 66, 126) for e in tracker.update([beeps("co_alarm", "confirmed", s)], at(s))]
    told += tracker.update([], at(126 + 89))
    assert states(told) == ["started"]
    assert states(tracker.update([], at(126 + 90))) == ["ended"]

    tracker.update([beeps("co_alarm", "confirmed", 300, hold_s=20)], at(300))
    assert states(tracker.update([], at(320))) == ["ended"]


def test_a_smoke_alarm_ends_within_15_s_of_silence() -> None:
    """By default a smoke alarm's event does not outlast it by more than 15 s."""
    tracker = Tracker()
    tracker.update([beeps("smoke_alarm", "confirmed", 8)], at(8))

    assert states(tracker.update([], at(8 + 15))) == ["ended"]


def test_a_second_listener_confirms() -> None:
    """The large model's agreement is an update that names it."""
    tracker = tracking("glass_break", QWEN)
    tracker.update([hit("glass_break", s=1, segment_id="a" * 12)], at(1))

    [event] = tracker.update([hit("glass_break", 0.8, 1, segment_id="a" * 12, classifier="qwen")], at(3))

    assert (event.state, event.certainty, event.confirmed_by) == ("updated", "confirmed", ("qwen",))


def test_a_second_listener_casts_doubt_and_takes_it_back() -> None:
    """Not hearing it makes the event suspected, with the score as evidence; hearing it ends the doubt."""
    tracker = tracking("glass_break", QWEN, hold_s=60)
    tracker.update([hit("glass_break", s=1, segment_id="a" * 12)], at(1))

    [doubted] = tracker.update([hit("glass_break", 0.05, 1, segment_id="a" * 12, classifier="qwen")], at(3))
    tracker.update([hit("glass_break", s=9, segment_id="b" * 12)], at(9))
    [again] = tracker.update([hit("glass_break", 0.9, 9, segment_id="b" * 12, classifier="qwen")], at(11))

    assert (doubted.certainty, doubted.evidence["doubted_by"]) == ("suspected", {"qwen": 0.05})
    assert (again.certainty, "doubted_by" in again.evidence) == ("confirmed", False)


@pytest.mark.parametrize("label", sorted(LIFE_SAFETY))
def test_a_second_listener_neither_doubts_nor_opens_an_alarm(label: str) -> None:
    """Nothing vetoes smoke, CO and fire, and a large model alone does not raise them."""
    tracker = Tracker(second_listeners=QWEN)
    assert tracker.update([hit(label, 1.0, 1, classifier="qwen")], at(1)) == []

    tracker.update([beeps(label, "confirmed", 20)], at(20))

    assert tracker.update([hit(label, 0.0, 19, classifier="qwen")], at(22)) == []


def test_a_second_listener_opens_what_nobody_had() -> None:
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

    told = tracker.update(
        [hit("music", 0.4, 1, segment_id="a" * 12, classifier="qwen", description="a glass falls")], at(3)
    )

    assert {e.label: e.description for e in told} == dict.fromkeys(["glass_break", "speech"], "a glass falls")


def test_an_emotion_that_wavers_is_told_now_and_then() -> None:
    """A first listener's emotion of every look is not an update each."""
    tracker = tracking("speech", hold_s=5)

    told = [
        event
        for i in range(13)
        for event in tracker.update(
            [hit("speech", s=i / 2, emotion={"happy": 0.3 + 0.4 * (i % 2)})], at(i / 2)
        )
    ]

    assert [event.at for event in told] == [at(0), at(2.5), at(5)]


def test_five_minutes_later_nobody_remembers() -> None:
    """An answer that comes too late changes no event of the past."""
    tracker = tracking("speech", QWEN, hold_s=5)
    tracker.update([hit("speech", s=1, segment_id="a" * 12)], at(1))
    tracker.update([], at(10))

    assert tracker.update([hit("speech", 0.1, 1, segment_id="a" * 12, classifier="qwen")], at(400)) == []


def test_an_emotion_only_goes_with_a_voice() -> None:
    """A dog that barks carries no emotion, and a listener of emotions alone doubts nothing."""
    tracker = tracking("speech", QWEN)
    tracker.update([hit("dog_bark", s=1), hit("speech", s=1)], at(1))

    told = tracker.update(
        [
            hit("dog_bark", 0.9, 1, classifier="qwen", emotion={"angry": 0.9}),
            hit("speech", 0.0, 1, classifier="qwen", emotion={"angry": 0.9}),
        ],
        at(3),
    )

    assert [(e.label, e.emotion, e.certainty) for e in told] == [
        ("dog_bark", None, "confirmed"),
        ("speech", {"angry": 0.9}, "confirmed"),
    ]


def test_a_first_listener_s_emotion_gives_way_to_a_second_s() -> None:
    """The tagger's emotion is taken until the large model has spoken."""
    tracker = tracking("speech", QWEN, hold_s=60)
    tracker.update([hit("speech", s=1, emotion={"happy": 0.6})], at(1))
    tracker.update([hit("speech", s=1, classifier="qwen", emotion={"angry": 0.8})], at(3))

    tracker.update([hit("speech", s=4, emotion={"happy": 0.9})], at(4))

    assert [e.emotion for e in tracker.open_events()] == [{"angry": 0.8}]


def test_a_look_that_waited_in_a_queue_does_not_begin_its_event_again() -> None:
    """A detection whose sound lies within an event already told is old news."""
    tracker = tracking(hold_s=5)
    tracker.update([heard("dog_bark", 0.9, at(0), duration_s=4.0)], at(4))
    tracker.update([], at(20))

    assert tracker.update([hit("dog_bark", s=3)], at(21)) == []


def test_what_a_gone_source_left_in_the_queue_rings_no_second_alarm() -> None:
    """The daemon stops, or a camera breaks off, while an alarm sounds: the look that is classified after
    that is no alarm of its own. A sound that nobody has told is, and so is what the source brings back."""
    tracker = tracking(hold_s=5)
    tracker.update([hit("smoke_alarm", s=1)], at(1))
    tracker.end_source("kitchen", at(3), "shutdown")

    late = tracker.update([hit("smoke_alarm", s=2.9), hit("glass_break", s=2.9)], at(4))
    again = tracker.update([hit("smoke_alarm", s=10)], at(10))

    assert [event.label for event in late] == ["glass_break"]
    assert "smoke_alarm" in {event.label for event in again}


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


def test_an_unknown_label_is_ignored() -> None:
    """A classifier's word for something that labels.csv does not name does no harm."""
    assert Tracker().update([hit("unicorn")], at(0)) == []


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
    tracker = Tracker(second_listeners=QWEN)
    told, now = [], 0.0
    for label, score, classifier, wait_s, source in looks:
        now += wait_s
        certainty = "suspected" if classifier == "rhythm" else None
        detection = hit(label, score, now, classifier=classifier, source=source, certainty=certainty)
        told += tracker.update([detection], at(now)) + tracker.update([], at(now))
    told += tracker.update([], at(now + 1000))

    for id in {event.id for event in told}:
        story = [event for event in told if event.id == id]
        assert story[0].state == "started"
        assert [e.state for e in story].count("started") == 1
        assert [e.state for e in story].count("ended") == 1
        assert [e.score for e in story] == sorted(e.score for e in story)
        assert all(e.started_at <= e.at for e in story)
    assert tracker.open_events() == []
