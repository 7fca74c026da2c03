"""Buttons on a phone, the way back from it, and the picture that follows an alert: over an ntfy server."""

import json
import queue
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.notifiers.apprise import NotifyConfig, NotifyPublisher
from monitor.notifiers.buttons import MOST_BUTTONS, VALID_S, Buttons
from monitor.notifiers.pictures import MOST, WANTED_FOR_S, PictureMatch
from monitor.notifiers.replies import AnswersConfig, ReplyReader
from monitor.publishers.base import DELIVERED, PublishOutcome
from monitor.types import Alert, Command, Picture
from testkit.builders import alert, event
from testkit.fakes import FakeClock, raise_it
from testkit.ntfy import WAIT_S, NtfyServer

# Apprise imports it on purpose while it exists.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PNG = b"\x89PNG\r\n\x1a\n and the rest"
GLASS = alert("glass_break", rule="Glass", id="a00000000001")
ACK = Command("ack", value=GLASS.id, by="phone")
WRONG = Command("verdict", value=GLASS.events[0].id, by="phone", word="wrong")


@pytest.fixture(name="server")
def _server() -> Iterator[NtfyServer]:
    with NtfyServer() as server:
        yield server


@contextmanager
def phone(
    server: NtfyServer, buttons: Buttons | None = None, url: str = "", **more: Any
) -> Iterator[NotifyPublisher]:
    """A notifier whose alerts go to the topic `house`."""
    urls = [SecretStr(url or server.address.replace("http", "ntfy") + "/house")]
    config = NotifyConfig(name="phone", urls=urls, timeout_s=WAIT_S, **more)
    [publisher] = config.build(SystemClock(), buttons)
    with publisher:
        yield publisher


@contextmanager
def listening(
    server: NtfyServer, buttons: Buttons, token: str | None = None
) -> Iterator["queue.SimpleQueue[Command]"]:
    """What is answered on the topic `answers`."""
    answered: queue.SimpleQueue[Command] = queue.SimpleQueue()
    block = AnswersConfig.model_validate({"url": f"{server.address}/answers", "token": token})
    with ReplyReader("phone", block, buttons, answered.put, raise_it, SystemClock()):
        server.wait_for(lambda: server.readers > 0)
        yield answered


def answers(server: NtfyServer) -> dict[str, Any]:
    return {"answers": {"url": f"{server.address}/answers"}}


def sent(publisher: NotifyPublisher, message: Alert) -> None:
    outcomes: list[PublishOutcome] = []
    publisher.publish(message, outcomes.append)
    assert outcomes == [DELIVERED]


def press(action: dict[str, str]) -> None:
    """As the phone does: over the internet, without a login."""
    request = urllib.request.Request(action["url"], action["body"].encode(), method=action["method"])
    with urllib.request.urlopen(request, timeout=WAIT_S):
        pass


def test_a_button_on_the_phone_acknowledges(server: NtfyServer) -> None:
    """From the alert's notification to the command, with nothing but connections out of the house."""
    buttons = Buttons(SystemClock())
    with phone(server, buttons, **answers(server)) as publisher, listening(server, buttons) as answered:
        sent(publisher, GLASS)
        [shown] = server.on("house")
        actions = json.loads(shown["actions"])
        assert [each["label"] for each in actions] == ["Acknowledge", "It was nothing"]
        press(actions[0])
        assert answered.get(timeout=WAIT_S) == ACK
        press(actions[0])
        press(actions[1])
        assert [answered.get(timeout=WAIT_S) for _ in range(2)] == [WRONG, ACK]
    assert answered.empty()


def test_a_button_works_after_a_restart(server: NtfyServer) -> None:
    """What was pressed while we were away is found on the server; only digests of the secrets are on disk."""
    before = Buttons(SystemClock())
    [ack, _] = before.offered(GLASS)
    kept = json.loads(json.dumps(before.rows()))
    assert ack.secret not in json.dumps(kept)
    server.publish("answers", ack.secret)
    again = Buttons(SystemClock())
    again.found(kept)
    with listening(server, again) as answered:
        assert answered.get(timeout=WAIT_S) == ACK


def test_strangers_press_nothing(server: NtfyServer) -> None:
    """Whoever knows the topic can post there, and nothing follows."""
    buttons = Buttons(SystemClock())
    [ack, _] = buttons.offered(GLASS)
    with listening(server, buttons) as answered:
        for word in ("", "PRESS", GLASS.id, "0" * 32, ack.secret + "0", "é" * 32, "[" * 5000):
            server.publish("answers", word)
        server.publish("answers", ack.secret)
        assert answered.get(timeout=WAIT_S) == ACK
    assert answered.empty()


def test_the_way_back_is_found_again(server: NtfyServer) -> None:
    """A server that ends the connection is asked again, and nothing is lost or taken twice."""
    buttons = Buttons(SystemClock())
    [ack, nothing] = buttons.offered(GLASS)
    with listening(server, buttons) as answered:
        server.publish("answers", ack.secret)
        assert answered.get(timeout=WAIT_S) == ACK
        server.hang_up()
        server.publish("answers", nothing.secret)
        assert [answered.get(timeout=WAIT_S) for _ in range(2)] == [WRONG, ACK]


def test_a_server_that_asks_for_a_token_gets_it(server: NtfyServer) -> None:
    """A topic that anybody may write and only we may read."""
    server.token = "tk_s3cret"
    buttons = Buttons(SystemClock())
    [ack, _] = buttons.offered(GLASS)
    with listening(server, buttons, "tk_s3cret") as answered:
        server.publish("answers", ack.secret)
        assert answered.get(timeout=WAIT_S) == ACK


def test_a_server_that_refuses_is_named_once(server: NtfyServer) -> None:
    """Without its address."""
    server.token = "tk_s3cret"
    block = AnswersConfig.model_validate({"url": f"{server.address}/answers"})
    listener = ReplyReader("phone", block, Buttons(FakeClock()), lambda _: None, raise_it, FakeClock())
    with capture_logs() as logs:
        listener._try()
        listener._try()
    assert [(line["event"], line["reason"]) for line in logs] == [
        ("answers from phones do not arrive", "answers 403")
    ]


def test_a_button_is_good_for_a_day() -> None:
    """And the number of buttons is bounded: the newest hold."""
    clock = FakeClock()
    buttons = Buttons(clock)
    [ack, nothing] = buttons.offered(GLASS)
    clock.advance(VALID_S - 1)
    assert buttons.pressed(ack.secret) == (ACK,)
    clock.advance(2)
    assert buttons.pressed(nothing.secret) == ()
    first, *_ = buttons.offered(GLASS)
    for _ in range(MOST_BUTTONS):
        [last, *_] = buttons.offered(GLASS)
    assert len(buttons.rows()) == MOST_BUTTONS
    assert (buttons.pressed(first.secret), buttons.pressed(last.secret)) == ((), (ACK,))


def test_a_test_cannot_have_been_nothing() -> None:
    """Nor can a broken microphone."""
    buttons = Buttons(FakeClock())
    for each in (alert("glass_break", test=True), alert("glass_break", events=())):
        assert [button.label for button in buttons.offered(each)] == ["Acknowledge"]


def test_an_alarm_rings_louder_on_ntfy(server: NtfyServer) -> None:
    """By its severity; a priority of one's own is left alone."""
    with phone(server) as publisher:
        sent(publisher, alert("smoke_alarm", severity="critical"))
        sent(publisher, alert("doorbell", severity="info"))
    own = server.address.replace("http", "ntfy") + "/house?priority=min"
    with phone(server, url=own) as publisher:
        sent(publisher, alert("smoke_alarm", severity="critical"))
    assert [each.get("priority") for each in server.on("house")] == ["max", None, "min"]


def test_the_picture_follows_its_alert(server: NtfyServer) -> None:
    """Quietly, and to a service that takes pictures; the alert did not wait for it."""
    with phone(server, pictures=True) as publisher:
        sent(publisher, GLASS)
        publisher.show(Picture("kitchen", "another", "dog_bark", PNG))
        publisher.show(Picture("kitchen", GLASS.events[0].id, "glass_break", PNG))
        server.wait_for(lambda: len(server.messages) == 2)
    told, shown = server.on("house")
    assert "attachment" not in told
    assert shown["attachment"] == PNG
    assert (shown["title"], shown["priority"]) == ("Picture: Glass", "low")


def test_no_picture_leaves_the_house_unasked(server: NtfyServer) -> None:
    """`pictures` is off by default."""
    with phone(server) as publisher:
        publisher.show(Picture("kitchen", GLASS.events[0].id, "glass_break", PNG))
        sent(publisher, GLASS)
    assert len(server.messages) == 1


def test_a_picture_finds_its_alert_whichever_comes_first() -> None:
    """Once for each alert; a storm of barks sends no album, and no test has a picture."""
    clock = FakeClock()
    match = PictureMatch(clock)
    picture = Picture("kitchen", "e00000000001", "dog_bark", PNG)
    barks = alert("dog_bark", events=(event(id="e00000000001"), event(id="e00000000002")))
    assert match.came(picture) is None
    assert match.sent(barks) == picture
    assert match.sent(barks) is None
    assert match.came(picture) == barks
    assert match.came(Picture("kitchen", "e00000000002", "dog_bark", PNG)) is None
    assert match.sent(alert("dog_bark", test=True)) is None
    assert match.sent(barks) is not None
    match.sent(GLASS)
    clock.advance(WANTED_FOR_S + 1)
    assert match.came(Picture("kitchen", GLASS.events[0].id, "glass_break", PNG)) is None


def test_pictures_without_alerts_are_not_collected() -> None:
    """Most sounds raise no alert."""
    match = PictureMatch(FakeClock())
    for n in range(MOST + 1):
        match.came(Picture("kitchen", f"e{n}", "dog_bark", PNG))
    assert match.sent(alert("dog_bark", events=(event(id="e0"),))) is None
    assert match.sent(alert("dog_bark", id="a2", events=(event(id="e1"),))) is not None


@pytest.mark.parametrize(
    ("block", "fix"),
    [
        (
            {"urls": ["json://127.0.0.1"], "answers": {"url": "https://ntfy.sh/x"}},
            "ntfys://ntfy.sh/our-house",
        ),
        ({"urls": ["ntfy://house"], "answers": {"url": "ntfy://x"}}, "https://ntfy.sh/a-long-name"),
        ({"urls": ["ntfy://house"], "answers": {"url": "https://ntfy.sh"}}, "https://ntfy.sh/a-long-name"),
    ],
)
def test_a_mistake_is_named(block: dict[str, Any], fix: str) -> None:
    """With what to write instead."""
    with pytest.raises(ValidationError) as error:
        NotifyConfig.model_validate(block)
    assert fix in str(error.value)
