"""The Home Assistant app: what it declares, and what it starts with."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import monitor
from monitor.config.loading import check_document
from monitor.config.yaml_document import parse_document
from testkit.http_servers import http_server, serve

APP = Path(__file__).parents[2] / "packaging" / "homeassistant" / "earwitness"


DEFAULTS = {
    "apparmor": True, "backup": "hot", "boot": "auto", "ingress_port": 8099, "options": {}, "schema": {},
    "startup": "application",
}  # fmt: skip
"""Of the Supervisor: the linter of apps asks not to repeat them."""
OBSOLETE = ("auto_uart", "codenotary", "webui", "watchdog")
"""What it refuses in an app with ingress; the image has a health check instead of a watchdog."""


def start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", APP / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_app_is_of_this_version_and_agrees_with_the_page():
    """Ingress and health check name the ports on which the page waits."""
    from monitor.config.web import IngressConfig, WebConfig

    app = yaml.safe_load((APP / "config.yaml").read_text())
    assert app["version"] == monitor.__version__.split(".dev")[0]
    assert "ingress_port" not in app
    assert IngressConfig().port == DEFAULTS["ingress_port"]
    assert f":{WebConfig().port}/api/health" in (APP / "Dockerfile").read_text()
    assert (APP / "apparmor.txt").read_text().splitlines()[2].startswith(f"profile {app['slug']} ")


def test_the_app_asks_for_what_it_needs_alone():
    """No default is repeated, nothing obsolete is in it, and no right but sound, broker and a folder."""
    app = yaml.safe_load((APP / "config.yaml").read_text())
    assert {"arch", "description", "name", "slug", "version"} <= app.keys()
    assert not [key for key, value in DEFAULTS.items() if app.get(key) == value]
    assert not [key for key in OBSOLETE if key in app]
    rights = {
        "audio", "devices", "docker_api", "full_access", "hassio_api", "host_network", "map", "privileged",
        "services",
    }  # fmt: skip
    assert rights & app.keys() == {"audio", "map", "services"}
    assert app["map"] == ["addon_config:rw"]


@pytest.mark.parametrize("known", [True, False])
def test_the_first_configuration_finds_the_broker_by_itself(tmp_path, monkeypatch, known: bool):
    """The Supervisor's broker, or none; the password is in a variable alone. What is there stays."""
    app: Any = start()
    monkeypatch.setattr(app, "CONFIG", tmp_path)
    found = {"host": "core-mosquitto", "port": 1883, "username": "addons", "password": "s3cret: #1"}
    found |= {"homeassistant": "2026.10"}  # the same answer for every question
    with supervisor({"result": "ok", "data": found if known else {}}) as url:
        monkeypatch.setattr(app, "SUPERVISOR", url)
        variables = app.prepare()
        text = (tmp_path / "earwitness.yaml").read_text()
        (tmp_path / "earwitness.yaml").write_text("# mine\n")
        app.prepare()
    assert (tmp_path / "earwitness.yaml").read_text() == "# mine\n"
    config = check_document(parse_document(text.encode(), "earwitness.yaml", variables))
    assert [publisher.type for publisher in config.publishers] == (["mqtt"] if known else [])
    assert "s3cret" not in text
    if known:
        broker: Any = config.publishers[0]
        assert (broker.host, broker.password.get_secret_value()) == ("core-mosquitto", "s3cret: #1")
        assert broker.release() == (2026, 10)


def supervisor(answer: dict[str, Any]) -> Any:
    return http_server(serve(json.dumps(answer).encode(), "application/json"))
