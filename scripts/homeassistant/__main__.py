"""Runs every check and prints the table of docs/guides/homeassistant.md."""

import sys
import tempfile
import traceback
from importlib.metadata import version
from pathlib import Path

from monitor.logs import configure_logging
from scripts.homeassistant.checks import CHECKS
from scripts.homeassistant.daemon import ScriptedDaemon
from scripts.homeassistant.house import HomeAssistant, automation_of_the_guide
from scripts.homeassistant.world import Check, World
from testkit import markdown
from testkit.mosquitto import PASSWORD, USERNAME, Mosquitto

ALWAYS = ("devices_appear", "entities_appear", "device_triggers_fire")
"""What the others stand on."""


def main(root: Path, *names: str) -> int:
    """0 when every check holds; `names` picks some, to be tried alone."""
    chosen = [check for check in CHECKS if not names or check.__name__ in (*ALWAYS, *names)]
    configure_logging(level="warning", json=False)
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with (
            Mosquitto(folder / "broker", password=PASSWORD) as broker,
            HomeAssistant(root, broker, automation_of_the_guide()) as house,
            ScriptedDaemon(folder, broker.port, USERNAME, PASSWORD) as daemon,
        ):
            print(f"Home Assistant {house.version}, paho-mqtt {version('paho-mqtt')}\n")
            print(markdown.head(("what must hold", "result", "seen on")))
            world = World(house, broker, daemon, folder)
            for check in chosen:
                failed += not holds(world, check)
    print(f"\n{len(chosen) - failed} of {len(chosen)} hold")
    return int(failed > 0)


def holds(world: World, check: Check) -> bool:
    """Run one check and print its row."""
    try:
        result, seen = "yes", check(world)
    except Exception:  # noqa: BLE001 - the other checks are still to be made
        result, seen = "NO", ""
        traceback.print_exc()
    print(f"| {check.__doc__} | {result} | {seen} |", flush=True)
    return result == "yes"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
