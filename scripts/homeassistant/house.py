"""A real Home Assistant, started from a chroot and driven over its own interfaces."""

import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from textwrap import indent
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from monitor.web.http.card import CARD
from monitor.web.http.shell import shell
from testkit.mosquitto import USERNAME, Mosquitto, free_port

BLUEPRINTS = Path(__file__).parents[2] / "config/blueprints"
PERSON = "probe"
PASSWORD = "probe-probe"
START_S = 180.0
WITHIN_S = 120.0
POLL_S = 0.2

_CONFIGURATION = """
homeassistant: {{name: probe, latitude: 0, longitude: 0, time_zone: UTC}}
http: {{server_host: 127.0.0.1, server_port: {port}}}
api:
websocket_api:
config:
logger: {{default: warning}}
frontend:
history:
recorder: {{commit_interval: 1}}
automation: !include automations.yaml
notify:
scene:
blueprint:
search:
trace:
input_boolean: {{lamp: {{name: Lamp}}}}
template:
  - light:
      name: Hall lamp
      unique_id: hall_lamp
      state: "{{{{ is_state('input_boolean.lamp', 'on') }}}}"
      turn_on: {{action: input_boolean.turn_on, target: {{entity_id: input_boolean.lamp}}}}
      turn_off: {{action: input_boolean.turn_off, target: {{entity_id: input_boolean.lamp}}}}
"""


def automation_of_the_guide() -> str:
    """The example in docs/guides/homeassistant.md, for the node of the checks; a phone is not at hand."""
    guide = (Path(__file__).parents[2] / "docs/guides/homeassistant.md").read_text()
    example = next(block for block in guide.split("```") if block.startswith("yaml\nmode:"))
    for_us = example.removeprefix("yaml\n").replace("earwitness_home_alert", "earwitness_probe_alert")
    return for_us.replace("notify.mobile_app_phone", "persistent_notification.create")


class HomeAssistant:
    """Onboarded, with its MQTT integration on `broker`. Stops with the `with` block."""

    def __init__(self, root: Path, broker: Mosquitto, automation: str, name: str = "hacfg") -> None:
        """`automation`: one, as YAML. `name`: of its folder in `root`."""
        self._folder = root / name
        self.version = ""
        self._automation = automation
        self.root = root
        self._broker = broker
        self._port = free_port()
        self.address = f"http://127.0.0.1:{self._port}"
        self._tokens: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        folder = self._folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "configuration.yaml").write_text(_CONFIGURATION.format(port=self._port))
        shutil.copytree(BLUEPRINTS, folder / "blueprints/automation/earwitness")
        (folder / "www").mkdir()
        (folder / "www" / CARD).write_bytes(shell()[CARD].body)
        (folder / "automations.yaml").write_text("- alias: guide\n" + indent(self._automation, "  "))
        self.start("/api/onboarding")
        self._onboard()
        self._add_mqtt()
        self.version = self.get("/api/config")["version"]
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self, until: str = "/manifest.json") -> None:
        """Start and wait until `until` is served."""
        with (self._folder / "output.log").open("ab") as output:
            self._process = subprocess.Popen(
                ["chroot", str(self.root), "/ha/bin/hass", "-c", f"/{self._folder.name}"],
                stdout=output,
                stderr=output,
            )
        wait_until(lambda: self._served(until), "Home Assistant to start", START_S)

    def stop(self) -> None:
        """Stop as its own restart button does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def log(self) -> str:
        """Everything that it printed."""
        return (self._folder / "output.log").read_text(errors="replace")

    def complaints(self) -> list[str]:
        """Its warnings about anything that we announced or published."""
        # It empties the topic of a device that it removes, and warns of its own message. A busy machine is
        # slow, and it warns of that.
        excused = (
            "connection was lost",
            "No device components to cleanup",
            "Failed to connect to MQTT",
            "Updating state for",
        )
        lines = [line for line in self.log().splitlines() if "components.mqtt" in line]
        return [line for line in lines if not any(each in line for each in excused)]

    def get(self, path: str) -> Any:
        """A GET of its REST API."""
        return self._call("GET", path, None)

    def picture(self, entity: str) -> bytes:
        """What an image entity shows."""
        request = urllib.request.Request(self.address + f"/api/image_proxy/{entity}")
        request.add_header("Authorization", f"Bearer {self._token()}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            shown: bytes = answer.read()
            return shown

    def post(self, path: str, **body: Any) -> Any:
        """A POST of its REST API."""
        return self._call("POST", path, json.dumps(body).encode())

    def act(self, service: str, entity: str, **data: Any) -> None:
        """Call a service such as `switch.turn_on` on an entity."""
        self.post(f"/api/services/{service.replace('.', '/')}", entity_id=entity, **data)

    def state(self, entity: str) -> dict[str, Any] | None:
        """State and attributes; None when there is no such entity."""
        try:
            found: dict[str, Any] = self.get(f"/api/states/{entity}")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None
        return found

    def wait_state(self, entity: str, *expected: str | None) -> dict[str, Any]:
        """Wait until the entity's state is one of `expected` (None: the entity is gone)."""

        def is_expected() -> bool:
            found = self.state(entity)
            return (found["state"] if found else None) in expected

        wait_until(is_expected, f"{entity} to be {expected}, it is {self.state(entity)}")
        return self.state(entity) or {}

    def entities(self) -> dict[str, str]:
        """Entity ids of MQTT by their unique ids."""
        return {id: each["entity_id"] for id, each in self.registry().items()}

    def registry(self) -> dict[str, dict[str, Any]]:
        """What it keeps of each entity of MQTT, by its unique id."""
        listed = self.ask("config/entity_registry/list")
        return {each["unique_id"]: each for each in listed if each["platform"] == "mqtt"}

    def devices(self) -> dict[str, dict[str, Any]]:
        """MQTT devices by their identifiers."""
        listed = self.ask("config/device_registry/list")
        return {word: each for each in listed for _, word in each["identifiers"]}

    def ask(self, kind: str, **more: Any) -> Any:
        """One question over its WebSocket."""
        with self.socket() as socket:
            socket.send(json.dumps({"id": 1, "type": kind, **more}))
            return json.loads(socket.recv())["result"]

    def socket(self) -> ClientConnection:
        """An authenticated WebSocket."""
        socket = connect(f"ws://127.0.0.1:{self._port}/api/websocket", max_size=2**24)
        socket.recv()
        socket.send(json.dumps({"type": "auth", "access_token": self._token()}))
        assert json.loads(socket.recv())["type"] == "auth_ok"
        return socket

    def _onboard(self) -> None:
        me = {"client_id": f"{self.address}/"}
        person = {"name": PERSON, "username": PERSON, "password": PASSWORD, "language": "en"}
        code = self.post("/api/onboarding/users", **me, **person)["auth_code"]
        self._tokens = self._grant(grant_type="authorization_code", code=code, **me)
        self.post("/api/onboarding/core_config")
        self.post("/api/onboarding/analytics")
        self.post("/api/onboarding/integration", **me, redirect_uri=f"{self.address}/?auth_callback=1")

    def _add_mqtt(self) -> None:
        flows = "/api/config/config_entries/flow"
        flow = self.post(flows, handler="mqtt", show_advanced_options=False)
        broker = {"broker": "127.0.0.1", "port": self._broker.port}
        login = {"username": USERNAME, "password": self._broker.password}
        done = self.post(f"{flows}/{flow['flow_id']}", **broker, **login)
        assert done["type"] == "create_entry", done

    def _token(self) -> str:
        return self._tokens["access_token"]

    def _grant(self, **form: str) -> dict[str, str]:
        body = urllib.parse.urlencode(form).encode()
        with urllib.request.urlopen(f"{self.address}/auth/token", body, timeout=60) as answer:
            tokens: dict[str, str] = json.load(answer)
            return tokens

    def _call(self, method: str, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"}
        if self._tokens:
            headers["Authorization"] = f"Bearer {self._token()}"
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def _served(self, path: str) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "Home Assistant has ended; see output.log in its folder"
        try:
            with urllib.request.urlopen(self.address + path, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False


class EntityWatcher:
    """Everything that an entity has been, seen over the WebSocket as a dashboard would."""

    def __init__(self, house: HomeAssistant, entity: str) -> None:
        self.seen: list[dict[str, Any]] = []
        self._entity = entity
        self._changed = threading.Condition()
        self._socket = house.socket()
        self._socket.send(json.dumps({"id": 1, "type": "subscribe_events", "event_type": "state_changed"}))
        self._socket.recv()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()
        self._thread.join()

    def wait_for(self, fact: Callable[[list[dict[str, Any]]], bool], name: str) -> None:
        """Wait until what was seen makes `fact` true."""
        with self._changed:
            assert self._changed.wait_for(lambda: fact(self.seen), WITHIN_S), f"{name}; seen {self.seen}"

    def _watch(self) -> None:
        try:
            for line in self._socket:
                data = json.loads(line).get("event", {}).get("data", {})
                if data.get("entity_id") == self._entity and data.get("new_state"):
                    with self._changed:
                        self.seen.append(data["new_state"])
                        self._changed.notify_all()
        except ConnectionClosed:
            pass


def wait_until(fact: Callable[[], bool], name: str, within_s: float = WITHIN_S) -> None:
    """Ask again and again; AssertionError when it stays false."""
    until_s = time.monotonic() + within_s
    while not fact():
        assert time.monotonic() < until_s, f"waited {within_s:.0f} s for {name}"
        time.sleep(POLL_S)
