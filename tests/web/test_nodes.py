"""Every node on one broker: what is read of them, and what is shown."""

import json
import signal
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect

from monitor.clock import SystemClock
from monitor.config.loading import load_config
from monitor.errors import ConfigError
from monitor.publishers.mqtt.config import MqttConfig
from monitor.web.api import nodes
from monitor.web.house_time import HouseTime, house_zone
from monitor.web.nodes.ledger import MOST_NODES, SILENT, TAILS, Ledger, Node
from monitor.web.nodes.subscriber import NodeSubscriber
from testkit.mosquitto import Mosquitto, Subscriber, free_port
from testkit.noisy_house import until
from testkit.process import DaemonProcess
from testkit.visit import Visit, wait_for_port
from tests.web.conftest import GOES_ON, HEARD_ALL, RULES
from tests.web.test_api import check_answer
from tests.web.test_page import PHONE, check_accessible, shot

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ROOT = "earwitness/villa"
SMOKE = {"id": "0123456789ab", "rule": "Smoke", "severity": "critical", "message": "Smoke!", "count": 2}
BARK = {"id": "ba0123456789", "label": "dog_bark", "score": 0.9, "started_at": NOON.isoformat()}


def ledger(*roots: str) -> Ledger:
    return Ledger(roots or ("earwitness/+",), NOON)


def say(
    book: Ledger, topic: str, said: str | Mapping[str, Any], now: datetime = NOON, *, retained: bool = False
) -> None:
    payload = said if isinstance(said, str) else json.dumps(said)
    book.note(topic, payload.encode(), now, retained=retained)


def health(at: datetime = NOON, **more: Any) -> dict[str, Any]:
    return {"at": at.isoformat(), "uptime_s": 3600.0, "notes": {}, "stalled": [], **more}


def only(book: Ledger, now: datetime = NOON) -> Node:
    [node] = book.changed(0, now)
    return node


def test_a_node_lives_since_it_said_so_and_is_away_since_its_will():
    """Since when it lives follows from its own uptime; that it went was seen."""
    book = ledger()
    say(book, f"{ROOT}/status", "online", retained=True)
    say(book, f"{ROOT}/health", health(), retained=True)
    assert (only(book).id, only(book).state(NOON)) == ("villa", "online")
    assert only(book).since == NOON - timedelta(hours=1)
    later = NOON + timedelta(minutes=1)
    say(book, f"{ROOT}/status", "offline", later)
    assert (only(book).state(later), only(book).since) == ("away", later)


def test_a_node_that_was_gone_before_we_came_was_last_heard_by_its_report():
    """The broker keeps the report, not the time of the will."""
    book = ledger()
    say(book, f"{ROOT}/status", "offline", retained=True)
    say(book, f"{ROOT}/health", health(NOON - timedelta(days=2)), retained=True)
    assert (only(book).state(NOON), only(book).since) == ("away", None)
    assert only(book).heard_at == NOON - timedelta(days=2)


def test_a_node_behind_a_bridge_that_is_cut_is_silent():
    """Nobody speaks its will there; that is news without any message, and over with the next report."""
    book = ledger()
    say(book, f"{ROOT}/status", "online")
    say(book, f"{ROOT}/health", health())
    seen = book.revision
    late = NOON + SILENT + timedelta(seconds=1)
    assert not list(book.changed(seen, NOON + SILENT))
    [node] = book.changed(seen, late)
    assert node.state(late) == "silent"
    seen = book.revision
    say(book, f"{ROOT}/health", health(late), late)
    assert [one.state(late) for one in book.changed(seen, late)] == ["online"]


def test_trouble_alert_rooms_and_sounds_are_told():
    """As the node says it; an alert that was acknowledged is gone."""
    book = ledger()
    say(book, f"{ROOT}/health", health(notes={"sounds": "model is missing"}, stalled=["hall stands"],
        page="https://villa.example/"))  # fmt: skip
    say(book, f"{ROOT}/alert/active/attributes", {**SMOKE, "raised_at": NOON.isoformat()})
    say(book, f"{ROOT}/hall/status", "offline")
    say(book, f"{ROOT}/hall/status/attributes", {"reason": "no device", "since": NOON.isoformat()})
    for n in range(9):
        say(book, f"{ROOT}/hall/event", {**BARK, "id": f"{n:012x}", "state": "started"})
    say(book, f"{ROOT}/hall/event", {**BARK, "id": f"{8:012x}", "state": "ended"})
    node = only(book)
    assert node.troubles == ("hall stands", "sounds: model is missing")
    assert node.page == "https://villa.example/"
    assert node.alert is not None
    assert (node.alert.rule, node.alert.severity, node.alert.count) == ("Smoke", "critical", 2)
    assert (node.rooms["hall"].online, node.rooms["hall"].reason) == (False, "no device")
    assert [(one.id[-1], one.ended) for one in node.last] == [
        ("4", False), ("5", False), ("6", False), ("7", False), ("8", True),
    ]  # fmt: skip
    say(book, f"{ROOT}/alert/active/attributes", {"id": None, "rule": None, "count": 0})
    assert only(book).alert is None


def test_homes_of_an_operator_are_named_by_every_plus():
    """And what was taken off the broker is gone; nothing else is a node."""
    book = ledger("homes/+/+")
    say(book, "homes/home17/villa/status", "online")
    say(book, "homes/home18/villa/status", "online")
    say(book, "earwitness/villa/status", "online")
    assert [node.id for node in book.changed(0, NOON)] == ["home17/villa", "home18/villa"]
    say(book, "homes/home17/villa/status", "")
    assert (len(book), [node.id for node in book.changed(0, NOON)]) == (1, ["home18/villa"])


def test_only_what_has_changed_is_told_again():
    """And everything to whoever asked an earlier life of ours."""
    book = ledger()
    say(book, f"{ROOT}/status", "online")
    seen = book.revision
    say(book, "earwitness/barn/status", "online")
    assert [node.id for node in book.changed(seen, NOON)] == ["barn"]
    assert Ledger(("earwitness/+",), NOON + timedelta(seconds=1)).revision > book.revision


def test_there_is_a_most_of_everything():
    """Whoever may write on the broker can make up nodes, rooms and words."""
    book = ledger()
    for n in range(MOST_NODES + 10):
        say(book, f"earwitness/node{n}/status", "online")
    for n in range(1000):
        say(book, f"earwitness/node1/room{n}/status", "online")
    say(book, "earwitness/node1/health", health(notes={f"{n}": "x" * 900 for n in range(60)}))
    assert (len(book), book.ignored["more nodes than are kept"]) == (MOST_NODES, 10)
    node = next(node for node in book.changed(0, NOON) if node.id == "node1")
    assert (len(node.rooms), len(node.troubles)) == (64, 8)
    assert max(map(len, node.troubles)) < 300


ODD = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text()
    | st.sampled_from(["9999-12-31T23:59:59-12:00", "javascript:alert(1)", "critical", "online", "ended"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KEYS = ("at", "uptime_s", "page", "notes", "stalled", "stuck", "rule", "raised_at", "severity", "message",
        "count", "id", "label", "started_at", "score", "state", "reason", "since")  # fmt: skip
SAID = st.binary(max_size=40) | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(KEYS, ODD)
).map(lambda said: json.dumps(said).encode())  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(TAILS), st.text(max_size=9), SAID, st.booleans()), max_size=6))
def test_whatever_is_said_breaks_nothing(messages):
    """What is kept of it is bounded, and can be shown in any time zone."""
    book, time = ledger(), HouseTime(house_zone())
    for tail, name, payload, retained in messages:
        book.note(f"{ROOT}/{tail.replace('+', name or 'hall')}", payload, NOON, retained=retained)
        book.note(f"{name}/{tail}", payload, NOON, retained=retained)
    for node in book.changed(0, NOON):
        node.state(NOON)
        moments = [node.since, node.heard_at, *(one.at for one in node.last)]
        assert all(time.iso(at) for at in moments if at)
        assert node.page is None or node.page.startswith("http")
        json.dumps([node.troubles, [one.score for one in node.last]], allow_nan=False)


@pytest.mark.parametrize(
    "payload", [b"[" * 60_000, b'{"at": 1e999}', b"\xff\xfe", b"9" * 5000, b"x" * 70_000]
)
def test_what_is_no_document_says_nothing(payload):
    """Nor is it a node."""
    book = ledger()
    for tail in ("health", "alert/active/attributes", "hall/event"):
        book.note(f"{ROOT}/{tail}", payload, NOON, retained=False)
    assert (len(book), book.ignored["nothing of ours"]) == (0, 3)


def test_the_listener_reads_and_never_speaks(tmp_path: Path):
    """Not when it comes, not when it goes; and it knows when the broker is away."""
    broker = Mosquitto(tmp_path / "broker")
    with broker, Subscriber(broker) as everybody:
        everybody.say(f"{ROOT}/status", "online", retain=True)
        config = MqttConfig(type="mqtt", port=broker.port)
        with NodeSubscriber(config, (), "home", SystemClock()) as listener:
            until(lambda: listener.seen().count == 1, "the node")
            everybody.say(f"{ROOT}/status", "offline", retain=True)
            until(lambda: listener.seen().nodes[0][1] == "away", "its will")
        everybody.say("the/end", "")
        everybody.wait_for("the/end")
        assert [one.topic for one in everybody.heard] == [f"{ROOT}/status", f"{ROOT}/status", "the/end"]
        with NodeSubscriber(config, ("homes/+/+",), "home", SystemClock()) as listener:
            until(lambda: listener.seen().connected, "the broker")
            broker.stop()
            until(lambda: not listener.seen().connected, "its end")


def test_other_nodes_need_a_broker_that_there_is(tmp_path: Path):
    """`earwitness check` says it, at its place."""
    file = tmp_path / "earwitness.yaml"
    plain = "sources: [{type: demo, name: hall}]\n"
    file.write_text(f"{plain}web: {{nodes: {{}}}}\n")
    with pytest.raises(ConfigError, match="add a publisher of `type: mqtt`"):
        load_config(file)
    file.write_text(f"{plain}publishers: [{{type: mqtt}}]\nweb: {{nodes: {{broker: mqqt}}}}\n")
    with pytest.raises(ConfigError, match="no `mqtt` publisher is named 'mqqt'"):
        load_config(file)
    file.write_text(f"{plain}publishers: [{{type: mqtt}}]\nweb: {{nodes: {{topics: ['earwitness/#']}}}}\n")
    with pytest.raises(ConfigError, match="topics"):
        load_config(file)


EVIL = {
    "notes": {"<img src=x onerror=alert(1)>": "</script>" + "x" * 5000},
    "page": "javascript:alert(1)",
    "uptime_s": 5,
}


def test_one_page_shows_three_daemons_on_one_broker_and_one_that_was_killed(tmp_path, chromium):
    """Real ones: an alarm and a taken port in the villa, kill -9 in the barn, and somebody who makes up a
    node. Nothing can be pressed."""
    port = free_port()
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as taken:
        broker = stack.enter_context(Mosquitto(tmp_path / "broker"))
        others = stack.enter_context(Subscriber(broker, "none"))

        def daemon(node: str, **more: Any) -> DaemonProcess:
            (tmp_path / node).mkdir(exist_ok=True)
            mqtt = {"type": "mqtt", "port": broker.port, "homeassistant": False}
            config = {"node": node, "sources": [GOES_ON], "publishers": [mqtt], **more}
            return stack.enter_context(DaemonProcess(config, tmp_path / node))

        villa = {"url": "http://villa.example:8199", "port": taken.getsockname()[1]}
        daemon("villa", sources=[HEARD_ALL, GOES_ON], rules=RULES[:2], web=villa)
        barn = daemon("barn")
        daemon("home", web={"port": port, "nodes": {}})
        wait_for_port(port)
        address = f"http://localhost:{port}/"
        with chromium.page(address, **PHONE, device_scale_factor=2) as page:
            page.get_by_role("link", name="All nodes").click()
            expect(page.locator(".node")).to_have_count(3)
            card = page.locator(".node[data-node=villa]")
            expect(card).to_contain_text("page: off, 127.0.0.1")
            expect(card).to_contain_text("Alive since")
            expect(card.locator(".heard")).to_contain_text("Smoke alarm")
            link = page.get_by_role("link", name="Page of villa")
            expect(link).to_have_attribute("href", "http://villa.example:8199")
            waiting = page.locator(".alert", has_text="Smoke alarm")
            expect(waiting).to_contain_text("villa")
            expect(waiting).to_contain_text("more alert")
            expect(page.locator(".node[data-node=home]")).to_contain_text("this one")
            expect(page.locator(".node[data-node=barn]")).to_contain_text("1 microphone listens")
            barn.process.send_signal(signal.SIGKILL)
            expect(page.locator(".node[data-node=barn]")).to_contain_text("Away since")
            expect(page.get_by_role("heading", level=1)).to_have_text("2 of 3 nodes have a problem")
            assert page.locator("main button").count() == 0
            check_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            page.set_viewport_size({"width": PHONE["width"], "height": 1280})
            shot(page, "nodes")
            page.set_viewport_size(PHONE)
            others.say("earwitness/evil/status", "online", retain=True)
            others.say("earwitness/evil/health", json.dumps({**EVIL, "at": datetime.now(UTC).isoformat()}))
            visit = Visit(port, {"Host": f"localhost:{port}"})
            check_answer(visit.get("/api/nodes"), nodes.ROUTES[0])
            evil = page.locator(".node[data-node=evil]")
            expect(evil).to_contain_text("<img src=x onerror=alert(1)>: </script>xxx")
            assert (evil.locator("img").count(), evil.locator("a").count()) == (0, 0)
            page.emulate_media(color_scheme="dark")
            check_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            others.say("earwitness/evil/status", "", retain=True)
            expect(evil).to_have_count(0)
            daemon("barn")
            expect(page.locator(".node[data-node=barn]")).to_contain_text("Alive since")
        with chromium.page(f"{address}#/nodes", **PHONE, locale="de-DE") as page:
            expect(page.get_by_role("heading", level=1)).to_have_text("1 von 3 Knoten hat ein Problem")
            expect(page.locator(".node[data-node=barn]")).to_contain_text("Läuft seit")


def test_without_the_option_the_page_is_of_this_node_alone(home, chromium):
    """And says what would show the others."""
    assert home.visit.get("/api/nodes").status == 409
    with chromium.page(f"{home.address}#/nodes", **PHONE) as page:
        expect(page.locator("main")).to_contain_text("Only this node is shown")
        page.get_by_role("link", name="Now").click()
        expect(page.locator(".room")).to_have_count(2)
        expect(page.get_by_role("link", name="All nodes")).to_have_count(0)
