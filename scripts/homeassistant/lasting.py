"""What must last: one ring in each of two homes, every entity under a new name, the statistics of counts."""

import shutil
from dataclasses import replace
from typing import Any

from monitor.publishers.base import memory_file
from monitor.publishers.mqtt.config import MqttConfig
from monitor.publishers.mqtt.homeassistant.forgetting import Forgetting
from monitor.types import LabelState
from scripts.homeassistant.daemon import ScriptedDaemon, house, raised
from scripts.homeassistant.house import EntityWatcher, HomeAssistant, automation_of_the_guide, wait_until
from scripts.homeassistant.world import World, is_available, notified, rung, unavailable
from testkit.mosquitto import USERNAME

STATISTICS_S = 600.0
"""Home Assistant compiles them every five minutes."""


def two_homes_ring_once_each(world: World) -> str:
    """Two Home Assistants on one broker, one of them away during an alert: each rings once for it"""
    entity, last = world.entity("alert", None), replace(raised(), message="Glass breaks again")
    alert = replace(raised(), message="Glass breaks while one is away")
    with HomeAssistant(world.ha.root, world.broker, automation_of_the_guide(), "hacfg-other") as other:
        wait_until(lambda: other.state(entity) is not None, "the other's entities")
        other.stop()
        with (
            EntityWatcher(world.ha, entity) as events,
            EntityWatcher(world.ha, "automation.guide") as guide,
            EntityWatcher(world.ha, "automation.by_device") as by_device,
        ):
            world.daemon.post(alert)
            events.wait_for(lambda seen: alert.id in _fired(seen), "the alert at once")
            other.start()
            wait_until(lambda: _shown(other, entity).get("id") == alert.id, "the alert in the other")
            repeat = _shown(other, entity)
            assert repeat["late"] is True
            assert repeat["sequence"] > 0
            world.daemon.post(last)
            wait_until(lambda: _shown(other, entity).get("id") == last.id, "the next one in the other")
            guide.wait_for(lambda seen: len(rung(guide)) > 1, "both alerts")
            by_device.wait_for(lambda seen: len(rung(by_device)) > 1, "both alerts")
            # It may ring for earlier alerts, too, which it has never got.
            wait_until(lambda: last.message in notified(other), "the next ring in the other")
            assert notified(other).count(alert.message) == 1, notified(other)
        assert _fired(events.seen) == [alert.id, last.id], _fired(events.seen)
        assert [len(rung(each)) for each in (guide, by_device)] == [2, 2]
        assert not other.complaints(), other.complaints()
    return f"sequence {repeat['sequence']}"


def a_new_name_keeps_everything(world: World) -> str:
    """A new name of node and source keeps every entity and what a person named, and leaves nothing behind"""
    _name_by_hand(world)
    before = {unique: entry["entity_id"] for unique, entry in world.ha.registry().items()}
    world.daemon.__exit__()
    world.begin(house(node="villa", kitchen="cooking")).__enter__()
    world.daemon.post(LabelState("cooking", "smoke_alarm", True))
    world.ha.wait_state("binary_sensor.by_hand", "on")
    wait_until(lambda: not unavailable(world), "every entity")
    assert {unique: entry["entity_id"] for unique, entry in world.ha.registry().items()} == before
    devices = world.ha.devices()
    node, kitchen = devices["earwitness.probe"], devices["earwitness.probe.kitchen"]
    assert (node["name"], kitchen["name"]) == ("Earwitness villa", "Cooking sounds")
    assert (kitchen["name_by_user"], kitchen["area_id"]) == ("By hand", "kitchen")
    assert _entry(world, "smoke_alarm")["name"] == "By hand"
    wait_until(lambda: not _kept_of(world, "probe"), f"nothing left of it; {_kept_of(world, 'probe')}")
    world.daemon.__exit__()
    world.begin().__enter__()  # the old names again, for the checks that follow
    wait_until(
        lambda: not unavailable(world) and is_available(world, "binary_sensor.by_hand"), "every entity"
    )
    assert {unique: entry["entity_id"] for unique, entry in world.ha.registry().items()} == before
    return f"{len(before)} entities"


def a_copy_beside_it_changes_nothing(world: World) -> str:
    """A second node with a copy of the first one's memory has entities of its own, and the first keeps its"""
    before = {unique: entry["entity_id"] for unique, entry in world.ha.registry().items()}
    kept = set(_kept_of(world, "probe"))
    folder, memory = world.folder / "copy", memory_file(world.daemon.publisher.name)
    folder.mkdir()
    shutil.copy(world.folder / memory, folder / memory)
    login = (USERNAME, str(world.broker.password))
    with ScriptedDaemon(folder, world.broker.port, *login, house(node="barn")) as copy:
        wait_until(
            lambda: "earwitness.barn.kitchen.smoke_alarm" in world.ha.entities(), "entities of its own"
        )
        first, second = (
            world.ha.entities()[f"earwitness.{node}.kitchen.smoke_alarm"] for node in ("probe", "barn")
        )
        for on, daemon, off in ((second, copy, first), (first, world.daemon, second)):
            daemon.post(LabelState("kitchen", "smoke_alarm", True))
            world.ha.wait_state(on, "on")
            assert (world.ha.state(off) or {})["state"] == "off"
            daemon.post(LabelState("kitchen", "smoke_alarm", False))
            world.ha.wait_state(on, "off")
        after = {unique: entry["entity_id"] for unique, entry in world.ha.registry().items()}
        own = {unique for unique in after if unique.startswith("earwitness.barn.")}
        assert {unique: entity for unique, entity in after.items() if unique not in own} == before
        assert not unavailable(world)
        assert set(_kept_of(world, "probe")) >= kept
    with Forgetting(_broker(world), "barn") as forgetting:
        forgetting.forget(forgetting.found())
    wait_until(lambda: len(world.ha.registry()) == len(before), "the second to be forgotten")
    return f"{len(own)} entities beside {len(before)}"


def _name_by_hand(world: World) -> None:
    update: dict[str, Any] = {"name": "By hand", "new_entity_id": "binary_sensor.by_hand"}
    world.ha.ask("config/entity_registry/update", entity_id=world.entity("smoke_alarm"), **update)
    device = world.ha.devices()["earwitness.probe.kitchen"]["id"]
    world.ha.ask("config/device_registry/update", device_id=device, name_by_user="By hand")
    wait_until(lambda: is_available(world, "binary_sensor.by_hand"), "the entity under its own id")


def counts_keep_statistics(world: World) -> str:
    """The recorder keeps statistics of a count, and a restart of the daemon takes nothing off its sum"""
    entity = world.entity("scream_count")
    first = _sum(world, entity) or 0.0
    for count in (1, 2, 3):
        _sound(world, count)
        world.ha.wait_state(entity, str(count))
    before = first + 3
    wait_until(lambda: (_sum(world, entity) or 0.0) >= before, "the first statistics", STATISTICS_S)
    world.daemon.__exit__()
    world.begin().__enter__()
    world.ha.wait_state(entity, "0")
    _sound(world, 1)
    world.ha.wait_state(entity, "1")
    wait_until(lambda: (_sum(world, entity) or 0.0) > before, "the next statistics", STATISTICS_S)
    assert _sum(world, entity) == before + 1
    return f"{entity}, sum {before:g}, then {before + 1:g}"


def a_newer_version_shows(world: World) -> str:
    """The update entity is on once somebody publishes a newer version, and off when that one runs"""
    entity = world.entity("update", None)
    world.ha.wait_state(entity, "unknown")
    for latest, state in (("9.9.9", "on"), (world.daemon.house.version, "off")):
        topic = world.daemon.publisher.topics.version_latest
        world.ha.post("/api/services/mqtt/publish", topic=topic, payload=latest, retain=True)
        world.ha.wait_state(entity, state)
    assert _shown(world.ha, entity)["installed_version"] == world.daemon.house.version
    world.ha.post("/api/services/mqtt/publish", topic=topic, payload="", retain=True)
    return entity


def _sound(world: World, count: int) -> None:
    world.daemon.post(LabelState("kitchen", "scream", True, count))
    world.daemon.post(LabelState("kitchen", "scream", False, count))


def _sum(world: World, entity: str) -> float | None:
    """Of the last five minutes that were compiled."""
    asked = {
        "start_time": "2020-01-01T00:00:00Z",
        "statistic_ids": [entity],
        "period": "5minute",
        "types": ["sum"],
    }
    rows = world.ha.ask("recorder/statistics_during_period", **asked).get(entity, [])
    return float(rows[-1]["sum"]) if rows else None


def _entry(world: World, component: str) -> dict[str, Any]:
    return world.ha.registry()[f"earwitness.probe.kitchen.{component}"]


def _shown(home: HomeAssistant, entity: str) -> dict[str, Any]:
    """The attributes of an entity."""
    return dict((home.state(entity) or {"attributes": {}})["attributes"])


def _fired(seen: list[dict[str, Any]]) -> list[str]:
    return [each["attributes"].get("id", "") for each in seen]


def _kept_of(world: World, node: str) -> list[str]:
    """What the broker keeps for a node of this name."""
    with Forgetting(_broker(world), node) as forgetting:
        return forgetting.found()


def _broker(world: World) -> MqttConfig:
    login: dict[str, Any] = {"username": USERNAME, "password": world.broker.password}
    return MqttConfig.model_validate({"type": "mqtt", "port": world.broker.port} | login)
