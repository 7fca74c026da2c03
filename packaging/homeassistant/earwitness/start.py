"""Starts earwitness inside Home Assistant: asks the Supervisor for the broker, writes a first configuration
where there is none, and becomes the daemon. What the house's owner wrote is never changed."""

import json
import os
import urllib.request
from pathlib import Path

SUPERVISOR = os.environ.get("SUPERVISOR_URL", "http://supervisor")
CONFIG = Path(os.environ.get("CONFIG_FOLDER", "/config"))
STATE = Path(os.environ.get("STATE_FOLDER", "/data"))
FIRST = """# Written once, at the first start. All options: earwitness.example.yaml of the project.
sources:
  - {type: microphone, name: home}
rules:
  - {name: Perhaps a smoke alarm, hear: [smoke_alarm, fire_alarm], severity: warning}
  - {name: Smoke alarm, hear: [smoke_alarm, fire_alarm], certainty: confirmed, severity: critical}
  - {name: CO alarm, hear: [co_alarm], severity: critical}
  - {name: Glass, hear: [glass_break], severity: warning}
web: {host: 0.0.0.0, ingress: {}}
"""
BROKER = """publishers:
  - type: mqtt
    host: "${MQTT_HOST}"
    port: %d
    username: "${MQTT_USERNAME}"
    password: "${MQTT_PASSWORD}"
    homeassistant_version: "${HOMEASSISTANT_VERSION}"
"""
OLDEST = "2024.11"
"""The first Home Assistant that earwitness announces its devices to."""


def asked(path: str) -> dict[str, object]:
    """What the Supervisor answers; empty where it does not."""
    request = urllib.request.Request(
        f"{SUPERVISOR}/{path}",
        headers={"Authorization": f"Bearer {os.environ.get('SUPERVISOR_TOKEN', '')}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer).get("data")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def prepare() -> dict[str, str]:
    """The first configuration; the broker's credentials and Home Assistant's version as variables."""
    known = asked("services/mqtt")
    known = known if known.get("host") else {}
    file = CONFIG / "earwitness.yaml"
    if not file.exists():
        file.write_text(FIRST + (BROKER % int(str(known["port"])) if known else ""), encoding="utf-8")
    names = {"MQTT_HOST": "host", "MQTT_USERNAME": "username", "MQTT_PASSWORD": "password"}
    version = str(asked("info").get("homeassistant") or OLDEST)
    return {"HOMEASSISTANT_VERSION": version} | {
        name: str(known[key]) for name, key in names.items() if known.get(key)
    }


def main() -> None:
    """Never returns: this process becomes the daemon."""
    environment = {**os.environ, **prepare(), "STATE_DIRECTORY": str(STATE), "HOME": str(STATE)}
    os.execvpe("earwitness", ["earwitness", "run", "--config", str(CONFIG / "earwitness.yaml")], environment)


if __name__ == "__main__":
    main()
