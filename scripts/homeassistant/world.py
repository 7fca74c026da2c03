"""What a check has at hand, and what it asks."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.publishers.base import House
from monitor.publishers.mqtt.homeassistant.discovery import documents
from monitor.types import Command
from scripts.homeassistant.daemon import ScriptedDaemon
from scripts.homeassistant.house import WITHIN_S, EntityWatcher, HomeAssistant
from testkit.mosquitto import USERNAME, Mosquitto


class World:
    """What a check has at hand."""

    def __init__(
        self, house_: HomeAssistant, broker: Mosquitto, daemon: ScriptedDaemon, folder: Path
    ) -> None:
        self.ha = house_
        self.broker = broker
        self.daemon = daemon
        self.folder = folder

    def begin(self, announced: House | None = None) -> ScriptedDaemon:
        """A new life of the daemon, not entered yet."""
        login = (USERNAME, str(self.broker.password))
        self.daemon = ScriptedDaemon(self.folder, self.broker.port, *login, announced)
        return self.daemon

    def entity(self, component: str, source: str | None = "kitchen") -> str:
        """The entity id of a component, of the node if `source` is None."""
        unique_id = ".".join(filter(None, ("earwitness.probe", source, component)))
        return self.ha.entities()[unique_id]

    def command(self) -> Command:
        """The next command that reached the daemon."""
        return self.daemon.commands.get(timeout=WITHIN_S)


Check = Callable[[World], str]


def now() -> datetime:
    """UTC."""
    return datetime.now(UTC)


def is_available(world: World, entity: str) -> bool:
    """Whether Home Assistant has made it of a document since its start, and not only remembered it."""
    state = world.ha.state(entity)
    return state is not None and state["state"] != "unavailable" and not state["attributes"].get("restored")


def attribute(world: World, entity: str, name: str) -> Any:
    return (world.ha.state(entity) or {"attributes": {}})["attributes"].get(name)


def rung(automation: EntityWatcher) -> set[str]:
    """When it was triggered."""
    return {each["attributes"]["last_triggered"] for each in automation.seen}


def ids(seen: list[dict[str, Any]]) -> set[str]:
    return {each["attributes"].get("id", "") for each in seen}


def unavailable(world: World) -> list[str]:
    """Entities that show nothing, of those that ought to."""
    return [entity for entity in lasting(world) if not is_available(world, entity)]


def lasting(world: World) -> list[str]:
    """Entities that are neither switched off nor fade by themselves: after a restart how loud a minute was is
    not known before the next minute."""
    announced = documents(world.daemon.house, world.daemon.publisher.topics, "homeassistant").values()
    components = [item for document in announced for item in document["components"].items()]
    fading = {key for key, component in components if "expire_after" in component}
    return [
        each["entity_id"]
        for unique_id, each in world.ha.registry().items()
        if not each["disabled_by"] and unique_id.rpartition(".")[2] not in fading
    ]


def notified(home: HomeAssistant) -> list[str]:
    """What its automations have notified of since its start."""
    return [each["message"] for each in home.ask("persistent_notification/get")]
