"""Events in Frigate: against a server that answers as its API is documented."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.publishers.base import DELIVERED, Failed, House, PublishOutcome, Refused
from monitor.publishers.frigate import MOST_LINKS, FrigateConfig, FrigatePublisher, VideoLinks
from monitor.types import Command
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock
from testkit.http_servers import http_server, serve
from testkit.mosquitto import free_port

PASSWORD = "s3cret"


def _obey(command: Command) -> None:
    raise AssertionError(f"Frigate asks for nothing: {command}")


@dataclass
class Frigate:
    """Its API for manual events, of 0.17: what was made, by id."""

    locked: bool = False
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    logins: int = 0

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        status, answer, cookie = self.answer(request, body)
        request.send_response(status)
        content = json.dumps(answer).encode()
        request.send_header("Content-Length", str(len(content)))
        if cookie:
            request.send_header("Set-Cookie", cookie)
        request.end_headers()
        request.wfile.write(content)

    def answer(self, request: BaseHTTPRequestHandler, body: Any) -> tuple[int, dict[str, Any], str]:
        match (request.command, request.path.split("/")[2:]):
            case ("POST", ["login"]):
                self.logins += 1
                right = body == {"user": "ears", "password": PASSWORD}
                return (200, {}, "frigate_token=jwt.of.it; HttpOnly") if right else (401, {}, "")
            case _ if self.locked and request.headers["Authorization"] != "Bearer jwt.of.it":
                return 401, {"message": "Unauthorized"}, ""
            case ("POST", ["events", camera, label, "create"]):
                if camera != "porch_cam":
                    return 404, {"success": False, "message": f"{camera} is not a valid camera."}, ""
                id = f"{len(self.events)}.5-abc"
                self.events[id] = {"camera": camera, "label": label, **body}
                return 200, {"success": True, "event_id": id}, ""
            case ("PUT", ["events", id, "end"]) if id in self.events:
                self.events[id]["end_time"] = body["end_time"]
            case ("POST", ["events", id, "description"]) if id in self.events:
                self.events[id]["description"] = body["description"]
            case _:
                return 404, {"success": False, "message": "Event not found."}, ""
        return 200, {"success": True}, ""


@contextmanager
def frigate(
    server: Frigate, clock: FakeClock | None = None, **more: Any
) -> Iterator[tuple[FrigatePublisher, FakeClock]]:
    clock = clock or FakeClock(START)
    with http_server(server) as url:
        cameras = {"porch": "porch_cam", "shed": "shed_cam"}
        block = FrigateConfig.model_validate({"type": "frigate", "url": url, "cameras": cameras} | more)
        with block.build("home", _obey, clock) as publisher:
            yield publisher, clock


def outcome(publisher: FrigatePublisher, *messages: Any) -> list[PublishOutcome]:
    found: list[PublishOutcome] = []
    for message in messages:
        publisher.publish(message, found.append)
    return found


GLASS = event("glass_break", source="porch", score=0.914)
ENDED = event(
    "glass_break", source="porch", state="ended", ended_at=START + timedelta(seconds=4), ended_by="quiet"
)


def test_an_event_begins_and_ends_there() -> None:
    """With its label, score and certainty, and open until ours ends: a repeat begins no second one."""
    server = Frigate()
    with frigate(server) as (publisher, _):
        publisher.announce(House("home", "1", (), page="http://ears.local:8199/"))
        assert outcome(publisher, GLASS, GLASS, ENDED) == [DELIVERED] * 3

    [made] = server.events.values()
    assert made == {
        "camera": "porch_cam", "label": "glass_break", "sub_label": "confirmed 0.91", "score": 0.914,
        "duration": None, "include_recording": True, "end_time": START.timestamp() + 4,
        "description": "earwitness: http://ears.local:8199/#/event/e00000000001",
    }  # fmt: skip


def test_the_page_is_given_the_way_to_the_video() -> None:
    """Where a browser reaches Frigate, which may be another address than ours."""
    with frigate(Frigate(), page_url="https://video.home/") as (publisher, _):
        outcome(publisher, GLASS)
        rows = publisher.memory.rows()
    assert rows == {"e00000000001": ("0.5-abc", "https://video.home/explore?event_id=0.5-abc")}


def test_an_event_that_outlives_a_restart_ends() -> None:
    """What the run before began is known from its file."""
    server = Frigate()
    with frigate(server) as (publisher, _):
        outcome(publisher, GLASS)
        kept = json.loads(json.dumps(publisher.memory.rows()))
    with frigate(server) as (publisher, _):
        publisher.memory.found(kept)
        outcome(publisher, ENDED)
    assert server.events["0.5-abc"]["end_time"] == START.timestamp() + 4


def test_what_comes_late_is_left_out() -> None:
    """Frigate would date the video by the arrival."""
    server = Frigate()
    with frigate(server) as (publisher, clock):
        clock.advance(31)
        assert outcome(publisher, GLASS, ENDED) == [DELIVERED] * 2
    assert not server.events


def test_only_what_warns_near_a_camera_is_sent() -> None:
    """Speech would fill its timeline; alerts consist of events."""
    server = Frigate()
    speech, elsewhere = event("speech", source="porch"), event("glass_break", source="kitchen")
    with frigate(server) as (publisher, _):
        assert outcome(publisher, speech, elsewhere, alert("glass_break")) == [DELIVERED] * 3
    assert not server.events
    with frigate(server, labels=["speech"]) as (publisher, _):
        outcome(publisher, speech, GLASS)
    assert [each["label"] for each in server.events.values()] == ["speech"]


def test_it_logs_in_where_that_is_asked_for() -> None:
    """Once, and again when the token is no longer taken."""
    server = Frigate(locked=True)
    with frigate(server, user="ears", password=PASSWORD) as (publisher, _):
        assert outcome(publisher, GLASS, ENDED) == [DELIVERED] * 2
    assert server.logins == 1
    assert len(server.events) == 1


def test_a_wrong_password_is_tried_again_later() -> None:
    """And is not part of the reason."""
    server = Frigate(locked=True)
    with frigate(server, user="ears", password="wrong") as (publisher, _):
        [failed] = outcome(publisher, GLASS)
        assert not publisher.ready()
    assert failed == Failed("does not let ears in (answers 401)")
    with frigate(server) as (publisher, _):
        [failed] = outcome(publisher, GLASS)
    assert isinstance(failed, Failed)
    assert "give `user` and `password`" in failed.reason


def test_a_camera_that_is_not_there_is_given_up() -> None:
    """Frigate's own words say which."""
    with frigate(Frigate()) as (publisher, _):
        [refused] = outcome(publisher, event("glass_break", source="shed"))
    assert refused == Refused("answers 404: shed_cam is not a valid camera.", keep_s=30.0)


def test_an_event_deleted_there_holds_up_nothing() -> None:
    """A person may tidy up while it goes on."""
    server = Frigate()
    with frigate(server) as (publisher, _):
        outcome(publisher, GLASS)
        server.events.clear()
        assert outcome(publisher, ENDED) == [DELIVERED]


@pytest.mark.parametrize("answer", [b"[" * 60_000, b'{"event_id"', b"[]", b"\0", b"1" * 9_000])
def test_an_answer_that_is_none_is_tried_again(answer: bytes) -> None:
    """Whatever stands there instead of Frigate: no answer ends the sender, nor the daemon with it."""
    cameras = {"porch": "porch_cam"}
    with http_server(serve(answer)) as url:
        block = FrigateConfig.model_validate({"type": "frigate", "url": url, "cameras": cameras})
        with block.build("home", _obey, FakeClock(START)) as publisher:
            [found] = outcome(publisher, GLASS)
    assert found == Failed("its answer names no event; is this Frigate?")


def test_frigate_that_is_away_is_waited_for() -> None:
    """The event stays in the outbox, until it is too late for its video."""
    block = FrigateConfig.model_validate(
        {"type": "frigate", "url": f"http://127.0.0.1:{free_port()}", "cameras": {"porch": "porch_cam"}}
    )
    clock = FakeClock(START)
    with block.build("home", _obey, clock) as publisher:
        assert outcome(publisher, GLASS) == [Failed("cannot be reached")]
        clock.advance(31)
        assert outcome(publisher, GLASS) == [DELIVERED]


def test_what_is_remembered_is_bounded() -> None:
    """The oldest goes."""
    links = VideoLinks()
    for n in range(MOST_LINKS + 3):
        links.add(f"e{n}", f"f{n}", "page")
    assert len(links.rows()) == MOST_LINKS
    assert links.of("e2") is None
    assert links.of("e3") == "f3"


@pytest.mark.parametrize(
    ("more", "fix"),
    [
        ({"url": "frigate:5000"}, "http://frigate:5000"),
        ({"url": "http://ears:pw@frigate:5000"}, "keys of their own"),
        ({"user": "ears"}, "go together"),
        ({"cameras": {}}, "at least 1"),
        ({"labels": ["glass"]}, "glass_break"),
    ],
)
def test_a_mistake_is_named(more: dict[str, Any], fix: str) -> None:
    """With what to write instead."""
    block = {"type": "frigate", "url": "http://frigate:5000", "cameras": {"porch": "porch_cam"}} | more
    with pytest.raises(ValidationError) as error:
        FrigateConfig.model_validate(block)
    assert fix in str(error.value)
