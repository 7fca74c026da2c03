"""How the daemon begins and ends where something is in its way; as a process."""

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config.loading import as_configured
from monitor.config.overrides import apply, read_steps
from monitor.config.taught import forget_taught, read_taught, write_taught
from monitor.drill.report import FILE as DRILLS
from monitor.drill.report import REQUEST, read_drills
from monitor.store.files import write_private
from monitor.synthesis.scene import demo_scene
from testkit.held_file import held, wait_opened
from testkit.mosquitto import Mosquitto, Subscriber
from testkit.noisy_house import until
from testkit.process import DaemonProcess
from testkit.taught import anything

ENDLESS = {"type": "demo", "name": "demo", "speech": False}
PATIENCE_S = 60.0


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


def config(broker: Mosquitto, *sources: dict[str, Any], **more: Any) -> dict[str, Any]:
    publisher = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port}
    return {"node": "home", "sources": list(sources), "publishers": [publisher], **more}


def test_a_stop_is_heeded_while_a_model_loads(broker, tmp_path):
    """A model on a disk that does not answer: SIGTERM ends it all the same."""
    model = tmp_path / "large.onnx"
    model.write_bytes(b"model")
    sidecar: dict[str, Any] = {"version": "1", "sha256": "0", "labels": ["cough"], "emotions": []}
    sidecar |= {"window_s": 1, "hop_s": 1, "frame_hop_s": 0.1}
    model.with_suffix(".json").write_text(json.dumps(sidecar))
    slow = config(broker, ENDLESS, classifiers=[{"type": "embedded", "model": str(model)}])
    with held(model) as opened, DaemonProcess(slow, tmp_path) as daemon:
        wait_opened(opened)
        assert daemon.process.poll() is None
        daemon.process.terminate()
        assert daemon.process.wait(PATIENCE_S) == 0


def test_a_second_daemon_on_the_same_state_is_refused(broker, tmp_path):
    """It is refused with one line that names the first one, which goes on."""
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        command = [sys.executable, "-m", "monitor", "run", "--config", str(tmp_path / "earwitness.yaml")]
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert second.returncode == 1
        said = [json.loads(line) for line in second.stderr.splitlines()]
        [line] = [each["event"] for each in said if each["level"] == "error"]
        assert str(daemon.process.pid) in line
        assert daemon.process.poll() is None


def test_a_state_folder_that_cannot_be_used_is_said_and_survived(broker, tmp_path):
    """Read-only, full, or a file: alarms are delivered from memory, and the owner learns of it."""
    (tmp_path / "state").touch()
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path):
        listener.wait_for("earwitness/home/demo/status", "online")
        listener.say("earwitness/home/test/set", "PRESS")
        listener.wait_for("earwitness/home/alert")
    assert "history is not being kept" in (tmp_path / "log").read_text()


def test_a_broker_that_hangs_does_not_hold_up_the_stop(broker, tmp_path):
    """Connected, and it answers nothing any more: what is undelivered stays in the outbox."""
    with Subscriber(broker) as listener:
        with DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
            listener.wait_for("earwitness/home/demo/status", "online")
            broker.freeze()
        broker.thaw()
    assert daemon.process.returncode == 0


def test_no_secret_is_said(broker, tmp_path):
    """Not in the log, the health report, or by `check`."""
    secret = "s3cr3t-w0rd"
    camera = {"type": "stream", "name": "porch", "url": f"rtsp://viewer:{secret}@127.0.0.1:9/live"}
    hidden = config(broker, ENDLESS, camera)
    hidden["publishers"][0] |= {"username": "me", "password": secret}
    with Subscriber(broker) as listener, DaemonProcess(hidden, tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        listener.wait_for("earwitness/home/porch/status", "offline")
        assert secret not in json.dumps(daemon.health())
    command = [sys.executable, "-m", "monitor", "check", "--config", str(tmp_path / "earwitness.yaml")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    log = (tmp_path / "log").read_text()
    assert "porch" in log
    assert secret not in log + checked.stdout + checked.stderr


def test_a_recording_is_heard_by_run_as_it_is_by_analyze(tmp_path):
    """Read as fast as possible, `run` dropped segments and cut events into pieces. No segment has two loud
    noises."""
    recording = tmp_path / "scene.wav"
    with wave.open(str(recording), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(demo_scene().audio.to_pcm16())
    lines = tmp_path / "events.jsonl"
    night = {
        "sources": [{"type": "file", "name": "file", "path": str(recording)}],
        "classifiers": [{"type": "embedded"}],
        "publishers": [{"type": "jsonl", "path": str(lines)}],
    }
    with DaemonProcess(night, tmp_path) as daemon:
        assert daemon.process.wait(PATIENCE_S) == 0
    published = [json.loads(line) for line in lines.read_text().splitlines()]
    by_run = sorted((e["label"], round(e["score"], 2)) for e in published if e["state"] == "ended")
    loud = [e["segment_ids"] for e in published if (e["label"], e["state"]) == ("loud_noise", "ended")]
    assert loud
    assert len(set().union(*loud)) == sum(map(len, loud))
    command = [sys.executable, "-m", "monitor", "analyze", "--config", str(tmp_path / "earwitness.yaml")]
    result = subprocess.run(
        [*command, "--format", "jsonl", str(recording)], capture_output=True, text=True, check=True
    )
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert by_run == sorted((row["label"], round(row["score"], 2)) for row in rows)


class Reloading:
    """A daemon whose configuration is rewritten while it runs."""

    def __init__(self, daemon: DaemonProcess, folder: Path) -> None:
        self._daemon = daemon
        self._file = folder / "earwitness.yaml"
        self._log = folder / "log"
        self._first: dict[str, Any] = yaml.safe_load(self._file.read_text())

    def change(self, says: str, **keys: Any) -> str:
        """The log from SIGHUP until a line that `says` so."""
        self._file.write_text(yaml.safe_dump({**self._first, **keys}))
        before = len(self._log.read_text())
        self._daemon.process.send_signal(signal.SIGHUP)
        until(lambda: says in self._log.read_text()[before:], f"{says!r} in the log", PATIENCE_S)
        return self._log.read_text()[before:]


def test_a_hangup_exchanges_rules_without_a_pause(broker, tmp_path):
    """A wrong configuration changes nothing; the source stays online; the new rule rings."""
    bells = [{"name": "Bells", "hear": ["smoke_alarm"], "severity": "warning"}]
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        before = listener.on("earwitness/home/demo/status")
        reloading = Reloading(daemon, tmp_path)
        log = reloading.change("the configuration is wrong", sauces=[])
        assert "did you mean 'sources'" in log
        reloading.change("the configuration has not changed")
        reloading.change("the new rules and thresholds are used now", rules=bells)
        listener.say("earwitness/home/test/set", "PRESS")
        listener.wait_for("earwitness/home/alert")
        assert listener.on("earwitness/home/demo/status") == before
        assert listener.documents("earwitness/home/alert")[0]["rule"] == "Bells"


def test_a_hangup_while_the_disk_hangs_stops_nobody(broker, tmp_path):
    """The configuration cannot be read: the main thread goes on and feeds the watchdog, here by answering;
    what came meanwhile is heeded when the disk answers."""
    path, log = tmp_path / "earwitness.yaml", tmp_path / "log"
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        with held(path) as opened:
            daemon.process.send_signal(signal.SIGHUP)
            wait_opened(opened)
            daemon.process.send_signal(signal.SIGHUP)
            assert daemon.health()["sources"]["demo"]["online"]
        again = "the configuration has not changed"
        until(lambda: log.read_text().count(again) == 2, "both hangups", PATIENCE_S)


def test_a_hangup_begins_anew_with_other_sources(broker, tmp_path):
    """In the same process; then it ends as ever."""
    hall = {**ENDLESS, "name": "hall"}
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        Reloading(daemon, tmp_path).change("listening starts again", sources=[ENDLESS, hall])
        listener.wait_for("earwitness/home/hall/status", "online")
        assert daemon.process.poll() is None
    assert daemon.process.returncode == 0


def test_what_is_set_without_the_configuration_is_taken_up(broker, tmp_path):
    """By `earwitness set`, the page or a suggestion; within seconds, without a signal and without a pause."""
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        house = as_configured(tmp_path / "earwitness.yaml")
        apply(house, {"labels.dog_bark.onset": 0.7}, by="test", at=datetime.now(UTC))
        before = listener.on("earwitness/home/demo/status")
        said = "the new rules and thresholds are used now"
        until(lambda: said in (tmp_path / "log").read_text(), said, PATIENCE_S)
        assert listener.on("earwitness/home/demo/status") == before
    assert daemon.process.returncode == 0


def test_what_is_taught_is_heard_without_a_pause(broker, tmp_path):
    """Here a sound that everything is like. Home Assistant gets its entity, off at first; forgetting it
    begins anew, and the entity goes."""
    topic, model = "earwitness/home/demo/washer_done/state", {"classifiers": [{"type": "embedded"}]}
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS, **model), tmp_path) as daemon:
        listener.wait_for("earwitness/home/demo/status", "online")
        before = listener.on("earwitness/home/demo/status")
        write_taught(tmp_path / "state", anything())
        assert listener.wait_for(topic, "ON")
        assert listener.on(topic)[0] == "OFF"
        assert "washer_done" in listener.on("homeassistant/device/earwitness_home_demo/config")[-1]
        assert listener.on("earwitness/home/demo/status") == before
        forget_taught(tmp_path / "state", "washer_done")
        listener.wait_for(topic, "")
        assert daemon.process.poll() is None


def test_what_was_taught_is_in_force_after_a_kill(broker, tmp_path):
    """With the page off: whoever keeps it is killed, then the daemon, twice. Each time the taught sound has
    its entity, the verdicts hold back what they called wrong, and the last drill is known."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    with subprocess.Popen(
        [sys.executable, "-m", "testkit.faults.kept", str(folder)], stdout=subprocess.PIPE, text=True
    ) as keeper:
        assert keeper.stdout is not None
        assert [int(keeper.stdout.readline()) for _ in range(5)] == [1, 2, 3, 4, 5]
        keeper.kill()
    [sound] = read_taught(folder).sounds
    write_taught(folder, anything(sound.label))
    last = max(read_drills(folder), key=lambda one: one.began_at).began_at.isoformat()
    held_back = "sounds like those often called wrong are now only suspected"
    for node in ("first", "second"):  # of each the broker keeps topics of its own
        written = config(broker, ENDLESS, classifiers=[{"type": "embedded"}]) | {"node": node}
        with Subscriber(broker) as listener, DaemonProcess(written, tmp_path) as daemon:
            listener.wait_for(f"earwitness/{node}/demo/{sound.label}/state", "ON")
            until(lambda: held_back in (tmp_path / "log").read_text(), held_back, PATIENCE_S)
            health = json.loads(listener.wait_for(f"earwitness/{node}/health"))
            assert health["drill"]["last"] == last
            daemon.process.kill()
            daemon.process.wait()
        assert daemon.process.returncode == -signal.SIGKILL
        assert read_steps(folder)[-1].values["labels.dog_bark.onset"] > 0.5


def test_a_drill_that_is_asked_for_begins(broker, tmp_path):
    """The daemon takes the request from its state folder, also with the page off, and Home Assistant sees
    when the next drill is due."""
    with Subscriber(broker) as listener, DaemonProcess(config(broker, ENDLESS), tmp_path):
        listener.wait_for("earwitness/home/demo/status", "online")
        folder = tmp_path / "state"
        row = {"id": "d1", "label": "smoke_alarm", "asked_at": datetime.now(UTC).isoformat()}
        write_private(folder / REQUEST, json.dumps(row).encode())
        until(lambda: (folder / DRILLS).exists(), "the drill has begun", PATIENCE_S)
        assert [one.ended_at for one in read_drills(folder)] == [None]
        assert listener.wait_for("earwitness/home/health")
        assert listener.documents("earwitness/home/health")[-1]["drill"]["overdue"] is True


def test_a_new_configuration_that_cannot_be_opened_gives_way_to_the_former(broker, tmp_path):
    """Here: its state folder belongs to another daemon that runs."""
    (tmp_path / "other").mkdir()
    with (
        Subscriber(broker) as listener,
        DaemonProcess(config(broker, ENDLESS, node="other"), tmp_path / "other"),
        DaemonProcess(config(broker, ENDLESS), tmp_path) as daemon,
    ):
        listener.wait_for("earwitness/other/demo/status", "online")
        listener.wait_for("earwitness/home/demo/status", "online")
        taken = str(tmp_path / "other" / "state")
        Reloading(daemon, tmp_path).change("cannot be used; the old one is used again", state_dir=taken)
        listener.wait_for("earwitness/home/demo/status", "online", times=2)
        assert daemon.process.poll() is None


def test_a_log_that_nobody_reads_holds_up_no_alert(broker, tmp_path):
    """A pager that waits, a journal whose disk does not answer: the pipe is full, and everything goes on."""
    configuration = tmp_path / "earwitness.yaml"
    plain = {"web": {"enabled": False}, "classifiers": [], "state_dir": str(tmp_path / "state")}
    plain["log"] = {"level": "debug"}
    configuration.write_text(yaml.safe_dump({**config(broker, ENDLESS), **plain}))
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "monitor", "run", "--config", str(configuration)]
    with Subscriber(broker) as listener, subprocess.Popen(command, stderr=writing) as process:
        try:
            listener.wait_for("earwitness/home/demo/status", "online")
            _fill(writing)
            listener.say("earwitness/home/demo/mute/set", "ON")
            listener.wait_for("earwitness/home/demo/mute", "ON")
            listener.say("earwitness/home/test/set", "PRESS")
            listener.wait_for("earwitness/home/alert")
            process.terminate()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            os.close(reading)
            os.close(writing)
        listener.wait_for("earwitness/home/status", "offline")


def _fill(pipe: int) -> None:
    """Write until not a byte more fits; through a description of its own, for the other's stays blocking."""
    full = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(full, b" ")
    os.close(full)


def test_a_closed_terminal_ends_the_daemon_in_order(broker, tmp_path):
    """The window is closed: open events end, and the exit code is 0."""
    configuration = tmp_path / "earwitness.yaml"
    plain = {"web": {"enabled": False}, "classifiers": [], "state_dir": str(tmp_path / "state")}
    configuration.write_text(yaml.safe_dump({**config(broker, ENDLESS), **plain}))
    master, slave = os.openpty()
    # A leader of a session gets the first terminal that it opens as its own.
    script = f'exec <{os.ttyname(slave)}; exec "$@"'
    command = ["sh", "-c", script, "sh", sys.executable, "-m", "monitor", "run", "-c", str(configuration)]
    with Subscriber(broker) as listener, (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # Whoever runs the tests under nohup has it ignored, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        try:
            listener.wait_for("earwitness/home/demo/status", "online")
            os.close(slave)
            os.close(master)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            process.wait()
        listener.wait_for("earwitness/home/status", "offline")
