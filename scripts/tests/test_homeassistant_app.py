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


def start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("start", APP / "start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_app_is_of_this_version_and_agrees_with_the_page():
    """Ingress and watchdog name the ports on which the page waits."""
    from monitor.config.web import IngressConfig, WebConfig

    app = yaml.safe_load((APP / "config.yaml").read_text())
    assert app["version"] == monitor.__version__.split(".dev")[0]
    assert app["ingress_port"] == IngressConfig().port
    assert f":{WebConfig().port}/api/health" in app["watchdog"]
    assert (APP / "apparmor.txt").read_text().splitlines()[2].startswith(f"profile {app['slug']} ")


@pytest.mark.parametrize("known", [True, False])
def test_the_first_configuration_finds_the_broker_by_itself(tmp_path, monkeypatch, known: bool):
    """The Supervisor's broker, or none; the password is in a variable alone. What is there stays."""
    app: Any = start()
    monkeypatch.setattr(app, "CONFIG", tmp_path)
    found = {"host": "core-mosquitto", "port": 1883, "username": "addons", "password": "s3cret: #1"}
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


def supervisor(answer: dict[str, Any]) -> Any:
    return http_server(serve(json.dumps(answer).encode(), "application/json"))
