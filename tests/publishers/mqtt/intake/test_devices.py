"""What other devices publish becomes detections through the label map, and nothing else does."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.events.tracker import Tracker
from monitor.publishers.base import ExternalDevice, House
from monitor.publishers.mqtt.intake.devices import BURST, DeviceReader
from monitor.publishers.mqtt.intake.inputs import Inputs
from monitor.publishers.mqtt.news import Received
from monitor.sources.external import ExternalConfig
from monitor.types import Detection, Findings, SourceStatus
from testkit.fakes import FakeClock

FRIGATE = {
    "topic": "frigate/events",
    "path": "after.label",
    "score_path": "after.top_score",
    "where": {"type": ["new", "update"], "after.camera": "porch"},
    "label_map": {"scream": "scream", "fire_alarm": "smoke_alarm"},
}


def device(**values: Any) -> ExternalDevice:
    """As the configuration makes it."""
    one = ExternalConfig.model_validate({"type": "external", "name": "porch", **values})
    return ExternalDevice(
        "porch", "mqtt", one.topic, one.path, one.label_map, one.where, one.score_path, one.min_score,
        one.trusted, one.hold_s,
    )  # fmt: skip


def heard(
    listener: DeviceReader, payload: Any, topic: str = "frigate/events", *, retained: bool = False
) -> Detection | None:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    found = listener.heard(Received(topic, body, retained))
    return found.detections[0] if found else None


def event(label: str = "scream", camera: str = "porch", kind: str = "new", score: Any = 0.8) -> Any:
    return {"type": kind, "after": {"label": label, "camera": camera, "top_score": score}}


def test_a_frigate_event_becomes_a_suspected_detection_of_our_label() -> None:
    """With the source's name, its score, and where it came from."""
    clock = FakeClock()
    found = heard(DeviceReader(device(**FRIGATE), clock), event("fire_alarm"))
    assert found is not None
    assert (found.label, found.score, found.source, found.certainty) == (
        "smoke_alarm", 0.8, "porch", "suspected",
    )  # fmt: skip
    assert (found.classifier, found.started_at) == ("external", clock.now())
    assert found.evidence == {"device": "frigate/events", "named": "fire_alarm"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (event("doorbell"), "not in label_map"),
        (event(camera="gate"), "where"),
        (event(kind="end"), "where"),
        (event(score=0.2), "below min_score"),
        (event(score="much"), "unreadable"),
        (event(score="0_9"), "unreadable"),
        (event(score=float("nan")), "unreadable"),
        (event(score=-1), "unreadable"),
        (event(score=True), "unreadable"),
        (event(score=250), "unreadable"),
        (b"no JSON", "where"),
        (b"\xff\xfe", "where"),
        (b"[" * 60_000, "where"),
        (b"x" * 100_000, "where"),
    ],
)
def test_what_is_no_detection_is_counted_by_reason(payload: Any, reason: str) -> None:
    """Nothing is dropped in silence, and nothing breaks, whatever anyone publishes there."""
    listener = DeviceReader(device(**FRIGATE, min_score=0.5), FakeClock())
    assert heard(listener, payload) is None
    assert listener.figures() == {"detected": 0, "ignored": {reason: 1}}


def test_a_retained_message_is_no_detection() -> None:
    """It would be heard again at every start."""
    listener = DeviceReader(device(**FRIGATE), FakeClock())
    assert heard(listener, event(), retained=True) is None
    assert listener.ignored == {"retained": 1}


def test_the_topic_itself_may_name_the_sound() -> None:
    """`frigate/porch/audio/scream` with ON: YAML reads ON as a truth, and a percentage is a score."""
    block = {"topic": "frigate/porch/audio/{label}", "where": {".": True}, "label_map": {"scream": "scream"}}
    listener = DeviceReader(device(**block), FakeClock())
    assert listener.topic_filter == "frigate/porch/audio/+"
    assert listener.matches("frigate/porch/audio/scream")
    assert not listener.matches("frigate/gate/audio/scream")
    found = heard(listener, b"ON", "frigate/porch/audio/scream")
    assert found is not None
    assert (found.label, found.score) == ("scream", 1.0)
    assert heard(listener, b"OFF", "frigate/porch/audio/scream") is None


@pytest.mark.parametrize(
    ("written", "score"),
    [("0.7", 0.7), ('"0.7"', 0.7), ("1", 1.0), ("1.00000012", 1.0), ("87", 0.87),
     ("100.0001", 1.0), ("0", 0.0),
     ("250", None), ("-0.1", None), ("NaN", None), ("Infinity", None), ("1e999", None), ("true", None),
     ('"loud"', None), ("null", None), ("[1]", None), ("9" * 400, None)],
)  # fmt: skip
def test_a_score_is_a_share_or_a_percentage(written: str, score: float | None) -> None:
    """What was rounded to a little over 1 is sure, not one hundredth; anything else is unreadable."""
    listener = DeviceReader(
        device(topic="a", path="l", label_map={"x": "scream"}, score_path="s"), FakeClock()
    )
    found = heard(listener, f'{{"l": "x", "s": {written}}}'.encode(), "a")
    assert (found.score if found else None) == (None if score is None else pytest.approx(score, abs=1e-4))
    assert listener.ignored == ({} if found else {"unreadable": 1})


def test_a_flood_of_one_label_holds_back_no_other() -> None:
    """Ten at once, then one a second; the smoke alarm behind ten thousand screams is heard."""
    clock = FakeClock()
    listener = DeviceReader(device(**FRIGATE), clock)
    taken = sum(heard(listener, event("scream")) is not None for _ in range(10_000))
    assert taken == BURST
    assert heard(listener, event("fire_alarm")) is not None
    clock.advance(1)
    assert heard(listener, event("scream")) is not None
    assert heard(listener, event("scream")) is None


def states(trusted: bool, label: str, **more: Any) -> list[tuple[str, str]]:
    clock = FakeClock()
    listener = DeviceReader(device(topic="a", label_map={"x": label}, trusted=trusted, **more), clock)
    tracker = Tracker()
    found = heard(listener, b"x", "a")
    assert found is not None
    events = tracker.update([found], clock.now())
    clock.advance(3600)
    events += tracker.update([], clock.now())
    return [(one.state, one.certainty) for one in events]


@pytest.mark.parametrize("label", ["smoke_alarm", "fire_alarm", "co_alarm", "unknown_alarm", "glass_break"])
def test_one_message_is_an_event_suspected_unless_the_device_is_trusted(label: str) -> None:
    """Alarms of life safety too: a device is believed alone only where the owner says so."""
    assert states(False, label) == [("started", "suspected"), ("ended", "suspected")]
    assert states(True, label) == [("started", "confirmed"), ("ended", "confirmed")]


@given(st.binary(max_size=200), st.booleans())
def test_any_payload_is_a_detection_or_counted(payload: bytes, retained: bool) -> None:
    """For any bytes: one of the two, never both, never an exception."""
    listener = DeviceReader(device(topic="a", path="b.0.c", label_map={"x": "scream"}), FakeClock())
    listener.heard(Received("a", payload, retained))
    assert listener.detected + listener.ignored.total() == 1


def house(*devices: ExternalDevice) -> House:
    return House("home", "1", (), devices=devices)


def test_a_device_is_online_while_its_broker_lets_us_listen() -> None:
    """Its source goes offline with the broker, and where the broker denies the subscription."""
    inputs = Inputs("mqtt", "earwitness/home", FakeClock())
    inputs.announce(house(device(topic="a/{label}", label_map={"x": "scream"})))
    assert inputs.topics == ("a/+",)

    def online(words: Any) -> list[bool]:
        return [word.online for word in words if isinstance(word, SourceStatus)]

    assert online(inputs.lost()) == [False]
    assert online(inputs.lost()) == []
    assert online(inputs.connected()) == [True]
    assert online(inputs.connected()) == []
    assert online(inputs.denied("other")) == []
    assert online(inputs.denied("a/+")) == [False]


def test_what_we_publish_ourselves_is_never_taken_for_a_device() -> None:
    """A wildcard that matches our own topics would make one event a thousand."""
    inputs = Inputs("mqtt", "earwitness/home", FakeClock())
    inputs.announce(
        house(device(topic="earwitness/+/kitchen/event", path="label", label_map={"x": "scream"}))
    )
    own, other = "earwitness/home/kitchen/event", "earwitness/shed/kitchen/event"
    assert (inputs.takes(own), inputs.takes(other)) == (False, True)
    assert list(inputs.read(Received(own, b'{"label": "x"}', retained=False))) == []
    [found] = inputs.read(Received(other, b'{"label": "x"}', retained=False))
    assert isinstance(found, Findings)


def test_a_device_belongs_to_one_broker() -> None:
    """Two publishers do not hear it twice."""
    inputs = Inputs("second", "earwitness/home", FakeClock())
    inputs.announce(house(device(topic="a", label_map={"x": "scream"})))
    assert inputs.topics == ()
