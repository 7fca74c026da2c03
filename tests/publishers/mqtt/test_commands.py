"""What others may ask of us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.publishers.mqtt.commands import (
    LARGEST_PAYLOAD_BYTES,
    CommandReader,
    InvalidCommand,
    read_command,
)
from monitor.publishers.mqtt.topics import Topics
from monitor.types import Command
from testkit.fakes import FakeClock

TOPICS = Topics("earwitness", "home")
SOURCES = frozenset({"kitchen", "porch"})


def read(topic: str, payload: str | bytes) -> Command:
    """Read one command of the node `home`."""
    as_bytes = payload.encode() if isinstance(payload, str) else payload
    return read_command(TOPICS, f"earwitness/home/{topic}", as_bytes, SOURCES)


@pytest.mark.parametrize(
    ("topic", "payload", "command"),
    [
        ("kitchen/mute/set", "ON", Command("mute", "kitchen", True, by="mqtt")),
        ("porch/mute/set", "OFF", Command("mute", "porch", False, by="mqtt")),
        ("kitchen/sensitivity/set", "-0.25", Command("sensitivity", "kitchen", -0.25, by="mqtt")),
        ("kitchen/sensitivity/set", " 1\n", Command("sensitivity", "kitchen", 1.0, by="mqtt")),
        ("test/set", "PRESS", Command("test", by="mqtt")),
        ("ack/set", "PRESS", Command("ack", by="mqtt")),
        ("ack/set", "0123456789ab", Command("ack", value="0123456789ab", by="mqtt")),
        ("nothing/set", "641866514357", Command("nothing", value="641866514357", by="mqtt")),
        (
            "verdict/set",
            '{"id": "0123456789ab", "verdict": "right"}',
            Command("verdict", value="0123456789ab", by="mqtt", word="right"),
        ),
        (
            "verdict/set",
            '{"id": "0123456789ab", "verdict": "wrong", "label": "door_slam"}',
            Command("verdict", value="0123456789ab", by="mqtt", word="wrong", label="door_slam"),
        ),
    ],
)
def test_what_is_understood(topic, payload, command):
    """Each command in the words that Home Assistant's entities use."""
    assert read(topic, payload) == command


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("kitchen/mute/set", "", "mute takes"),
        ("kitchen/mute/set", "maybe", "mute takes"),
        ("kitchen/mute/set", b"\xff\xfe", "not text"),
        ("kitchen/mute/set", "O" * (LARGEST_PAYLOAD_BYTES + 1), "too large"),
        ("cellar/mute/set", "ON", "unknown source"),
        ("kitchen/volume/set", "11", "unknown command"),
        ("kitchen/sensitivity/set", "1.01", "from -1 to 1"),
        ("kitchen/sensitivity/set", "nan", "from -1 to 1"),
        ("kitchen/sensitivity/set", "-inf", "from -1 to 1"),
        ("kitchen/sensitivity/set", "ON", "from -1 to 1"),
        ("kitchen/sensitivity/set", "0_1", "from -1 to 1"),
        ("kitchen/sensitivity/set", "٠", "from -1 to 1"),
        ("test/set", "fire", "test takes"),
        ("ack/set", "../../etc/passwd", "ack takes"),
        ("nothing/set", "", "nothing takes the id"),  # no alert is active
        ("nothing/set", "PRESS", "nothing takes the id"),
        ("verdict/set", "wrong", "verdict takes JSON"),
        ("verdict/set", "[" * 250, "verdict takes JSON"),
        ("verdict/set", '["0123456789ab", "wrong"]', "verdict takes an event's id"),
        ("verdict/set", '{"id": 7, "verdict": "wrong"}', "verdict takes an event's id"),
        ("verdict/set", '{"id": "../web.db", "verdict": "wrong"}', "verdict takes an event's id"),
        ("verdict/set", '{"id": "0123456789ab", "verdict": "nice"}', "verdict takes an event's id"),
        ("verdict/set", '{"id": "0123456789ab", "verdict": "right", "x": 1}', "verdict takes an event's id"),
        ("verdict/set", '{"id": "0123456789ab", "verdict": "wrong", "label": "cow"}', "a label that exists"),
        (
            "verdict/set",
            '{"id": "0123456789ab", "verdict": "wrong", "label": ["cow"]}',
            "a label that exists",
        ),
        ("reboot/set", "PRESS", "unknown command"),
        ("../mute/set", "ON", "unknown source"),
    ],
)
def test_what_is_refused(topic, payload, reason):
    """Wrong size, type, range or name: no command."""
    with pytest.raises(InvalidCommand, match=reason):
        read(topic, payload)


@given(
    topic=st.text() | st.sampled_from([*(f"{s}/{n}/set" for s in SOURCES for n in ("mute", "sensitivity"))]),
    payload=st.binary(max_size=400),
)
def test_no_payload_gets_past_its_range(topic, payload):
    """Whatever arrives, what comes out is a command within its range, or a refusal."""
    try:
        command = read(topic, payload)
    except InvalidCommand:
        return
    assert command.source is None or command.source in SOURCES
    assert command.name != "sensitivity" or -1 <= float(command.value or 0) <= 1


def test_a_retained_command_is_no_command():
    """Left on the broker, it would mute the kitchen again at every start."""
    reader = CommandReader(TOPICS, FakeClock())

    assert reader.read("earwitness/home/kitchen/mute/set", b"ON", SOURCES, retained=True) is None
    assert reader.refused.total() == 1


def test_a_flood_is_counted_and_said_once_a_minute():
    """A thousand bad commands are one line; the next minute says how many there were."""
    clock = FakeClock()
    reader = CommandReader(TOPICS, clock)

    with capture_logs() as lines:
        for _ in range(1000):
            reader.read("earwitness/home/kitchen/mute/set", b"maybe", SOURCES, retained=False)
        assert reader.refused == {"mute takes ON or OFF": 1000}
        assert [line["ignored_so_far"] for line in lines] == [1]

        clock.advance(60)
        reader.read("earwitness/home/kitchen/mute/set", b"maybe", SOURCES, retained=False)
        assert [line["ignored_so_far"] for line in lines] == [1, 1001]
