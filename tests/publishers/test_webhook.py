"""Alerts to an address of one's own."""

import json
from http.server import BaseHTTPRequestHandler

import pytest
from pydantic import ValidationError

from monitor.publishers.base import DELIVERED, Failed, PublishOutcome, Refused
from monitor.publishers.webhook import WebhookConfig, WebhookPublisher, signature
from monitor.types import Command, Level, Message
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock
from testkit.http_servers import http_server
from testkit.mosquitto import free_port
from tests.publishers.conftest import Lines

KEY = "a key of one's own"


class Receiver:
    """Answers with a status and keeps what it got: path, headers, body."""

    def __init__(self, status: int = 204) -> None:
        self.status = status
        self.got: list[tuple[str, dict[str, str], bytes]] = []

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.got.append((request.path, dict(request.headers), body))
        request.send_response(self.status)
        request.send_header("Content-Length", "0")
        if 300 <= self.status < 400:
            request.send_header("Location", "/elsewhere")
        request.end_headers()


def publisher(url: str, **more: object) -> WebhookPublisher:
    config = WebhookConfig.model_validate({"type": "webhook", "url": f"{url}/hook?token=s3cret"} | more)
    return config.build("home", _obey, FakeClock())


def sent(url: str, *messages: Message, **more: object) -> list[PublishOutcome]:
    outcomes: list[PublishOutcome] = []
    with publisher(url, **more) as made:
        for message in messages:
            made.publish(message, outcomes.append)
    return outcomes


def test_an_alert_is_posted_and_signed() -> None:
    """The receiver can tell that it is ours, and from when: the timestamp is part of what is signed."""
    receiver = Receiver()
    with http_server(receiver) as url:
        assert sent(url, alert(), secret=KEY) == [DELIVERED]

    [(path, headers, body)] = receiver.got
    document = json.loads(body)
    assert path == "/hook?token=s3cret"
    assert headers["Content-Type"] == "application/json"
    assert (document["type"], document["node"], document["rule"]) == ("alert", "home", alert().rule)
    stamp = headers["X-Earwitness-Timestamp"]
    assert headers["X-Earwitness-Signature"] == signature(KEY, stamp, body)
    assert signature(KEY, str(int(stamp) + 1), body) != signature(KEY, stamp, body)


def test_the_signature_is_the_standards() -> None:
    """As `printf '1.{}' | openssl dgst -sha256 -hmac key` gives it."""
    assert signature("key", "1", b"{}") == (
        "sha256=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
    )


@pytest.mark.parametrize(
    "url",
    [
        "ears.example", "ftp://ears.example", "", "https://", "http://[::1/key", "http://ears.example:99999/key",
        "http://ears.example:0/key", "http://:80/key",
    ],
)  # fmt: skip
def test_an_address_of_the_web_is_asked_for(url: str) -> None:
    """And what was written is not shown: it may hold a key."""
    with pytest.raises(ValidationError) as error:
        WebhookConfig.model_validate({"type": "webhook", "url": url})
    assert "https://" in str(error.value)
    assert not url or url == "https://" or url not in str(error.value)


def test_events_only_by_request_and_states_never() -> None:
    """A receiver that counts alerts is not flooded."""
    receiver = Receiver()
    level = Level("kitchen", START, -40.0, -60.0)
    with http_server(receiver) as url:
        assert sent(url, event(), level, alert(severity="info"), min_severity="warning") == [DELIVERED] * 2
        assert receiver.got == []
        assert sent(url, event(), events=True) == [DELIVERED]
    assert len(receiver.got) == 1
    assert "X-Earwitness-Signature" not in receiver.got[0][1]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, Failed), (503, Failed), (429, Failed), (302, Failed), (404, Refused), (401, Refused)],
)
def test_what_is_not_taken_is_kept(status: int, outcome: type[PublishOutcome], lines: Lines) -> None:
    """It waits in the outbox and is tried again; no redirect is followed, and the log names no address."""
    receiver = Receiver(status)
    with http_server(receiver) as url:
        [how] = sent(url, alert())
    assert isinstance(how, outcome)
    assert [path for path, *_ in receiver.got] == ["/hook?token=s3cret"]
    assert "s3cret" not in str(lines.logged)
    assert len(lines.warnings()) == 1


def test_nobody_there_is_tried_again_later() -> None:
    """Not in a busy loop."""
    with publisher(f"http://127.0.0.1:{free_port()}") as made:
        outcomes: list[PublishOutcome] = []
        assert made.ready()
        made.publish(alert(), outcomes.append)
        assert not made.ready()
    assert isinstance(outcomes[0], Failed)


def _obey(command: Command) -> None:
    """A webhook sends no commands."""
