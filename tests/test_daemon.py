"""The whole daemon as a process, against a real broker."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ
from monitor.history.reader import History, KeptMessage
from monitor.history.recorder import SCORES
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.types import SoundEvent
from testkit.mosquitto import Mosquitto, Subscriber
from testkit.noisy_house import until
from testkit.process import DaemonProcess
from testkit.wav import write_wav

EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

SCENE = {"type": "demo", "name": "demo", "realtime": False, "loop": False, "speech": False}
"""The whole scene at once: 75 s of sound in a second or two."""
ENDLESS = {"type": "demo", "name": "demo", "speech": False}


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


def config(broker: Mosquitto, *sources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "node": "home",
        "sources": list(sources),
        "rules": [{"name": "Smoke alarm", "hear": ["smoke_alarm"], "severity": "critical"}],
        "publishers": [{"type": "mqtt", "host": "127.0.0.1", "port": broker.port}],
        **more,
    }


def test_what_is_heard_arrives_over_mqtt(broker, tmp_path):
    """The demo scene comes out as events, states and one alert, and the daemon ends when its sources have."""
    with Subscriber(broker) as listener, DaemonProcess(config(broker, SCENE), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/smoke_alarm/state", "ON")
        listener.wait_for("earwitness/home/demo/loud_noise/state", "ON")
        assert daemon.process.wait(120) == 0
        listener.wait_for("earwitness/home/status", "offline")
        events = listener.documents("earwitness/home/demo/event")
        [alert, *repeats] = listener.documents("earwitness/home/alert")
    # An alert within a second of the first connection is repeated for a Home Assistant that had no entity.
    assert {(each["id"], each["late"]) for each in repeats} <= {(alert["id"], True)}
    assert {event["label"] for event in events} >= {"loud_noise", "smoke_alarm"}
    assert alert["rule"] == "Smoke alarm"
    assert alert["why"]
    began = {event["id"] for event in events if event["state"] == "started"}
    assert began == {event["id"] for event in events if event["state"] == "ended"}


def test_an_orderly_stop_says_goodbye(broker, tmp_path):
    """SIGTERM: offline is published, nothing is left open, and the exit code is 0 (scripts/bench faults
    measures how long that takes)."""
    with Subscriber(broker) as listener:
        with DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
            listener.wait_for("earwitness/home/demo/status", "online")
        assert daemon.process.returncode == 0
        listener.wait_for("earwitness/home/status", "offline")


def test_a_test_alert_takes_the_real_way(broker, tmp_path):
    """The button in Home Assistant proves the whole chain."""
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path):
        listener.wait_for("earwitness/home/demo/status", "online")
        listener.say("earwitness/home/test/set", "PRESS")
        listener.wait_for("earwitness/home/alert")
        alert = listener.documents("earwitness/home/alert")[0]
    assert alert["message"].startswith("Test")
    assert alert["severity"] == "critical"


def test_mute_and_sensitivity_are_shown_as_they_are_in_force(broker, tmp_path):
    """What is set comes back as a state, so that nobody has to guess."""
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path):
        listener.wait_for("earwitness/home/demo/mute", "OFF")
        listener.say("earwitness/home/demo/mute/set", "ON")
        listener.wait_for("earwitness/home/demo/mute", "ON")
        listener.say("earwitness/home/demo/sensitivity/set", "0.5")
        listener.wait_for("earwitness/home/demo/sensitivity", "0.5")
    assert listener.on("earwitness/home/demo/mute") == ["OFF", "ON"]


def test_what_was_set_outlasts_a_restart(broker, tmp_path):
    """A room that was muted in the evening is still muted when the daemon was restarted at night."""
    with Subscriber(broker) as listener:
        with DaemonProcess(config(broker, ENDLESS), tmp_path):
            listener.wait_for("earwitness/home/demo/mute", "OFF")
            listener.say("earwitness/home/demo/mute/set", "ON")
            listener.wait_for("earwitness/home/demo/mute", "ON")
            listener.wait_for("earwitness/home/demo/status", "online")
        before = len(listener.heard)
        with DaemonProcess(config(broker, ENDLESS), tmp_path):
            listener.wait_for("earwitness/home/demo/status", "online", times=2)
    again = [message for message in listener.heard[before:] if message.topic == "earwitness/home/demo/mute"]
    assert {message.payload for message in again} == {b"ON"}


def test_usr1_prints_how_it_keeps_up(broker, tmp_path):
    """Per source and queue, as JSON, and what is off: here the page, whose port somebody else has. Whoever
    starts it reads that, too, with what to do."""
    with Subscriber(broker) as listener, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with DaemonProcess(config(broker, ENDLESS, web={"port": port}), tmp_path) as daemon:
            listener.wait_for("earwitness/home/demo/status", "online")
            health = daemon.health()
    assert "earwitness run --port" in health["notes"]["page"]
    log = (tmp_path / "log").read_text()
    assert f"the page is off, 127.0.0.1:{port}: Address already in use;" in log
    assert log.count("the page is off") == 1
    assert health["sources"]["demo"]["online"] is True
    assert health["queues"]["decisions"]["dropped"] == 0
    assert health["stalled"] == []


def test_a_killed_daemon_heard_until_it_was_killed(broker, tmp_path):
    """kill -9 while an alarm rings that has long been confirmed, and of which nothing new is told: its event
    lasts until its sound was last found, not until the last update."""
    write_wav(tmp_path / "alarm.wav", played(piezo(), temporal_three(20), SAMPLE_RATE_HZ))
    alarm = {"type": "file", "name": "hall", "path": str(tmp_path / "alarm.wav"), "realtime": True}
    state = tmp_path / "state"
    with Subscriber(broker) as listener:
        with DaemonProcess(config(broker, alarm), tmp_path) as daemon:
            listener.wait_for("earwitness/home/hall/event")
            until(lambda: _heard_after_news(state) > 6.0, "the alarm rings on")
            daemon.process.kill()
            daemon.process.wait()
        told = listener.documents("earwitness/home/hall/event")
        ringing = [one["id"] for one in told if one["label"] == "smoke_alarm"]
        with DaemonProcess(config(broker, ENDLESS), tmp_path):
            listener.wait_until(lambda: _ended(listener, ringing[-1]) != [], "its end")
        [end] = _ended(listener, ringing[-1])
    assert end["ended_by"] == "restart"
    last = max(datetime.fromisoformat(one["detected_at"]) for one in told if one["id"] == ringing[-1])
    assert (datetime.fromisoformat(end["ended_at"]) - last).total_seconds() > 5.0


def _heard_after_news(state: Path) -> float:
    """For how many seconds an alarm was heard after its last update, as far as that is on disk."""
    if not (state / SCORES).exists():
        return 0.0
    with History(state / SCORES) as history:
        news = [at for at, one in history.messages(*EVER, SoundEvent) if _is_alarm(one)]
        looks = [one.decided_at for one in history.looks(*EVER) if "smoke_alarm" in one.scores]
    return (looks[-1] - news[-1]).total_seconds() if news and looks else 0.0


def _is_alarm(message: KeptMessage) -> bool:
    return isinstance(message, SoundEvent) and message.label == "smoke_alarm"


def _ended(listener: Subscriber, id: str) -> list[dict[str, Any]]:
    documents = listener.documents("earwitness/home/hall/event")
    return [one for one in documents if one["id"] == id and one["state"] == "ended"]


def test_systemd_is_notified_when_it_listens_and_when_it_stops(broker, tmp_path):
    """READY after everything is open, WATCHDOG while it advances, STOPPING at the end."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(60)
        manager.bind(str(path))
        environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}
        with DaemonProcess(config(broker, ENDLESS), tmp_path, environment) as daemon:
            assert manager.recv(1000).startswith(b"EXTEND_TIMEOUT_USEC=")
            assert manager.recv(1000) == b"READY=1"
            while manager.recv(1000) != b"WATCHDOG=1":  # a busy machine has a status to report before that
                pass
            daemon.process.terminate()
            # Read meanwhile: a manager holds ten words at most, and what finds no room is lost.
            while manager.recv(1000) != b"STOPPING=1":
                pass


def test_a_wrong_configuration_exits_78_and_opens_nothing(broker, tmp_path):
    """systemd does not try again; every problem stands in the log with its line."""
    wrong = config(broker, {"type": "demo", "name": "Demo"}, colour="red")
    with DaemonProcess(wrong, tmp_path) as daemon:
        assert daemon.process.wait(60) == 78
    log = (tmp_path / "log").read_text()
    assert "earwitness.yaml:" in log
    assert "unknown key 'colour'" in log
    assert "demo" in log


def test_a_missing_model_is_said_and_the_alarms_are_heard_without_it(broker, tmp_path):
    """No score is ever made up; rhythm and gate go on."""
    classifiers = [{"type": "embedded", "model": str(tmp_path / "nothing.onnx")}]
    with (
        Subscriber(broker) as listener,
        DaemonProcess(config(broker, SCENE, classifiers=classifiers), tmp_path) as daemon,
    ):
        listener.wait_for("earwitness/home/demo/smoke_alarm/state", "ON")
        assert daemon.process.wait(120) == 0
    assert "listening without this model" in (tmp_path / "log").read_text()


def test_a_damaged_model_is_trouble_that_home_assistant_shows(broker, tmp_path):
    """One byte of the model is another one: nobody would hear glass break, and the house is notified."""
    shipped = Path(str(files("monitor"))) / "models"
    damaged = bytearray((shipped / "earwitness.onnx").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "earwitness.onnx").write_bytes(damaged)
    (tmp_path / "earwitness.json").write_bytes((shipped / "earwitness.json").read_bytes())
    classifiers = [{"type": "embedded", "model": str(tmp_path / "earwitness.onnx")}]
    with (
        Subscriber(broker) as listener,
        DaemonProcess(config(broker, ENDLESS, classifiers=classifiers), tmp_path),
    ):
        listener.wait_for("earwitness/home/trouble", "ON")
        why = json.loads(listener.wait_for("earwitness/home/trouble/attributes"))
    assert "damaged" in why["notes"]["embedded"]


def test_events_of_a_night_without_a_broker_arrive_when_it_is_back(tmp_path):
    """Nothing is lost while the broker is away, and everything that waited says that it is late."""
    broker = Mosquitto(tmp_path / "broker")
    with DaemonProcess(config(broker, SCENE), tmp_path) as daemon:
        assert daemon.process.wait(120) == 0
    with broker, Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path):
        listener.wait_for("earwitness/home/alert")
        alert = listener.documents("earwitness/home/alert")[0]
    assert alert["late"] is True
    assert alert["rule"] == "Smoke alarm"


def test_nothing_is_left_of_it(broker, tmp_path):
    """A second daemon opens at once where the first one was: no lock, no socket, no process stays."""
    for _ in range(2):
        with DaemonProcess(config(broker, SCENE), tmp_path) as daemon:
            assert daemon.process.wait(120) == 0
    assert not (tmp_path / "state" / "outbox.db-wal").exists()


def test_ctrl_c_is_an_orderly_stop(broker, tmp_path):
    """SIGINT does what SIGTERM does."""
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        os.kill(daemon.process.pid, signal.SIGINT)
        assert daemon.process.wait(60) == 0
        listener.wait_for("earwitness/home/status", "offline")


def test_analyze_hears_the_same_as_the_daemon(tmp_path):
    """A recording through `earwitness analyze` is one JSON object per event and alert."""
    import wave

    from monitor.synthesis.scene import demo_scene

    recording = tmp_path / "scene.wav"
    with wave.open(str(recording), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(demo_scene().audio.to_pcm16())
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF nothing")
    command = [sys.executable, "-m", "monitor", "analyze", "--format", "jsonl", recording, broken]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.returncode == 1
    assert "broken.wav" in result.stderr
    smoke = next(row for row in rows if row["type"] == "event" and row["label"] == "smoke_alarm")
    assert smoke["start_s"] == pytest.approx(51, abs=0.2)
    assert smoke["certainty"] == "confirmed"
    rules = {row["rule"] for row in rows if row["type"] == "alert"}
    assert rules == {"Perhaps a smoke alarm", "Smoke alarm"}
    # A loud noise comes after what a model named in its segment; all else by its start.
    named = [row["start_s"] for row in rows if row.get("label") != "loud_noise"]
    assert named == sorted(named)


def shows_a_problem(listener: Subscriber, room: str, kind: str) -> None:
    topic = f"earwitness/home/{room}/problem"
    until(lambda: "ON" in listener.on(topic), f"a problem in {room}", 60)
    assert listener.documents(f"{topic}/attributes")[-1] == {"kinds": [kind]}


def test_a_microphone_without_life_is_a_problem(broker, tmp_path):
    """One, known from days before, flickers by a step of its converter; one repeats a second of sound. Their
    connections are well, and Home Assistant shows that they are not."""
    day = {"quietest_dbfs": -65, "minutes": 1440, "spells": 0, "longest_s": 0}
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "habits.json").write_text(json.dumps({"dead": {"2026-01-01": day}}))
    rng = np.random.default_rng(7)
    write_wav(tmp_path / "dead.wav", rng.integers(-1, 2, 130 * 16_000) / 32768)
    write_wav(tmp_path / "looping.wav", np.resize(rng.normal(scale=0.01, size=16_000), 20 * 16_000))
    rooms = [
        {"type": "file", "name": name, "path": str(tmp_path / f"{name}.wav"), "loop": True}
        for name in ("dead", "looping")
    ]
    with Subscriber(broker) as listener, DaemonProcess(config(broker, *rooms), tmp_path):
        for room, kind in (("dead", "dead"), ("looping", "frozen")):
            shows_a_problem(listener, room, kind)
