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
"""


def broker() -> dict[str, object]:
    """What the Supervisor knows of the MQTT service; empty without one."""
    request = urllib.request.Request(
        f"{SUPERVISOR}/services/mqtt",
        headers={"Authorization": f"Bearer {os.environ.get('SUPERVISOR_TOKEN', '')}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found = json.load(answer).get("data")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("host") else {}


def prepare() -> dict[str, str]:
    """The first configuration, and the broker's credentials as variables."""
    known = broker()
    file = CONFIG / "earwitness.yaml"
    if not file.exists():
        file.write_text(FIRST + (BROKER % int(str(known["port"])) if known else ""), encoding="utf-8")
    names = {"MQTT_HOST": "host", "MQTT_USERNAME": "username", "MQTT_PASSWORD": "password"}
    return {name: str(known[key]) for name, key in names.items() if known.get(key)}


def main() -> None:
    """Never returns: this process becomes the daemon."""
    environment = {**os.environ, **prepare(), "STATE_DIRECTORY": str(STATE), "HOME": str(STATE)}
    os.execvpe("earwitness", ["earwitness", "run", "--config", str(CONFIG / "earwitness.yaml")], environment)


if __name__ == "__main__":
    main()
