"""What must hold between earwitness and a real Home Assistant; each check states a fact in its docstring."""

import subprocess
import sys
from dataclasses import replace
from itertools import permutations
from typing import Any

from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.homeassistant.alerts import rule_key
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.publishers.mqtt.homeassistant.forgetting import Forgetting
from monitor.types import (
    ActiveAlert,
    Command,
    Health,
    LabelState,
    Level,
    Picture,
    Problem,
    Setting,
    SoundLevel,
    SourceStatus,
)
from scripts.homeassistant.by_hand import the_card_is_chosen_and_acts, three_automations_are_made_by_hand
from scripts.homeassistant.daemon import LABELS, ScriptedDaemon, heard, house, raised
from scripts.homeassistant.house import EntityWatcher, wait_until
from scripts.homeassistant.lasting import (
    a_copy_beside_it_changes_nothing,
    a_new_name_keeps_everything,
    a_newer_version_shows,
    counts_keep_statistics,
    two_homes_ring_once_each,
)
from scripts.homeassistant.world import (
    Check,
    World,
    attribute,
    ids,
    lasting,
    notified,
    now,
    rung,
    unavailable,
)
from testkit.mosquitto import USERNAME

SMALL_PACKET_BYTES = 2000
"""A third of the document of a source."""


def devices_appear(world: World) -> str:
    """The node and each source are devices, the sources behind the node, in their suggested room"""
    wait_until(lambda: "earwitness.probe.porch" in world.ha.devices(), "the devices")
    devices = world.ha.devices()
    node, kitchen = devices["earwitness.probe"], devices["earwitness.probe.kitchen"]
    assert kitchen["via_device_id"] == node["id"]
    assert kitchen["area_id"] == "kitchen"
    assert kitchen["name"] == "Kitchen sounds"
    assert kitchen["configuration_url"] == node["configuration_url"] == "http://127.0.0.1:8199"
    ours = [each for each in devices if each.startswith("earwitness.probe")]
    return f"{len(ours)} devices"


def entities_appear(world: World) -> str:
    """Every component is an entity, with its device class and unit, under the id that the guide names"""
    expected = {
        component["unique_id"]: component
        for document in documents(house(), world.daemon.publisher.topics, "homeassistant").values()
        for component in document["components"].values()
        if "unique_id" in component
    }
    wait_until(lambda: expected.keys() <= world.ha.entities().keys(), "every entity")
    for unique_id, entry in world.ha.registry().items():
        entity, wanted = entry["entity_id"], expected[unique_id]
        assert entity == wanted["default_entity_id"]
        assert entry["entity_category"] == wanted.get("entity_category")
        assert bool(entry["disabled_by"]) is not wanted.get("enabled_by_default", True), entry
        if entry["disabled_by"]:
            continue
        wait_until(lambda entity=entity: world.ha.state(entity) is not None, entity)  # type: ignore[misc]
        attributes = (world.ha.state(entity) or {})["attributes"]
        for key in ("device_class", "unit_of_measurement", "event_types"):
            assert attributes.get(key) == expected[unique_id].get(key), (entity, key, attributes)
    return f"{len(expected)} entities"


def on_and_off(world: World) -> str:
    """A label's sensor is off at the start, on while it sounds, and off again"""
    entity = world.entity("smoke_alarm")
    world.ha.wait_state(entity, "off")
    world.daemon.post(LabelState("kitchen", "smoke_alarm", True))
    world.ha.wait_state(entity, "on")
    world.daemon.post(LabelState("kitchen", "smoke_alarm", False))
    world.ha.wait_state(entity, "off")
    world.ha.wait_state(world.entity("last_sound"), "Smoke alarm")
    wait_until(lambda: attribute(world, world.entity("last_sound"), "label") == "smoke_alarm", "the label")
    return entity


def sounds_are_counted(world: World) -> str:
    """How often a label has begun is a number that Home Assistant keeps long-term statistics of"""
    entity = world.entity("smoke_alarm_count")
    for count in (2, 3):
        world.daemon.post(LabelState("kitchen", "smoke_alarm", True, count))
        world.daemon.post(LabelState("kitchen", "smoke_alarm", False, count))
        found = world.ha.wait_state(entity, str(count))
    assert found["attributes"]["state_class"] == "total_increasing"
    return entity


def event_fires(world: World) -> str:
    """The event entity fires with the label as its type and the event as its attributes"""
    entity, event = world.entity("event"), heard("scream")
    world.daemon.post(event)
    wait_until(lambda: attribute(world, entity, "id") == event.id, "the event")
    assert attribute(world, entity, "event_type") == "scream"
    assert attribute(world, entity, "score") == 0.93
    return entity


def alert_fires(world: World) -> str:
    """An alert fires the node's event entity with its severity as the type"""
    entity, alert = world.entity("alert", None), raised()
    world.daemon.post(alert)
    wait_until(lambda: attribute(world, entity, "id") == alert.id, "the alert")
    assert attribute(world, entity, "event_type") == "critical"
    assert attribute(world, entity, "why") == {"score": 0.93}
    return entity


def the_guides_automation_rings(world: World) -> str:
    """The guide's automation rings once for each critical alert, however often each is repeated"""
    # Home Assistant takes text of digits for a number.
    numbers = (replace(raised(), id=id) for id in ("641866514357", "000000000012", "12e345678901"))
    alerts = [*numbers, *(raised() for _ in range(37))]  # several in one millisecond
    alerts = [replace(each, message=f"Ring {i}") for i, each in enumerate(alerts)]
    world.daemon.publisher.publish(replace(raised(), severity="info", message="Ring not"))
    for each in alerts:
        world.daemon.publisher.publish(each)
    for each in alerts:  # another room joins, and Home Assistant may have missed it
        world.daemon.publisher.publish(replace(each, update=True))
        world.daemon.publisher.publish(replace(each, sequence=1), late=True)
    world.daemon.publisher.publish(replace(raised(), sequence=1, message="Ring last"), late=True)
    wait_until(lambda: "Ring last" in notified(world.ha), "the last one")
    rings = sorted(each for each in notified(world.ha) if each.startswith("Ring"))
    assert rings == sorted([*(each.message for each in alerts), "Ring last"]), rings
    return f"{len(rings)} rings for {len(rings)} alerts published {3 * len(alerts) + 2} times"


def a_rule_has_its_event(world: World) -> str:
    """Each rule has an event entity of its own, which fires for its alerts alone"""
    key = f"rule_{rule_key('Glass')}"
    entity, other = world.entity(key, None), replace(raised(), rule="Smoke")
    alert = raised()
    world.daemon.post(other)
    world.daemon.post(alert)
    wait_until(lambda: attribute(world, entity, "id") == alert.id, "the alert of the rule")
    world.daemon.post(replace(raised(), rule="Smoke"))
    last = replace(raised(), severity="warning")
    world.daemon.post(last)
    wait_until(lambda: attribute(world, entity, "id") == last.id, "the next one")
    assert attribute(world, entity, "event_type") == "warning"
    return entity


def device_triggers_fire(world: World) -> str:
    """An automation finds a trigger per severity and per rule at the device, and is triggered by it"""
    device = world.ha.devices()["earwitness.probe"]["id"]
    listed = [
        each
        for each in world.ha.ask("device_automation/trigger/list", device_id=device)
        if each["domain"] == "mqtt"
    ]
    names = {each["subtype"] for each in listed if each["type"] == "raises an alert"}
    assert names == {"Any info rule", "Any warning rule", "Any critical rule", *house().rules}, listed
    chosen = next(each for each in listed if each["subtype"] == "Any critical rule")
    clean = {key: value for key, value in chosen.items() if key != "metadata"}
    world.ha.post(
        "/api/config/automation/config/device_trigger",
        alias="by device",
        triggers=[clean],
        actions=[{"event": "earwitness_probe_rang"}],
    )
    world.ha.wait_state("automation.by_device", "on")
    with EntityWatcher(world.ha, "automation.by_device") as automation:
        for alert in (replace(raised(), severity="info"), replace(raised(), update=True), raised()):
            world.daemon.publisher.publish(alert)
        world.daemon.publisher.publish(replace(raised(), severity="warning"))
        automation.wait_for(lambda seen: len(rung(automation)) == 1, "the automation")
    return f"{len(names)} triggers"


def an_alert_is_active_until_acknowledged(world: World) -> str:
    """*Alert active* is on until somebody acknowledges, with rule, message and id"""
    entity, alert = world.entity("alert_active", None), raised()
    world.daemon.post(ActiveAlert(None))
    world.ha.wait_state(entity, "off")
    world.daemon.post(ActiveAlert(alert, 1))
    world.ha.wait_state(entity, "on")
    wait_until(lambda: attribute(world, entity, "id") == alert.id, "the alert's id")
    assert (attribute(world, entity, "rule"), attribute(world, entity, "message")) == (
        alert.rule,
        alert.message,
    )
    return entity


def blueprints_run(world: World) -> str:
    """Each blueprint is an automation: a phone rings once, its answers reach us, the mode follows people"""
    inputs: dict[str, dict[str, Any]] = {
        "alert_on_phone": {
            "alert": world.entity("alert", None),
            "notify": "notify.persistent_notification",
            "picture": world.entity("image"),
        },
        "answers_from_phone": {"topic": "earwitness/probe"},
        "house_mode": {
            "mode": world.entity("house_mode", None),
            "persons": ["person.anna"],
            "night_from": "00:00:00",
            "night_to": "00:00:01",
        },
        "flash_lights": {"active": world.entity("alert_active", None), "lights": ["light.hall"]},
    }
    world.ha.post("/api/states/person.anna", state="home")
    for name, chosen in inputs.items():
        use = {"path": f"earwitness/{name}.yaml", "input": chosen}
        world.ha.post(f"/api/config/automation/config/{name}", alias=name, use_blueprint=use)
        world.ha.wait_state(f"automation.{name}", "on")
    alert = replace(raised(), id="641866514358")
    with EntityWatcher(world.ha, "automation.alert_on_phone") as phone:
        for sequence in (0, 1):
            world.daemon.publisher.publish(replace(alert, sequence=sequence), late=sequence > 0)
        world.daemon.publisher.publish(raised())
        phone.wait_for(lambda seen: len(rung(phone)) > 1, "the last alert")
    assert len(rung(phone)) == 2, phone.seen
    for action, expected in (
        (f"EARWITNESS_ACK/{alert.id}", Command("ack", value=alert.id, by="mqtt")),
        (
            f"EARWITNESS_NOTHING/{alert.events[0].id}",
            Command("verdict", value=alert.events[0].id, by="mqtt", word="wrong"),
        ),
        ("EARWITNESS_MUTE/kitchen", Command("mute", "kitchen", True, by="mqtt")),
    ):
        world.ha.post("/api/events/mobile_app_notification_action", action=action)
        assert world.command() == expected
    world.ha.post("/api/states/person.anna", state="not_home")
    assert world.command() == Command("house", "mode", "away", by="mqtt")
    world.ha.post("/api/states/person.anna", state="home")
    assert world.command() == Command("house", "mode", "home", by="mqtt")
    return f"{len(inputs)} blueprints"


def numbers_are_numbers(world: World) -> str:
    """Level and floor are numbers, digital silence included; health is a time with its figures"""
    for level_dbfs, shown in ((-31.26, "-31.3"), (float("-inf"), "-120")):
        world.daemon.post(Level("kitchen", now(), level_dbfs, -61.0))
        found = world.ha.wait_state(world.entity("level"), shown, f"{float(shown):.1f}")
        assert found["attributes"]["state_class"] == "measurement"
    world.daemon.post(Health(now(), {"dropped": 0}))
    wait_until(lambda: attribute(world, world.entity("health", None), "dropped") == 0, "health")
    world.daemon.post(Health(now(), {"sources": {"kitchen": {"lag_s": 7.5}, "porch": {"lag_s": 0.1}}}))
    world.ha.wait_state(world.entity("lag", None), "7.5")
    return world.entity("level")


def loudness_is_a_sound_pressure(world: World) -> str:
    """How loud a minute was is a sound pressure in dB(A) with its minute, kept for long-term statistics"""
    world.daemon.post(SoundLevel("kitchen", now(), -46.04, 59.8, 2.0, calibration_db=100.0))
    found = world.ha.wait_state(world.entity("laeq"), "54", "54.0")["attributes"]
    assert (found["device_class"], found["unit_of_measurement"]) == ("sound_pressure", "dBA")
    assert (found["state_class"], found["clipped_s"]) == ("measurement", 2)
    return world.entity("laeq")


def settings_reach_us(world: World) -> str:
    """The mute switch and the sensitivity number reach the daemon, and show what it then says"""
    mute, sensitivity = world.entity("mute"), world.entity("sensitivity")
    world.ha.act("switch.turn_on", mute)
    assert world.command() == Command("mute", "kitchen", True, by="mqtt")
    world.daemon.post(Setting("kitchen", "mute", True))
    world.ha.wait_state(mute, "on")
    world.ha.act("number.set_value", sensitivity, value=-0.35)
    assert world.command() == Command("sensitivity", "kitchen", -0.35, by="mqtt")
    world.daemon.post(Setting("kitchen", "sensitivity", -0.35))
    world.ha.wait_state(sensitivity, "-0.35")
    return f"{mute}, {sensitivity}"


def the_house_reaches_us(world: World) -> str:
    """*House mode* and the switches of `house:` reach the daemon, and show what it then says"""
    mode, guests = world.entity("house_mode", None), world.entity("house_guests", None)
    world.ha.act("select.select_option", mode, option="away")
    assert world.command() == Command("house", "mode", "away", by="mqtt")
    world.daemon.post(Setting("house", "mode", "away"))
    world.ha.wait_state(mode, "away")
    world.ha.act("switch.turn_on", guests)
    assert world.command() == Command("house", "guests", "on", by="mqtt")
    world.daemon.post(Setting("house", "guests", "on"))
    world.ha.wait_state(guests, "on")
    return f"{mode}, {guests}"


def buttons_reach_us(world: World) -> str:
    """The test and acknowledge buttons reach the daemon; *It was nothing* names the alert that is shown"""
    world.ha.act("button.press", world.entity("test", None))
    assert world.command() == Command("test", by="mqtt")
    world.ha.act("button.press", world.entity("acknowledge", None))
    assert world.command() == Command("ack", by="mqtt")
    alert = replace(raised(), id="641866514359")  # Home Assistant takes text of digits for a number
    world.daemon.post(ActiveAlert(alert, 1))
    nothing = world.entity("nothing", None)
    wait_until(lambda: attribute(world, nothing, "id") == alert.id, "the alert's id")
    world.ha.act("button.press", nothing)
    assert world.command() == Command("nothing", value=alert.id, by="mqtt")
    world.daemon.post(ActiveAlert(None))
    world.ha.wait_state(world.entity("alert_active", None), "off")
    return f"{world.entity('test', None)}, {nothing}"


def problems_show(world: World) -> str:
    """A sick microphone is a problem with its kinds, until it is well"""
    entity = world.entity("problem")
    world.daemon.post(Problem("kitchen", now(), ("clipping",)))
    world.ha.wait_state(entity, "on")
    wait_until(lambda: attribute(world, entity, "kinds") == ["clipping"], "the kinds")
    world.daemon.post(Problem("kitchen", now(), ()))
    world.ha.wait_state(entity, "off")
    return entity


def pictures_show(world: World) -> str:
    """The picture of the last sound is shown byte for byte, and says whose it is"""
    entity, png = world.entity("image"), b"\x89PNG\r\n\x1a\n" + bytes(100_000)
    world.daemon.post(Picture("kitchen", "e00000000001", "scream", png))
    wait_until(lambda: attribute(world, entity, "label") == "scream", "the picture's label")
    wait_until(lambda: world.ha.picture(entity) == png, "the picture")
    return entity


def a_lost_source_is_unavailable(world: World) -> str:
    """A lost source's entities are unavailable, its connection reads off, and others are untouched"""
    world.daemon.post(SourceStatus("kitchen", False, now(), "no device"))
    world.ha.wait_state(world.entity("smoke_alarm"), "unavailable")
    world.ha.wait_state(world.entity("connection"), "off")
    assert attribute(world, world.entity("connection"), "reason") == "no device"
    world.ha.wait_state(world.entity("glass_break", "porch"), "off")
    world.daemon.post(SourceStatus("kitchen", True, now()))
    world.ha.wait_state(world.entity("smoke_alarm"), "off")
    return world.entity("connection")


def a_killed_daemon_is_unavailable(world: World) -> str:
    """kill -9: the will makes all unavailable and the connection off; a new start leaves no sensor on"""
    entity, connection = world.entity("smoke_alarm"), world.entity("connection", None)
    world.daemon.__exit__()
    world.ha.wait_state(entity, "unavailable")
    login = (str(world.folder / "other"), str(world.broker.port), USERNAME, str(world.broker.password))
    (world.folder / "other").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "scripts.homeassistant.daemon", *login]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        world.ha.wait_state(entity, "on")
        process.kill()
    world.ha.wait_state(entity, "unavailable")
    world.ha.wait_state(connection, "off")
    world.daemon = ScriptedDaemon(world.folder, world.broker.port, USERNAME, str(world.broker.password))
    world.daemon.__enter__()
    world.ha.wait_state(entity, "off")
    return entity


def a_restart_of_home_assistant_loses_nothing(world: World) -> str:
    """Home Assistant restarts: no alert raised before, during or after is missing, and states come back"""
    entity, level = world.entity("alert", None), world.entity("level")
    alerts = [raised() for _ in range(30)]
    world.daemon.post(ActiveAlert(alerts[0], 1))
    with EntityWatcher(world.ha, entity) as before:
        for alert in alerts[:10]:
            world.daemon.post(alert)
        before.wait_for(lambda seen: bool(ids(seen)), "the first of them")
    world.daemon.post(Level("kitchen", now(), -33.0, -61.0))
    world.daemon.post(LabelState("kitchen", "glass_break", True))
    world.ha.stop()
    for alert in alerts[10:20]:
        world.daemon.post(alert)
    world.daemon.post(LabelState("kitchen", "glass_break", False))
    world.ha.start()
    with EntityWatcher(world.ha, entity) as watcher:
        for alert in alerts[20:]:
            world.daemon.post(alert)
        wanted = {alert.id for alert in alerts}
        # What it fired for before it stopped it knows, and passes over when that is repeated.
        wait_until(
            lambda: wanted <= set(attribute(world, entity, "fired") or ()), f"all {len(wanted)} alerts"
        )
    world.ha.wait_state(level, "-33", "-33.0")
    world.ha.wait_state(world.entity("alert_active", None), "on")
    world.ha.wait_state(world.entity("glass_break"), "off")
    late = wanted & ids([each for each in watcher.seen if each["attributes"].get("late")])
    return f"{len(wanted)} of {len(wanted)} alerts, {len(late)} of them marked late"


def a_restart_of_the_broker_loses_nothing(world: World) -> str:
    """The broker restarts without its retained messages: events raised meanwhile arrive, states come back"""
    alert = raised()
    with EntityWatcher(world.ha, world.entity("alert", None)) as watcher:
        world.broker.stop()
        world.daemon.post(alert)
        world.daemon.post(LabelState("kitchen", "scream", True))
        world.broker.start()
        watcher.wait_for(lambda seen: alert.id in ids(seen), "the alert")
    world.ha.wait_state(world.entity("scream"), "on")
    world.daemon.post(LabelState("kitchen", "scream", False))
    world.ha.wait_state(world.entity("scream"), "off")
    return world.entity("scream")


def any_order_of_restart_loses_nothing(world: World) -> str:
    """Broker, Home Assistant and daemon start in any order: no alert is lost, no entity stays unavailable"""
    entity = world.entity("alert", None)
    orders = list(permutations(("broker", "Home Assistant", "daemon")))
    for order in orders:
        _stop_all(world)
        alert = raised()
        for part in order:
            _start(world, part)
            if part == "daemon":
                world.daemon.post(alert)
        wait_until(lambda: attribute(world, entity, "id") == alert.id, f"the alert, {order}")  # noqa: B023
        wait_until(lambda: not unavailable(world), f"every entity, {order}: {unavailable(world)}")
    return f"{len(orders)} orders"


def _stop_all(world: World) -> None:
    world.daemon.__exit__()
    world.ha.stop()
    world.broker.stop()


def _start(world: World, part: str) -> None:
    if part == "broker":
        world.broker.start()
    elif part == "daemon":
        world.daemon = ScriptedDaemon(world.folder, world.broker.port, USERNAME, str(world.broker.password))
        world.daemon.__enter__()
    else:
        world.ha.start()


def small_packets_make_the_same_entities(world: World) -> str:
    """Where the broker takes 2,000 bytes at most, a restarted Home Assistant finds the same entities"""
    before = world.ha.registry()
    world.broker.stop()
    world.broker.more = f"max_packet_size {SMALL_PACKET_BYTES}"
    world.broker.start()
    wait_until(lambda: _largest_packet(world) == SMALL_PACKET_BYTES, "the daemon to know the limit")
    _restart(world)
    wait_until(lambda: not unavailable(world), "every entity")
    assert {unique: entry["entity_id"] for unique, entry in world.ha.registry().items()} == {
        unique: entry["entity_id"] for unique, entry in before.items()
    }
    world.broker.stop()
    world.broker.more = ""
    world.broker.start()
    wait_until(lambda: _largest_packet(world) is None, "the daemon to be back")
    # It still has the entities of the parts, which this broker has forgotten: nobody can take them off it.
    _restart(world)
    wait_until(lambda: not unavailable(world), "every entity again")
    return f"{len(lasting(world))} entities"


def what_is_removed_disappears(world: World) -> str:
    """A label taken out of the configuration disappears from Home Assistant, and the others stay"""
    gone, stays = world.entity("scream"), world.entity("smoke_alarm")
    world.daemon.publisher.announce(house(tuple(label for label in LABELS if label != "scream")))
    world.ha.wait_state(gone, None)
    assert gone not in world.ha.entities().values()
    world.ha.wait_state(stays, "off")
    return gone


def what_is_removed_while_we_were_down_disappears(world: World) -> str:
    """The same across a restart of ours, and a removed source disappears as a device"""
    gone = world.entity("water_running")
    world.daemon.__exit__()
    smaller = house(tuple(label for label in LABELS if label not in ("scream", "water_running")))
    rest = type(smaller)(smaller.node, smaller.version, smaller.sources[:1])
    daemon = ScriptedDaemon(world.folder, world.broker.port, USERNAME, str(world.broker.password))
    daemon.publisher.announce(rest)
    world.daemon = daemon
    with daemon.publisher:
        world.ha.wait_state(gone, None)
        wait_until(lambda: "earwitness.probe.porch" not in world.ha.devices(), "the porch to be gone")
        world.ha.wait_state(world.entity("smoke_alarm"), "off", "unavailable")
    return gone


def a_node_is_forgotten(world: World) -> str:
    """`earwitness forget` removes a node that is no more: its devices, its entities, its retained topics"""
    login: dict[str, Any] = {"username": USERNAME, "password": world.broker.password}
    config = MqttConfig.model_validate({"type": "mqtt", "port": world.broker.port} | login)
    with Forgetting(config, "probe") as forgetting:
        topics = forgetting.found()
        assert not forgetting.is_running
        forgetting.forget(topics)
    wait_until(lambda: not [each for each in world.ha.devices() if "earwitness" in each], "no device")
    wait_until(lambda: not world.ha.entities(), "no entity")
    return f"{len(topics)} topics"


def no_complaints(world: World) -> str:
    """Home Assistant's log has no warning about anything that we announced or said"""
    assert not world.ha.complaints(), world.ha.complaints()
    return f"{len(world.ha.log().splitlines())} lines"


CHECKS: tuple[Check, ...] = (
    devices_appear,
    entities_appear,
    on_and_off,
    sounds_are_counted,
    event_fires,
    alert_fires,
    a_rule_has_its_event,
    device_triggers_fire,
    two_homes_ring_once_each,
    an_alert_is_active_until_acknowledged,
    the_guides_automation_rings,
    blueprints_run,
    numbers_are_numbers,
    loudness_is_a_sound_pressure,
    settings_reach_us,
    the_house_reaches_us,
    buttons_reach_us,
    three_automations_are_made_by_hand,
    the_card_is_chosen_and_acts,
    a_newer_version_shows,
    problems_show,
    pictures_show,
    a_lost_source_is_unavailable,
    a_killed_daemon_is_unavailable,
    a_restart_of_home_assistant_loses_nothing,
    a_restart_of_the_broker_loses_nothing,
    any_order_of_restart_loses_nothing,
    small_packets_make_the_same_entities,
    a_new_name_keeps_everything,
    a_copy_beside_it_changes_nothing,
    counts_keep_statistics,
    what_is_removed_disappears,
    what_is_removed_while_we_were_down_disappears,
    a_node_is_forgotten,
    no_complaints,
)


def _restart(world: World) -> None:
    world.ha.stop()
    world.ha.start()


def _largest_packet(world: World) -> int | None:
    """What the broker of the present connection takes; 0 while there is none."""
    figures = world.daemon.publisher.figures()
    return figures["largest_packet_bytes"] if figures["connected"] else 0
