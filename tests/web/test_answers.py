"""What people say over MQTT, on the page: the real broker between."""

import json

from playwright.sync_api import expect

from testkit.mosquitto import Mosquitto, Subscriber, free_port
from testkit.visit import Visit
from tests.web.conftest import RULES, house, run


def test_an_answer_over_mqtt_shows_on_the_page(tmp_path, chromium):
    """An acknowledgement takes the card away while somebody looks; a verdict stands at its event."""
    port = free_port()
    visit = Visit(port, {"Host": f"localhost:{port}"})
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as phone:
        mqtt = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port}
        for home in run(tmp_path, house(port, publishers=[mqtt]), visit):
            event = next(one for one in home.has_heard() if one["label"] == "smoke_alarm")
            with chromium.page(home.address) as page:
                card = page.locator(".alert", has_text="Smoke alarm")
                expect(card).to_be_visible()
                phone.say("earwitness/home/ack/set", event["alerts"][0]["id"])
                expect(card).to_have_count(0)
            said = {"id": event["id"], "verdict": "wrong", "label": "phone_ring"}
            phone.say("earwitness/home/verdict/set", json.dumps(said))
            shown = visit.until(f"/api/events/{event['id']}", lambda one: one["verdict"])
            assert (shown["verdict"]["label"], shown["verdict"]["by"]) == (said["label"], "mqtt")
            assert shown["alerts"][0]["acknowledged_by"] == "mqtt"


def test_all_are_acknowledged_at_once(tmp_path):
    """The answer says how many, and the log does in one line; whoever asks again acknowledges none."""
    port = free_port()
    visit = Visit(port, {"Host": f"localhost:{port}"})
    rules = [rule | {"severity": "warning", "sources": ["kitchen"]} for rule in RULES]
    for home in run(tmp_path, house(port, rules=rules), visit):
        home.has_heard()
        count = len(visit.get("/api/alerts/open").json()["alerts"])
        assert count > 1
        assert visit.ask("POST", "/api/ack", {}).json() == {"alerts": count}
        assert visit.ask("POST", "/api/ack", {}).json() == {"alerts": 0}
        assert visit.get("/api/alerts/open").json()["alerts"] == []
    said = [line for line in (tmp_path / "log").read_text().splitlines() if '"event": "acknowledged"' in line]
    assert len(said) == 1, said
