"""Evidence: the highest onset at which a sound would still have been an event, as the tracker decides."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.events.defaults import DEFAULTS
from monitor.events.source_tracker import SourceTracker
from monitor.teaching.evidence import Look, evidence
from monitor.teaching.stream import look_of, sounds, with_onset
from monitor.types import Detection
from testkit.builders import START, heard

scores = st.integers(1, 99).map(lambda percent: percent / 100)
looks = st.lists(st.tuples(st.sampled_from([0.5, 1.0, 2.0]), scores), min_size=1, max_size=12)


def detections(steps: list[tuple[float, float]], dated: bool) -> list[Detection]:
    """Looks at one sound, each so long after the former."""
    found, at_s = [], 0.0
    for apart_s, score in steps:
        at_s += apart_s
        at = START + timedelta(seconds=at_s)
        found.append(heard("siren", score, at, duration_s=0.9, dated=dated))
    return found


@settings(max_examples=200)
@given(steps=looks, hits=st.integers(1, 4), dated=st.booleans())
def test_the_tracker_opens_an_event_up_to_the_evidence_and_not_above(steps, hits, dated):
    """Whatever the looks, and however many hits the label needs."""
    found = detections(steps, dated)
    row = replace(DEFAULTS["siren"], hits=hits, within_s=4.0, hold_s=60.0)
    reached = evidence([look_of(one, START) for one in found], hits, 4.0)

    def opens(onset: float) -> bool:
        tracker = SourceTracker({"siren": replace(row, onset=onset, off=onset)})
        for one in found:
            tracker.take(one, one.ends_at)
        return bool(tracker.report(found[-1].ends_at))

    assert reached == 0.0 or opens(reached)
    assert not opens(reached + 0.005)


def test_one_look_at_a_long_sound_is_several_hits():
    """Where its length was measured."""
    assert evidence([Look(3.0, 0.8, 2.0)], 4, 4.0) == 0.8
    assert evidence([Look(3.0, 0.8)], 4, 4.0) == 0.0


def test_sounds_are_those_that_the_tracker_finds_and_those_that_nearly_were():
    """What a higher onset leaves is what the tracker finds with it."""
    row = replace(DEFAULTS["dog_bark"], onset=0.5, off=0.3, hold_s=5.0)
    times_scores = [(0, 0.9), (1, 0.6), (30, 0.55), (60, 0.4), (90, 0.1)]
    barks = [heard("dog_bark", score, START + timedelta(seconds=s)) for s, score in times_scores]
    found = sounds(barks, row)
    assert [(round(one.score, 2), one.is_event) for one in found] == [(0.9, True), (0.55, True), (0.4, False)]
    assert [one.score for one in with_onset(barks, row, 1.0)] == [0.9]
