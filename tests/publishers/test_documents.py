"""Messages as JSON."""

import json
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.publishers.documents import (
    alert_document,
    dbfs,
    document,
    encoded,
    event_document,
)
from monitor.types import (
    Health,
    LabelState,
    Level,
    Message,
    Picture,
    Problem,
    Setting,
    SoundLevel,
    SourceStatus,
)
from testkit.builders import START, alert, event

LATER = START + timedelta(seconds=2)

EVENT_FIELDS = {
    "event_type", "id", "state", "label", "source", "started_at", "ended_at", "ended_by", "detected_at",
    "delivered_at", "late", "score", "certainty", "confirmed_by", "emotion", "description", "segment_ids",
    "evidence", "lag_s",
}  # fmt: skip
ALERT_FIELDS = {
    "id", "rule", "severity", "message", "event_ids", "labels", "sources", "raised_at", "delivered_at",
    "late", "sequence", "why", "test", "update",
}  # fmt: skip


def test_an_event_says_everything_that_automations_are_built_on():
    """The fields of an event are fixed, whether they have a value or not."""
    assert set(event_document(event(), LATER, late=False)) == EVENT_FIELDS


def test_an_alert_says_everything_that_automations_are_built_on():
    """The fields of an alert are fixed."""
    assert set(alert_document(alert(), LATER, late=False)) == ALERT_FIELDS


def test_an_alert_names_its_events():
    """Clips and pictures are named by the event: whoever gets the alert can find them."""
    document = alert_document(
        alert(events=(event(id="e1"), event(id="e2"), event(id="e1"))), LATER, late=False
    )

    assert document["event_ids"] == ["e1", "e2"]


def test_an_event_says_what_was_measured():
    """Pattern, pitch and cycles of an alarm, as JSON can say them."""
    evidence = {
        "pattern": "T3",
        "pitch_hz": np.float32(3100.5),
        "cycles": np.int64(2),
        "last_began_at": START,
    }
    document = json.loads(encoded(event_document(event("smoke_alarm", evidence=evidence), LATER, late=False)))

    assert document["evidence"] == {
        "pattern": "T3",
        "pitch_hz": 3100.5,
        "cycles": 2,
        "last_began_at": "2026-01-02T03:04:05.000+00:00",
    }


def test_no_text_keeps_anything_from_being_published():
    """Half of a surrogate pair, in a model's words or in a server's error, becomes a question mark."""
    heard = event("speech", description="a door \ud83d slams")
    document = json.loads(encoded(event_document(heard, LATER, late=False)))

    assert document["description"] == "a door ? slams"


def test_event_type_is_the_label():
    """Home Assistant's event entity finds the label where it looks for it."""
    assert event_document(event("speech"), LATER, late=False)["event_type"] == "speech"


def test_times_say_when_it_sounded_and_when_it_was_published():
    """Detection is in the time of the sound, delivery is now; both in UTC with milliseconds."""
    document = event_document(event(at=START), LATER, late=True)

    assert document["detected_at"] == "2026-01-02T03:04:05.000+00:00"
    assert document["delivered_at"] == "2026-01-02T03:04:07.000+00:00"
    assert document["late"] is True


def test_an_alert_names_each_label_and_source_once():
    """Three events of two microphones are one list of sources."""
    events = (event("scream"), event("scream", source="hall"), event("shout"))
    document = alert_document(alert(events=events), LATER, late=False)

    assert document["labels"] == ["scream", "shout"]
    assert document["sources"] == ["kitchen", "hall"]


@pytest.mark.parametrize(
    ("level_dbfs", "said"), [(-31.26, -31.3), (float("-inf"), -120.0), (float("nan"), -120.0), (0.0, 0.0)]
)
def test_levels_are_always_numbers(level_dbfs, said):
    """Digital silence is -inf dBFS, which would be `unknown` for a number sensor."""
    assert dbfs(level_dbfs) == said


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (event(), "event"),
        (alert(), "alert"),
        (SourceStatus("kitchen", False, START, "no such device"), "status"),
        (Level("kitchen", START, -40.0, -61.0), "level"),
        (SoundLevel("kitchen", START, -46.0, 60.0), "sound_level"),
        (Problem("kitchen", START, ("clipping",)), "problem"),
        (Setting("kitchen", "mute", True), "setting"),
        (LabelState("kitchen", "speech", True), "sounding"),
        (Picture("kitchen", "e00000000001", "speech", b"\x89PNG"), "picture"),
        (Health(START, {"sources": {"kitchen": {"lag_s": 0.1}}}), "health"),
    ],
)
def test_every_message_is_a_document(message: Message, kind: str):
    """All that a publisher may be handed has a type and can be written as JSON."""
    assert json.loads(encoded(document(message, LATER)))["type"] == kind


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.datetimes(timezones=st.just(UTC)) | st.sampled_from([object(), START])
)  # fmt: skip
_TREES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.dictionaries(st.text() | st.integers(), inner).map(MappingProxyType)
        | st.lists(inner).map(tuple)
        | st.lists(inner)
    ),
    max_leaves=20,
)


@given(why=st.dictionaries(st.text(), _TREES))
def test_whatever_a_rule_says_of_itself_can_be_sent(why):
    """A clause may carry any value, NaN and frozen mappings included: an alert is never lost to its own
    explanation."""
    document = json.loads(encoded(alert_document(alert(why=MappingProxyType(why)), LATER, late=False)))

    assert document["why"].keys() == why.keys()


def test_delivery_time_is_aware():
    """A subscriber in another time zone reads the same moment."""
    document = event_document(event(), datetime(2026, 1, 1, tzinfo=UTC), late=False)
    assert datetime.fromisoformat(document["delivered_at"]).utcoffset() == timedelta(0)
