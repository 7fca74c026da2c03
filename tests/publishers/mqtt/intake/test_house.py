"""What other devices publish becomes values of the house."""

import pytest

from monitor.publishers.base import HouseValue
from monitor.publishers.mqtt.intake.house import HouseTopics
from monitor.publishers.mqtt.news import Received
from monitor.types import Command


def read(payload: bytes, path: str = "", on_values: tuple[str, ...] = ()) -> list[Command]:
    options = ("on", "off") if on_values else ()
    inputs = HouseTopics(
        [HouseValue("tv", options, "tv/state", path, on_values), HouseValue("mode", ("a", "b"))]
    )
    assert inputs.topics == ("tv/state",)
    return list(inputs.read(Received("tv/state", payload, retained=True)))


@pytest.mark.parametrize(
    ("payload", "path", "on_values", "value"),
    [
        (b"Playing ", "", (), "playing"),
        (b"playing", "", ("playing", "paused"), "on"),
        (b"idle", "", ("playing",), "off"),
        (b"ON", "", (), "on"),
        (b'{"state": {"occupancy": true}}', "state.occupancy", (), "on"),
        (b'{"state": [1, 2.5]}', "state.1", (), "2.5"),
        (b'{"state": 1}', "state", ("1",), "on"),
        (b'{"other": 1}', "state", ("1",), None),
        (b"not JSON", "state", (), None),
        (b"[" * 30_000, "0", (), None),
        (b'{"state": null}', "state", (), None),
        (b'{"state": {}}', "state", (), None),
        (b"", "", ("playing",), None),
        (b"\xff", "", (), None),
        (b"x" * 65, "", (), None),
        (b"x" * 100_000, "", (), None),
    ],
)
def test_a_message_is_a_word_or_unknown(
    payload: bytes, path: str, on_values: tuple[str, ...], value: str | None
) -> None:
    """Whatever anyone publishes there: what cannot be read is unknown, and nothing breaks."""
    assert read(payload, path, on_values) == [Command("house", "tv", value, by="mqtt")]


def test_without_a_connection_nobody_knows() -> None:
    """What is published meanwhile does not reach us; our own entities keep what was set."""
    inputs = HouseTopics([HouseValue("tv", (), "tv/state"), HouseValue("mode", ("a", "b"))])
    assert list(inputs.lost()) == [Command("house", "tv", None, by="mqtt")]
