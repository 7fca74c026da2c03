"""A real house for the page: two rooms, one of which has heard everything, and Debian's Chromium."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from testkit.mosquitto import free_port
from testkit.process import DaemonProcess
from testkit.visit import BROWSER_FAULTS, Chromium, Visit, wait_for_port

HEARD_ALL = {"type": "demo", "name": "kitchen", "realtime": False, "loop": False, "speech": False}
"""The whole scene at once: 75 s of sound in a second or two."""
GOES_ON = {"type": "demo", "name": "hall", "speech": False}
RULES = [
    {"name": "Smoke alarm", "hear": ["smoke_alarm"], "severity": "critical"},
    {"name": "Something loud", "hear": ["loud_noise"], "severity": "warning"},
    {"name": "At the door", "hear": ["doorbell", "knock"], "severity": "info"},
]


def house(port: int, **more: Any) -> dict[str, Any]:
    """A configuration whose page is on `port`."""
    return {
        "node": "home",
        "sources": [HEARD_ALL, GOES_ON],
        "classifiers": [{"type": "embedded"}],
        "rules": RULES,
        # With a receiver the outbox remembers what goes on, so that a kill -9 loses no end.
        "publishers": [{"type": "jsonl", "name": "lines"}],
        "house": {"mode": {"type": "select"}},
        "evidence": {"clips": True, "pictures": True, "no_speech": False},
        "web": {"port": port, **more.pop("web", {})},
        **more,
    }


@dataclass
class Home:
    """A running daemon and its page."""

    daemon: DaemonProcess
    port: int
    folder: Path
    visit: Visit

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}/"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def has_heard(self) -> list[dict[str, Any]]:
        """Every event of the scene, ended and with its clip, newest first."""

        def whole(found: dict[str, Any]) -> bool:
            alarms = [event for event in found["events"] if event["label"] == "smoke_alarm"]
            return any(event["ended_at"] and event["clip"] and event["alerts"] for event in alarms)

        found: list[dict[str, Any]] = self.visit.until("/api/events?source=kitchen", whole)["events"]
        return found


def run(folder: Path, config: dict[str, Any], visit: Visit) -> Iterator[Home]:
    """A daemon for as long as the fixture lives."""
    with DaemonProcess(config, folder) as daemon:
        wait_for_port(visit.port)
        yield Home(daemon, visit.port, folder, visit)


@pytest.fixture(scope="module", name="home")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Without a password, on loopback alone."""
    port = free_port()
    yield from run(tmp_path_factory.mktemp("home"), house(port), Visit(port, {"Host": f"localhost:{port}"}))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser that dies is neither a fault of the page nor a verdict on it."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.flaky(reruns=2, only_rerun=BROWSER_FAULTS))


@pytest.fixture(scope="module", name="chromium")
def _chromium() -> Iterator[Chromium]:
    with Chromium() as chromium:
        yield chromium
