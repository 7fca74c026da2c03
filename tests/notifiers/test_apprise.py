"""Alerts to people, through Apprise to a real HTTP server on loopback."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.delivery.coalescer import Coalescer
from monitor.delivery.outbox import SqliteOutbox
from monitor.delivery.sender import Sender
from monitor.notifiers.apprise import NotifyConfig, NotifyPublisher, wording
from monitor.notifiers.spoken import AGE_SAID_AFTER_S
from monitor.publishers.base import DELIVERED, Failed, PublishOutcome
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock, raise_it

WAIT_S = 60.0
# Apprise imports it on purpose while it exists.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Hook(ThreadingHTTPServer):
    """A webhook that keeps what it receives and answers `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HookHandler)
        self.status = 200
        self.received: list[dict[str, Any]] = []
        self.attempts = 0
        self.changed = threading.Condition()

    def url(self, user: str = "") -> SecretStr:
        return SecretStr(f"json://{user}127.0.0.1:{self.server_port}/hook")

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, WAIT_S), self.received
            return list(self.received)


class HookHandler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.changed:
            self.server.attempts += 1
            if self.server.status == 200:
                self.server.received.append(document)
            self.server.changed.notify_all()
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@contextmanager
def notifier(url: SecretStr, clock: FakeClock | SystemClock, **more: Any) -> Iterator[NotifyPublisher]:
    (publisher,) = NotifyConfig(name="phone", urls=[url], **more).build(clock)
    with publisher:
        yield publisher


def tried(phone: NotifyPublisher) -> PublishOutcome:
    """What becomes of an alert."""
    outcomes: list[PublishOutcome] = []
    phone.publish(alert(), outcomes.append)
    (outcome,) = outcomes
    return outcome


def test_an_alert_arrives_with_its_severity(hook: Hook, clock: FakeClock) -> None:
    """The receiver gets title, text with the local time of the sound, and kind; then it is delivered."""
    delivered: list[str] = []
    with notifier(hook.url(), clock) as phone:
        assert phone.ready()
        phone.publish(alert("smoke_alarm", rule="Smoke"), lambda _: delivered.append("yes"))

    (received,) = hook.received
    assert received["title"] == "ALARM: Smoke"
    assert received["message"] == f"smoke_alarm in the kitchen\n{START.astimezone():%H:%M:%S}"
    assert received["type"] == "failure"
    assert delivered == ["yes"]


def test_a_late_alert_says_so() -> None:
    """Who reads it the next morning sees the date and that it was late."""
    _, text = wording(alert(at=START), late=True)

    assert text.endswith(f"{START.astimezone():%Y-%m-%d %H:%M:%S} (delivered late)")


def test_late_is_told_of_what_is_old(hook: Hook, clock: FakeClock) -> None:
    """What was collected with others for seconds is news; what waited for minutes is not."""
    with notifier(hook.url(), clock) as phone:
        for age_s in (5.0, AGE_SAID_AFTER_S + 1):
            phone.publish(alert(at=clock.now() - timedelta(seconds=age_s)), late=True)

    new, old = (received["message"] for received in hook.received)
    assert "late" not in new
    assert old.endswith("(delivered late)")


def test_a_refusal_is_tried_again_and_said_once(hook: Hook, clock: FakeClock) -> None:
    """Not taken: failed, no acknowledgement, not ready until the next attempt is due (1 s, doubling to
    30 s), one line when it begins and one when it works again."""
    outcomes: list[PublishOutcome] = []
    hook.status = 503
    waits_s = []
    with capture_logs() as logs, notifier(hook.url(), clock) as phone:
        for _ in range(8):
            phone.publish(alert(), outcomes.append)
            waited_s = 0
            while not phone.ready():
                clock.advance(1)
                waited_s += 1
            waits_s.append(waited_s)
        assert all(isinstance(outcome, Failed) and "503" in outcome.reason for outcome in outcomes)
        hook.status = 200
        phone.publish(alert(), outcomes.append)

    assert outcomes[8:] == [DELIVERED]
    assert waits_s[0] in (1, 2)
    assert 24 <= waits_s[-1] <= 36
    assert [(line["log_level"], line["notifier"]) for line in logs] == [
        ("warning", "phone"),
        ("info", "phone"),
    ]
    assert "503" in logs[0]["reason"]


def test_credentials_are_never_said(
    hook: Hook, clock: FakeClock, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither our log, nor Apprise's own, nor an error carries a password, a token or a path."""
    hook.status = 401
    url = SecretStr(f"json://owner:hunter2@127.0.0.1:{hook.server_port}/T0KEN?+X-Key=abcdef")
    with capture_logs() as logs, notifier(url, clock) as phone:
        outcomes: list[PublishOutcome] = []
        phone.publish(alert(), outcomes.append)

    everything = str(logs) + str(outcomes) + repr(phone) + caplog.text + "".join(capfd.readouterr())
    assert "401" in everything
    for secret in ("hunter2", "T0KEN", "abcdef", "owner"):
        assert secret not in everything


def test_a_receiver_that_hangs_costs_a_time_out(clock: FakeClock) -> None:
    """A server that accepts and never answers: the attempt ends by itself and counts as not taken."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = SecretStr(f"json://127.0.0.1:{silent.getsockname()[1]}/")
        with notifier(url, clock, timeout_s=0.2) as phone:
            assert isinstance(tried(phone), Failed)


def test_a_closed_door_counts_as_not_taken(clock: FakeClock) -> None:
    """Nobody listens: the same, at once."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    with notifier(SecretStr(f"json://127.0.0.1:{port}/"), clock) as phone:
        assert isinstance(tried(phone), Failed)


def test_a_mild_alert_is_not_sent_and_not_kept(hook: Hook, clock: FakeClock) -> None:
    """Below `min_severity` an alert counts as delivered without anybody being notified; so does an event."""
    delivered: list[str] = []
    with notifier(hook.url(), clock, min_severity="warning") as phone:
        phone.publish(alert(severity="info"), lambda _: delivered.append("info"))
        phone.publish(event(), lambda _: delivered.append("event"))
        phone.publish(alert(severity="warning"), lambda _: delivered.append("warning"))

    assert delivered == ["info", "event", "warning"]
    assert len(hook.received) == 1


def test_a_url_that_means_nothing_is_said_without_the_url() -> None:
    """What is wrong names where to look, not what may be a password."""
    why = NotifyConfig(urls=[SecretStr("json://right"), SecretStr("nonsense://s3cret")]).not_understood()

    assert why.startswith("Apprise does not understand urls[1]")
    assert "s3cret" not in why


def test_each_url_is_a_channel_of_its_own(clock: FakeClock) -> None:
    """The first keeps the notifier's name; the names do not depend on the URLs."""
    config = NotifyConfig(name="phone", urls=[SecretStr("json://a"), SecretStr("json://b")])

    assert config.channels == ("phone", "phone#2")
    assert [publisher.name for publisher in config.build(clock)] == ["phone", "phone#2"]


def test_a_notifier_needs_an_address() -> None:
    """No URL is a mistake, not silence."""
    with pytest.raises(ValidationError):
        NotifyConfig(urls=[])


def test_an_outage_of_the_receiver_loses_nothing(hook: Hook, tmp_path: Path) -> None:
    """Outbox, sender, notifier and webhook together: alerts raised while the receiver fails arrive when it
    works again, as one message per rule, and the outbox is empty."""
    hook.status = 500
    clock = SystemClock()
    with (
        SqliteOutbox(tmp_path / "outbox.db", clock, raise_it) as outbox,
        notifier(hook.url(), clock) as phone,
        Sender(outbox, phone, lambda error: None, clock, choice=Coalescer()) as sender,
    ):
        outbox.put(alert("dog_bark", id="first"), ["phone"])
        with hook.changed:
            assert hook.changed.wait_for(lambda: hook.attempts >= 1, WAIT_S)
        outbox.put(alert("dog_bark", id="second"), ["phone"])
        outbox.put(alert("knock", id="third"), ["phone"])
        hook.status = 200

        received = hook.wait_for(2)
        assert sender.settle(WAIT_S)
        assert outbox.backlog() == {}

    assert "(2 times since" in received[0]["message"]
    assert received[1]["message"].startswith("knock")
