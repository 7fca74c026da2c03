"""What a command that listens adds to its configuration."""

import json
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from monitor.cli.listen import find_broker, scene_config, shown_here
from monitor.config.model import Config
from monitor.logs import get_logger
from testkit.mosquitto import PASSWORD, Mosquitto, free_port
from tests.cli.test_commands import earwitness

SOURCES = [{"type": "demo", "name": "demo"}]


def publishers(*blocks: dict[str, object], as_json: bool = False, on_terminal: bool = False) -> list[str]:
    config = Config.model_validate({"sources": SOURCES, "publishers": list(blocks)})
    shown = shown_here(config, as_json=as_json, on_terminal=on_terminal)
    return [block.type for block in shown.publishers]


def test_a_terminal_shows_what_is_heard():
    """Also with a configuration that names a broker only; a service is left as it is."""
    assert publishers({"type": "mqtt"}, on_terminal=True) == ["mqtt", "console"]
    assert publishers({"type": "console"}, on_terminal=True) == ["console"]
    assert publishers({"type": "mqtt"}) == ["mqtt"]


def test_json_takes_the_place_of_text():
    """`run --json | jq` reads nothing else, and nothing twice; a file of JSON lines goes on beside it."""
    assert publishers({"type": "console"}, as_json=True, on_terminal=True) == ["jsonl"]
    assert publishers({"type": "jsonl"}, as_json=True) == ["jsonl"]
    assert publishers({"type": "jsonl", "path": "/tmp/x"}, as_json=True) == ["jsonl", "jsonl"]


@pytest.fixture
def life():
    with ExitStack() as opened:
        yield opened


def test_where_there_is_no_broker_one_is_started(life, capsys):
    """It speaks 3.1.1 only: asking it for version 5 first would cost 2 s."""
    port = free_port()
    assert find_broker(life, port) == (port, "3.1.1")
    assert "started one there" in capsys.readouterr().err
    assert find_broker(life, port) == (port, "auto")


def test_a_broker_that_wants_a_password_names_the_keys(life, tmp_path: Path, capsys):
    """Before anything else starts: the file to write and what to write there."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker", password=PASSWORD))
    find_broker(life, broker.port)
    said = capsys.readouterr().err
    assert "wants a user name and a password" in said
    assert "config/minimal.yaml" in said


def test_another_server_on_the_port_is_said(life, capsys):
    """Not after 13 s of silence."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        find_broker(life, silent.getsockname()[1])
    assert "does not answer like an MQTT broker" in capsys.readouterr().err


def test_the_scene_shares_nothing_with_the_daemon_of_this_machine():
    """Neither topics nor the name at the broker, which would throw that one out, nor what waits for it."""
    scene, real = scene_config(1883, "auto"), Config.model_validate({"sources": SOURCES})

    assert scene.node != real.node
    assert scene.state_folder() != real.state_folder()


def test_a_demo_takes_the_next_port_where_another_server_has_it(life, capsys):
    """It is said, and the broker that is started is found again."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        taken = silent.getsockname()[1]
        port, _ = find_broker(life, taken, or_next=True)
    assert port > taken
    assert (
        f"port {taken} is taken by something that does not serve us; trying {taken + 1}"
        in capsys.readouterr().err
    )
    assert find_broker(life, port) == (port, "auto")


def test_what_runs_without_a_terminal_writes_json_alone(tmp_path: Path):
    """From its first line to its last."""
    config = tmp_path / "earwitness.yaml"
    config.write_text(
        f"state_dir: {tmp_path / 'state'}\nweb: {{port: {free_port()}}}\n"
        "sources: [{type: demo, name: hall, realtime: false, loop: false}]\n"
    )
    command = [sys.executable, "-m", "monitor", "run", "--config", str(config)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert lines[0]["event"] == f"Configuration: {config}"
    assert any(line["event"].startswith("Page: ") for line in lines)


def test_other_commands_speak_to_people(tmp_path: Path, capsys):
    """Nobody wants JSON between the lines that a command prints."""
    config = tmp_path / "earwitness.yaml"
    config.write_text(f"state_dir: {tmp_path}\nsources: [{{type: demo, name: hall}}]\n")
    assert earwitness("teach", "--list", "--config", config) == 0
    get_logger().warning("the disk is slow", seconds=3)
    assert "{" not in capsys.readouterr().err
