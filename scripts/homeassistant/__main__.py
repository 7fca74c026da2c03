"""Runs every check and prints the table of docs/guides/homeassistant.md."""

import sys
import tempfile
import traceback
from importlib.metadata import version
from pathlib import Path

from monitor.logs import configure_logging
from scripts.homeassistant.checks import CHECKS, World
from scripts.homeassistant.daemon import Daemon
from scripts.homeassistant.house import HomeAssistant
from tests.mosquitto import PASSWORD, USERNAME, Mosquitto


def main(root: Path) -> int:
    """0 when every check holds."""
    configure_logging(level="warning", json=False)
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with (
            Mosquitto(folder / "broker", password=PASSWORD) as broker,
            HomeAssistant(root, broker) as house,
            Daemon(folder, broker.port, USERNAME, PASSWORD) as daemon,
        ):
            print(f"Home Assistant {house.version}, paho-mqtt {version('paho-mqtt')}\n")
            print("| what must hold | result | seen on |\n|---|---|---|")
            world = World(house, broker, daemon, folder)
            for check in CHECKS:
                failed += not holds(world, check)
    print(f"\n{len(CHECKS) - failed} of {len(CHECKS)} hold")
    return int(failed > 0)


def holds(world: World, check: object) -> bool:
    """Run one check and print its row."""
    assert callable(check)
    try:
        result, seen = "yes", check(world)
    except Exception:  # noqa: BLE001 - the other checks are still to be made
        result, seen = "NO", ""
        traceback.print_exc()
    print(f"| {check.__doc__} | {result} | {seen} |", flush=True)
    return result == "yes"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
