"""The MQTT publisher against the real mosquitto."""

import json
import queue
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from monitor.clock import SystemClock
from monitor.delivery.channel import STOPPED, Channel
from monitor.delivery.outbox import SqliteOutbox
from monitor.publishers.base import HouseValue, PublishOutcome, Refused
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.queue import WINDOW
from monitor.types import (
    ActiveAlert,
    Health,
    LabelState,
    Level,
    Picture,
    Problem,
    Setting,
    SoundLevel,
    SourceStatus,
)
from testkit.builders import START, alert, event, house, room
from testkit.fakes import raise_it
from testkit.mosquitto import WITHIN_S, Mosquitto, Subscriber
from testkit.wire import Wire
from tests.publishers.conftest import Lines, Publish

ROOT = "earwitness/home"
SMOKE = f"{ROOT}/kitchen/smoke_alarm/state"
KITCHEN = "homeassistant/device/earwitness_home_kitchen/config"


def retained(broker: Mosquitto, filters: str = "#") -> dict[str, str]:
    """What the broker keeps for a newcomer."""
    with Subscriber(broker, filters) as newcomer:
        newcomer.say("end/of/retained", "")
        if filters == "#":
            newcomer.wait_for("end/of/retained")
        return {m.topic: m.payload.decode() for m in newcomer.heard if m.retain}


def is_last(listener: Subscriber, topic: str, payload: str) -> bool:
    """Whether that was heard last on a topic."""
    return listener.on(topic)[-1:] == [payload]


def test_a_newcomer_finds_everything_it_needs(broker, publish: Publish):
    """Discovery, states and availability are retained; nothing is ON that does not sound."""
    publish(port=broker.port).wait_ready()
    kept = retained(broker)

    assert json.loads(kept[KITCHEN])["components"]["smoke_alarm"]["state_topic"] == SMOKE
    assert kept[SMOKE] == kept[f"{ROOT}/kitchen/glass_break/state"] == "OFF"
    assert kept[f"{ROOT}/kitchen/problem"] == "OFF"
    assert kept[f"{ROOT}/kitchen/status"] == "offline"
    assert kept[f"{ROOT}/status"] == "online"


def test_states_are_said_in_their_words(broker, listener, publish: Publish):
    """Each state on its topic: numbers as numbers, switches as ON and OFF."""
    publisher = publish(port=broker.port, homeassistant=False).publisher
    for message in (
        LabelState("kitchen", "smoke_alarm", True),
        SourceStatus("kitchen", False, START, "no device 'hw:1,0'"),
        Level("kitchen", START, float("-inf"), -61.24),
        SoundLevel("hall", START, -46.04, 59.8),
        SoundLevel("kitchen", START, -46.04, 59.8, 2.1, calibration_db=100.0),
        Problem("kitchen", START, ("clipping", "dc_offset")),
        Setting("kitchen", "mute", True),
        Setting("kitchen", "sensitivity", -0.5),
        ActiveAlert(alert(), 2),
        Health(START, {"dropped": 3}),
    ):
        publisher.publish(message)

    listener.wait_for(SMOKE, "ON")
    listener.wait_for(f"{ROOT}/kitchen/last_sound", "smoke_alarm")
    listener.wait_for(f"{ROOT}/kitchen/status", "offline")
    listener.wait_for(f"{ROOT}/kitchen/level", "-120")
    listener.wait_for(f"{ROOT}/kitchen/floor", "-61.2")
    listener.wait_for(f"{ROOT}/hall/laeq", "-46")
    listener.wait_for(f"{ROOT}/kitchen/laeq", "54")
    minute = json.loads(listener.wait_for(f"{ROOT}/kitchen/laeq/attributes"))
    assert (minute["laeq_dba"], minute["covered_s"], minute["clipped_s"]) == (54.0, 60, 2)
    listener.wait_for(f"{ROOT}/kitchen/problem", "ON")
    listener.wait_for(f"{ROOT}/kitchen/problem/attributes", '{"kinds":["clipping","dc_offset"]}')
    listener.wait_for(f"{ROOT}/kitchen/mute", "ON")
    listener.wait_for(f"{ROOT}/kitchen/sensitivity", "-0.5")
    assert json.loads(listener.wait_for(f"{ROOT}/health"))["dropped"] == 3
    listener.wait_for(f"{ROOT}/alert/active", "ON")
    shown = json.loads(listener.wait_for(f"{ROOT}/alert/active/attributes"))
    assert (shown["id"], shown["rule"], shown["count"]) == (alert().id, alert().rule, 2)
    reason = json.loads(listener.wait_for(f"{ROOT}/kitchen/status/attributes"))["reason"]
    assert reason == "no device 'hw:1,0'"


def test_the_house_is_set_from_outside(broker, listener, publish: Publish):
    """Our own entities by their commands, anything else by what it publishes, retained or not; what is
    known is kept for whoever comes later."""
    values = (
        HouseValue("mode", ("home", "away")),
        HouseValue("tv", ("on", "off"), "tv/state", "", ("playing",)),
    )
    listener.say("tv/state", "playing", retain=True)
    running = publish(replace(house(), values=values), port=broker.port)
    running.wait_ready()
    listener.say(f"{ROOT}/house/mode/set", "away")
    listener.say(f"{ROOT}/house/mode/set", "out")
    listener.say("tv/state", "idle")
    commands = [(each.source, each.value) for each in running.wait_commands(3)]

    assert sorted(commands) == [("mode", "away"), ("tv", "off"), ("tv", "on")]
    for setting in (Setting("house", "tv", "off"), Setting("house", "mode", "away")):
        running.publisher.publish(setting)
    listener.wait_for(f"{ROOT}/house/mode", "away")
    assert listener.on(f"{ROOT}/house/tv") == []
    node = json.loads(listener.wait_for("homeassistant/device/earwitness_home/config"))
    assert node["components"]["house_mode"]["options"] == ["home", "away"]
    assert "house_tv" not in node["components"]


def test_a_picture_is_its_bytes(broker, listener, publish: Publish):
    """The newest stays on the broker for a dashboard that opens later, and says whose it is."""
    publisher = publish(port=broker.port, homeassistant=False).publisher
    for number in range(2):
        png = b"\x89PNG\r\n" + bytes([number]) * 50_000
        publisher.publish(Picture("kitchen", f"e{number:011d}", "speech", png))

    listener.wait_until(lambda: any(m.payload == png for m in listener.heard), "the second picture")
    listener.wait_for(f"{ROOT}/kitchen/image/attributes", '{"event_id":"e00000000001","label":"speech"}')
    assert [m.payload for m in listener.heard if m.topic == f"{ROOT}/kitchen/image"][-1] == png


def test_a_sound_without_an_entity_has_no_state(broker, listener, publish: Publish):
    """Sixty retained topics that nobody asked for would be left on the broker; it still is the last sound."""
    publisher = publish(port=broker.port, homeassistant=False).publisher
    publisher.publish(LabelState("kitchen", "speech", True))

    listener.wait_for(f"{ROOT}/kitchen/last_sound", "speech")
    assert listener.on(f"{ROOT}/kitchen/speech/state") == []


def test_events_and_alerts_arrive_and_are_not_kept(broker, listener, publish: Publish):
    """QoS 1, acknowledged, and gone: a retained event would fire again at every restart."""
    running = publish(port=broker.port)
    running.wait_ready()
    running.deliver(event("speech"))
    running.deliver(alert())
    listener.wait_for(f"{ROOT}/alert")

    heard = [m for m in listener.heard if m.topic in (f"{ROOT}/kitchen/event", f"{ROOT}/alert")]
    assert [m.qos for m in heard] == [1, 1]
    assert listener.documents(f"{ROOT}/kitchen/event")[0]["late"] is False
    assert listener.documents(f"{ROOT}/alert")[0]["rule"] == "glass_break"
    assert not retained(broker).keys() & {f"{ROOT}/kitchen/event", f"{ROOT}/alert"}


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_both_versions_of_the_protocol(broker, listener, publish: Publish, protocol):
    """Either can be chosen, and both deliver and obey."""
    running = publish(port=broker.port, protocol=protocol, homeassistant=False)
    running.wait_ready()
    running.deliver(event())
    listener.say(f"{ROOT}/kitchen/mute/set", "ON")

    assert running.wait_commands(1)[0].value is True


def test_leaving_says_offline(broker, listener, publish: Publish, life):
    """A clean stop tells the house at once, and what waits is still sent."""
    running = publish(port=broker.port, homeassistant=False)
    running.wait_ready()
    running.publisher.publish(LabelState("kitchen", "smoke_alarm", True))
    running.publisher.__exit__()

    assert listener.wait_for(f"{ROOT}/status", "offline")
    assert listener.wait_for(SMOKE, "ON")


_LIVES_UNTIL_KILLED = """
import signal, sys
from monitor.clock import SystemClock
from monitor.publishers.base import PublishOutcome, Refused
from monitor.publishers.mqtt.config import MqttConfig
from monitor.types import LabelState
from testkit.builders import house
publisher = MqttConfig(type="mqtt", port=int(sys.argv[1])).build("home", print, SystemClock())
publisher.announce(house())
publisher.publish(LabelState("kitchen", "smoke_alarm", True))
with publisher:
    signal.pause()
"""


def test_the_will_speaks_for_the_killed_and_the_next_life_clears_up(broker, listener, publish: Publish):
    """kill -9 while a sensor is ON: the house learns that we are gone; after a restart nothing stays ON."""
    command = [sys.executable, "-c", _LIVES_UNTIL_KILLED, str(broker.port)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[3]) as first_life:
        listener.wait_for(SMOKE, "ON")
        first_life.send_signal(signal.SIGKILL)
    listener.wait_for(f"{ROOT}/status", "offline")
    assert retained(broker)[SMOKE] == "ON"

    publish(port=broker.port).wait_ready()

    assert retained(broker)[SMOKE] == "OFF"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_foreign_status_is_put_right(broker, listener, publish: Publish, protocol):
    """A late last will or a forged `offline`, retained or not, of the node or of a room: Home Assistant would
    show as unavailable what works."""
    running = publish(port=broker.port, protocol=protocol)
    running.publisher.publish(SourceStatus("kitchen", True, START))
    running.wait_ready()
    for forged, retain in (("gone", True), ("offline", True), ("", True), ("offline\0", False)):
        for topic in (f"{ROOT}/status", f"{ROOT}/kitchen/status"):
            listener.say(topic, forged, retain=retain)
            listener.wait_for(topic, forged)
            listener.wait_until(partial(is_last, listener, topic, "online"), f"{topic} put right")
    with Subscriber(broker) as newcomer:
        assert newcomer.wait_for(f"{ROOT}/status") == "online"
        assert newcomer.wait_for(f"{ROOT}/kitchen/status") == "online"


def test_our_own_farewell_is_left_as_it_is(broker, listener, publish: Publish, lines: Lines):
    """It comes back to us like the words of others; and what the broker has kept of it is no news to the next
    run."""
    running = publish(port=broker.port)
    running.wait_ready()
    running.publisher.__exit__()

    listener.wait_for(f"{ROOT}/status", "offline")
    assert retained(broker)[f"{ROOT}/status"] == "offline"
    publish(port=broker.port).wait_ready()
    listener.wait_for(f"{ROOT}/status", "online", times=2)
    put_right = "mqtt: another status than ours was published; put right"
    assert not [line for line in lines.events(put_right) if line["level"] != "debug"]


def test_a_broker_that_stops_speaks_our_will_and_nobody_else_has_spoken(
    broker, publish: Publish, lines: Lines
):
    """mosquitto gives each client the last wills of all before it hangs up: ours is no other's status."""
    running = publish(port=broker.port)
    running.wait_ready()
    broker.stop(orderly=True)
    lines.wait_for("mqtt lost")

    put_right = "mqtt: another status than ours was published; put right"
    [will] = lines.events(put_right)
    assert (will["was"], will["level"]) == ("offline", "debug")


def test_a_broker_that_forgot_everything_is_sent_it_again(broker, publish: Publish):
    """A restart without persistence: documents, states and availability come back, and an OFF that was
    missed does not leave the sensor ON."""
    running = publish(port=broker.port)
    running.wait_ready()
    running.publisher.publish(LabelState("kitchen", "smoke_alarm", True))
    running.publisher.publish(Setting("kitchen", "sensitivity", 0.25))
    with Subscriber(broker) as listener:
        listener.wait_for(SMOKE, "ON")
    broker.stop()
    running.publisher.publish(LabelState("kitchen", "smoke_alarm", False))
    broker.start()

    with Subscriber(broker) as listener:
        listener.wait_for(f"{ROOT}/status", "online")
    kept = retained(broker)
    assert kept[SMOKE] == "OFF"
    assert kept[f"{ROOT}/kitchen/sensitivity"] == "0.25"
    assert json.loads(kept[KITCHEN])["origin"]["name"] == "earwitness"


def test_what_is_handed_over_during_an_outage_arrives_in_order(broker, listener, life, publish: Publish):
    """Nothing is lost, nothing overtakes, each is acknowledged once, and all of it is marked late."""
    wire = life.enter_context(Wire(broker.port))
    running = publish(port=wire.port, homeassistant=False)
    running.wait_ready()
    wire.cut()
    arrived: list[str] = []
    ids = [f"e{number:011d}" for number in range(WINDOW)]
    for id in ids:
        running.publisher.publish(event(id=id), partial(_note, arrived, id), late=True)
    assert not running.publisher.ready()
    wire.mend()

    listener.wait_for(f"{ROOT}/kitchen/event", times=WINDOW)
    running.deliver(alert())
    documents = listener.documents(f"{ROOT}/kitchen/event")
    assert [document["id"] for document in documents] == arrived == ids
    assert all(document["late"] for document in documents)


def _note(arrived: list[str], id: str, outcome: PublishOutcome) -> None:
    arrived.append(id)


def test_a_lost_acknowledgement_sends_the_event_again(broker, listener, life, publish: Publish):
    """The broker has it, we cannot know: it comes again with the same id, marked late, and counts once."""
    wire = life.enter_context(Wire(broker.port))
    running = publish(port=wire.port, homeassistant=False)
    running.wait_ready()
    wire.deafen()
    arrived: list[str] = []
    running.publisher.publish(event(id="e00000000007"), lambda _: arrived.append("e00000000007"))
    listener.wait_for(f"{ROOT}/kitchen/event")
    assert arrived == []
    wire.cut()
    wire.mend()
    running.deliver(event(id="e00000000008"))
    listener.wait_for(f"{ROOT}/kitchen/event", times=3)

    heard = [(each["id"], each["late"]) for each in listener.documents(f"{ROOT}/kitchen/event")[:2]]
    assert heard == [("e00000000007", False), ("e00000000007", True)]
    assert arrived == ["e00000000007"]


def test_a_broker_that_stops_answering_fills_the_window(broker, publish: Publish):
    """When the window is full whoever delivers keeps the rest, until acknowledgements make room."""
    running = publish(port=broker.port, homeassistant=False)
    running.wait_ready()
    broker.freeze()
    for number in range(WINDOW):
        running.publisher.publish(event(id=f"e{number:011d}"))
    assert not running.publisher.ready()

    broker.thaw()
    running.wait_ready()


def test_home_assistants_restart_withholds_nothing(broker, listener, publish: Publish):
    """Its `offline` may be retained, forged or another one's: everything goes out, and after its `online`
    what it may have missed is asked for again and everything is announced anew."""
    running = publish(port=broker.port)
    running.wait_ready()
    listener.say("homeassistant/status", "offline", retain=True)
    listener.say(f"{ROOT}/test/set", "PRESS")
    running.wait_commands(1)
    assert running.publisher.ready()
    running.deliver(alert())

    listener.say("homeassistant/status", "online")
    listener.wait_for(KITCHEN, times=2)
    running.wait_ready()
    assert running.publisher.lost_since() is not None
    assert running.publisher.lost_since() is None


def test_alerts_go_out_before_everything_else(broker, listener, life, publish: Publish, lines: Lines):
    """Twenty rooms are hundreds of states: a new connection does not delay an alert behind them."""
    wire = life.enter_context(Wire(broker.port))
    running = publish(house(*(room(f"room_{n}") for n in range(20))), port=wire.port)
    running.wait_ready()
    wire.cut()
    lines.wait_for("mqtt lost")
    running.publisher.publish(event("speech"))
    running.publisher.publish(alert())
    # What the first connection published is heard before this.
    listener.say(f"{ROOT}/mark", "all")
    listener.wait_for(f"{ROOT}/mark", "all")
    before = len(listener.heard)
    wire.mend()
    listener.wait_for(f"{ROOT}/kitchen/event")

    ours = [m.topic for m in listener.heard[before:] if m.payload != b"offline"]
    assert ours[0] == f"{ROOT}/alert"
    assert ours[-1] == f"{ROOT}/kitchen/event"


def test_an_alert_before_home_assistant_knows_us_is_sent_again(broker, listener, publish: Publish):
    """It goes out at once; that nobody had an entity for it is noted until the documents were read."""
    running = publish(port=broker.port, waiting=alert())
    listener.wait_for(f"{ROOT}/status", "online")

    topics = [m.topic for m in listener.heard if m.topic.startswith(("earwitness", "homeassistant"))]
    assert topics[0] == f"{ROOT}/alert"
    running.wait_ready()
    assert running.publisher.lost_since() is not None


def test_an_alert_at_the_start_is_not_repeated_for_who_knows_us(broker, listener, publish: Publish):
    """The broker has kept our document: Home Assistant has the entity, whether we are online or not."""
    first = publish(port=broker.port)
    first.wait_ready()
    first.publisher.__exit__()
    second = publish(port=broker.port, waiting=alert())
    listener.wait_for(f"{ROOT}/alert")
    second.wait_ready()

    assert second.publisher.lost_since() is None


def test_the_age_and_origin_of_home_assistants_status_are_in_the_figures(broker, listener, publish: Publish):
    """A retained `offline` may be years old; whoever wonders reads where it came from."""
    listener.say("homeassistant/status", "offline", retain=True)
    running = publish(port=broker.port)
    running.wait_ready()
    found = running.publisher.figures()["homeassistant"]
    assert (found["status"], found["origin"]) == ("offline", "retained")

    listener.say("homeassistant/status", "online")
    listener.wait_for(KITCHEN, times=2)
    found = running.publisher.figures()["homeassistant"]
    assert (found["status"], found["origin"]) == ("online", "live")
    assert 0 <= found["age_s"] < 600


def test_what_nobody_subscribes_to_is_not_delivered(broker, publish: Publish, lines: Lines):
    """The broker acknowledges with 0x10 and throws it away: it is kept, and that is logged once."""
    running = publish(port=broker.port, homeassistant=False)
    running.wait_ready()
    outcomes: queue.SimpleQueue[PublishOutcome] = queue.SimpleQueue()
    running.publisher.publish(alert(stale_after_s=600.0), outcomes.put)

    refused = outcomes.get(timeout=WITHIN_S)
    assert isinstance(refused, Refused)
    assert refused.keep_s == 600.0
    running.publisher.publish(alert(id="ffffffffffff"), outcomes.put)
    unlimited = outcomes.get(timeout=WITHIN_S)
    assert isinstance(unlimited, Refused)
    assert unlimited.keep_s == 24 * 3600
    assert lines.warnings() == ["mqtt: nobody subscribes to alerts of ours"]
    with Subscriber(broker):
        running.deliver(alert())


def test_without_home_assistant_its_status_does_not_matter(broker, listener, publish: Publish):
    """`homeassistant: false`: nothing is announced, and only the broker counts."""
    running = publish(port=broker.port, homeassistant=False)
    running.wait_ready()
    listener.say("homeassistant/status", "offline")
    running.deliver(event())

    assert not [m for m in listener.heard if m.topic.startswith("homeassistant/device")]


def test_what_the_configuration_no_longer_has_disappears(broker, publish: Publish, life):
    """A removed label is buried in its document, a removed source's document is cleared, and the states of
    both are taken off the broker. Another node's are left alone."""
    other = "homeassistant/device/earwitness_home_annexe_kitchen/config"
    their_document = (
        '{"origin":{"name":"earwitness"},"availability":[{"topic":"earwitness/home_annexe/status"}]}'
    )
    first = publish(house(room("kitchen"), room("porch")), port=broker.port)
    first.wait_ready()
    first.publisher.__exit__()
    with Subscriber(broker) as listener:
        listener.say(other, their_document, retain=True)
        second = publish(house(room("kitchen", ("smoke_alarm",))), port=broker.port)
        second.wait_ready()
        listener.wait_for("homeassistant/device/earwitness_home_porch/config", "")
        buried = [
            document["components"]["glass_break"]
            for document in listener.documents(KITCHEN)
            if document["components"].get("glass_break", {}).keys() == {"platform"}
        ]
        assert buried == [{"platform": "binary_sensor"}]
        assert "glass_break" not in listener.documents(KITCHEN)[-1]["components"]

    kept = retained(broker)
    assert not [topic for topic in kept if "porch" in topic or "glass_break" in topic]
    assert kept[other] == their_document


def test_what_is_taken_out_while_running_disappears_too(broker, listener, publish: Publish):
    """A second announcement replaces the first."""
    running = publish(house(room("kitchen"), room("porch")), port=broker.port)
    running.wait_ready()
    running.publisher.announce(house(room("kitchen")))

    listener.wait_for("homeassistant/device/earwitness_home_porch/config", "")
    listener.wait_for(f"{ROOT}/porch/status", "")
    assert not [topic for topic in retained(broker) if "porch" in topic]


def test_commands_reach_us(broker, listener, publish: Publish):
    """What Home Assistant's switch, number and buttons send."""
    running = publish(port=broker.port)
    running.wait_ready()
    listener.say(f"{ROOT}/kitchen/mute/set", "ON")
    listener.say(f"{ROOT}/kitchen/sensitivity/set", "0.35")
    listener.say(f"{ROOT}/test/set", "PRESS")
    listener.say(f"{ROOT}/ack/set", "a00000000001")
    said = {"id": "e00000000001", "verdict": "wrong", "label": "door_slam"}
    listener.say(f"{ROOT}/verdict/set", json.dumps(said))

    heard = [(each.name, each.source, each.value) for each in running.wait_commands(5)]
    assert heard == [
        ("mute", "kitchen", True),
        ("sensitivity", "kitchen", 0.35),
        ("test", None, None),
        ("ack", None, "a00000000001"),
        ("verdict", None, "e00000000001"),
    ]


def test_hostile_commands_change_nothing(broker, listener, publish: Publish, lines: Lines):
    """A flood of nonsense on every topic, retained or not: counted, never obeyed, and we stay connected."""
    listener.say(f"{ROOT}/kitchen/mute/set", "ON", retain=True)
    running = publish(port=broker.port, homeassistant=False)
    running.wait_ready()
    for payload in (b"", b"\x00" * 64, b"\xff\xfe", b"9" * 100_000, b"NaN", b'{"on": true}'):
        for topic in ("kitchen/mute", "kitchen/sensitivity", "attic/mute", "test", "ack", "a/b"):
            listener.say(f"{ROOT}/{topic}/set", payload)
    listener.say(f"{ROOT}/kitchen/mute/set", "OFF")

    assert [each.value for each in running.wait_commands(1)] == [False]
    assert running.publisher.refused_commands == 1 + 6 * 6
    assert lines.warnings() == ["mqtt command ignored"]
    running.deliver(event())


def test_hostile_discovery_and_status_change_nothing(broker, listener, publish: Publish):
    """Broken documents and statuses of others on the broker do not stop us."""
    for payload in (b"", b"[", b"[[[[", b"\xff", b'{"components": 7}'):
        listener.say("homeassistant/device/x/config", payload, retain=True)
        listener.say("homeassistant/status", payload, retain=True)
    running = publish(port=broker.port)
    running.wait_ready()
    running.deliver(event())
    assert json.loads(listener.wait_for(f"{ROOT}/kitchen/event"))["event_type"] == event().label
    assert retained(broker)["homeassistant/device/x/config"] == '{"components": 7}'


def test_a_retained_document_with_a_wildcard_stops_nobody(broker, listener, publish: Publish, lines: Lines):
    """Anyone may leave a document that looks like one of ours: what it says of a wildcard is no topic."""
    forged = {
        "origin": {"name": "earwitness"},
        "availability": [{"topic": f"{ROOT}/status"}],
        "components": {"x": {"platform": "sensor", "state_topic": f"{ROOT}/#"}},
    }
    forgery = "homeassistant/device/anything/config"
    listener.say(forgery, json.dumps(forged), retain=True)
    running = publish(port=broker.port)
    running.wait_ready()
    running.deliver(alert())

    listener.wait_for(forgery, "")
    assert lines.warnings() == []


def test_a_state_that_mqtt_cannot_carry_is_the_only_one_lost(
    broker, listener, publish: Publish, lines: Lines
):
    """A topic that no broker would take is logged once, and everything else goes on."""
    running = publish(port=broker.port, homeassistant=False)
    running.wait_ready()
    for level_dbfs in (-40.0, -20.0):
        running.publisher.publish(Level("attic/#", START, level_dbfs, -60.0))
        running.publisher.publish(Level("kitchen", START, level_dbfs, -60.0))
        listener.wait_for(f"{ROOT}/kitchen/level", f"{level_dbfs:g}")

    running.deliver(alert())
    said = lines.events("a state cannot be published over mqtt")
    assert [line["topic"] for line in said] == [f"{ROOT}/attic/#/level", f"{ROOT}/attic/#/floor"]


def test_a_bug_is_not_swallowed(broker, listener, publish: Publish):
    """What breaks in the link's thread comes up in the thread that delivers, which stops the daemon; and the
    house is told that we are gone."""

    def fail(command: object) -> None:
        raise ZeroDivisionError

    running = publish(port=broker.port, homeassistant=False, obey=fail)
    running.wait_ready()
    listener.say(f"{ROOT}/test/set", "PRESS")

    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        while True:
            running.wait_call()
            running.publisher.ready()
    listener.wait_for(f"{ROOT}/status", "offline")


def test_topics_that_the_broker_does_not_let_us_write(tmp_path, life, publish: Publish, lines: Lines):
    """An access list without us: nothing counts as delivered, and the fix is said once."""
    rules = tmp_path / "access"
    rules.write_text("topic readwrite homeassistant/#\ntopic readwrite earwitness/home/status\n")
    broker = life.enter_context(Mosquitto(tmp_path / "closed", more=f"acl_file {rules}"))
    running = publish(port=broker.port)
    running.wait_ready()
    outcomes: list[PublishOutcome] = []
    for _ in range(3):
        running.publisher.publish(event(), outcomes.append)
    with Subscriber(broker, "homeassistant/#") as house_keeper:
        house_keeper.say("homeassistant/status", "online")
        house_keeper.wait_for(KITCHEN, times=2)

    refused = lines.wait_for("mqtt broker refuses events of ours")
    assert [type(outcome) for outcome in outcomes] == [Refused] * 3
    running.wait_ready()
    assert sorted(lines.warnings()) == [
        "mqtt broker refuses events of ours",
        "mqtt broker refuses states of ours",
    ]
    assert refused["topic"] == f"{ROOT}/kitchen/event"
    assert "earwitness/home/#" in refused["fix"]


def test_an_access_list_that_forgets_the_events_holds_up_no_alert(tmp_path, life, lines: Lines):
    """Far more events than are handed over at once are refused: every alert arrives, no event is lost, and
    once the list is mended all of them arrive in their order."""
    rules = tmp_path / "access"
    allowed = "topic read #\ntopic readwrite homeassistant/#\n"
    allowed += "".join(f"topic write {ROOT}/{each}\n" for each in ("status", "alert", "+/+", "+/+/+"))
    rules.write_text(allowed + f"topic deny {ROOT}/+/event\n")
    broker = life.enter_context(Mosquitto(tmp_path / "closed", more=f"acl_file {rules}"))
    listener = life.enter_context(Subscriber(broker))
    outbox = life.enter_context(SqliteOutbox(tmp_path / "outbox.db", SystemClock(), raise_it))
    wire = life.enter_context(Wire(broker.port))
    publisher = MqttConfig(type="mqtt", port=wire.port, homeassistant=False).build(
        "home", print, SystemClock()
    )
    publisher.announce(house())
    ids = [f"e{number:011d}" for number in range(150)]
    for id in ids:
        outbox.put(event(id=id), ["mqtt"])
    failures: list[BaseException] = []
    line = Channel(outbox, publisher, failures.append, SystemClock()).open()
    life.callback(line.close, STOPPED)

    lines.wait_for("mqtt broker refuses events of ours")
    for number in range(60):
        outbox.put(alert(id=f"a{number:011d}"), ["mqtt"])
    listener.wait_for(f"{ROOT}/alert", times=60)
    assert outbox.backlog()["mqtt"] >= len(ids)
    assert listener.on(f"{ROOT}/kitchen/event") == []

    rules.write_text("topic readwrite #\n")
    wire.cut()
    broker.stop()
    broker.start()
    with Subscriber(broker) as later:
        wire.mend()  # what nobody hears yet would be published again, behind the rest
        later.wait_for(f"{ROOT}/kitchen/event", times=len(ids))
        assert [each["id"] for each in later.documents(f"{ROOT}/kitchen/event")] == ids
    assert failures == []
