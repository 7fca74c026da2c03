"""What is written to disk is what is read back."""

import json
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.labels import SEVERITIES, sounds
from monitor.store.codec import decode, encode
from monitor.types import Alert, SoundEvent
from testkit.builders import START, alert, event

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.integers(0, 4 * 10**15).map(lambda us: START + timedelta(microseconds=us))
scores = st.floats(0, 1)
lengths_s = st.none() | st.floats(0, 1e6)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
trees = st.dictionaries(texts, values, max_size=3)

events = st.builds(
    SoundEvent,
    id=texts,
    label=st.sampled_from(sounds()),
    source=texts,
    state=st.sampled_from(["started", "updated", "ended"]),
    certainty=st.sampled_from(["suspected", "confirmed"]),
    started_at=times,
    at=times,
    score=scores,
    classifier=texts,
    ended_at=st.none() | times,
    ended_by=st.sampled_from([None, "quiet", "source_lost", "shutdown"]),
    confirmed_by=st.lists(texts, max_size=3).map(tuple),
    emotion=st.none() | st.dictionaries(texts, scores, max_size=3),
    description=st.none() | texts,
    segment_ids=st.lists(texts, max_size=3).map(tuple),
    evidence=trees,
)
alerts = st.builds(
    Alert,
    id=texts,
    rule=texts,
    severity=st.sampled_from(SEVERITIES),
    events=st.lists(events, max_size=2).map(tuple),
    raised_at=times,
    message=texts,
    why=trees,
    notify=st.lists(texts, max_size=3).map(tuple),
    escalate_after_s=lengths_s,
    stale_after_s=lengths_s,
)


@given(events | alerts)
def test_a_message_survives_the_disk(message: SoundEvent | Alert) -> None:
    """Whatever an event or alert holds, it comes back equal, of the same type, with aware times."""
    back = decode(encode(message))

    assert back == message
    assert type(back) is type(message)


def test_a_measurement_of_numpy_is_kept_as_a_number() -> None:
    """What JSON does not know (arrays, sets, tuples, objects) is kept as near as it gets; nothing raises."""
    odd = {"beeps_s": np.array([0.5, 0.5]), "level": np.float32(0.5), "heard": {"b", "a"}, "path": object}

    back = decode(encode(event(evidence=odd)))

    assert isinstance(back, SoundEvent)
    assert back.evidence["beeps_s"] == [0.5, 0.5]
    assert back.evidence["level"] == 0.5
    assert back.evidence["heard"] == ["a", "b"]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"kind":"alert"}', encode(alert())[:-9]])
def test_damage_is_distinguished(text: str) -> None:
    """Text that is not a stored message raises ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


@given(st.text(max_size=40) | values.map(json.dumps))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Anything at all in the column ends in a message or a ValueError."""
    with pytest.raises(ValueError, match=r"."):
        decode(text)


@pytest.mark.parametrize("field", ["at", "started_at", "raised_at"])
def test_a_time_without_a_zone_is_damage(field: str) -> None:
    """It could not be compared with any other, and whoever tried would end the daemon."""
    text = encode(alert() if field == "raised_at" else event())
    document = json.loads(text)
    document[field] = "2026-01-01T12:00:00"
    with pytest.raises(ValueError, match="without a zone"):
        decode(json.dumps(document))
