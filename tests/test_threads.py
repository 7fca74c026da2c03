"""No thread ends without being missed: the daemon ends with it, and systemd starts another."""

import ctypes
import threading
from pathlib import Path

import pytest
import yaml

from monitor.app import Daemon
from monitor.config.loading import load_config
from testkit.mosquitto import Mosquitto, Subscriber

THREADS = (
    "classify-embedded",
    "decide",
    "escalate",
    "housekeeping",
    "json-states",
    "listen-demo",
    "mqtt",
    "outbox-flush",
    "outbox-write",
    "send-json",
    "send-mqtt",
    "settings-kept",
)
LONGEST_S = 120.0


def configuration(broker: Mosquitto, folder: Path) -> Path:
    """A room with alarms, two receivers, and nothing that another test would be in the way of."""
    file = folder / "earwitness.yaml"
    whole = {
        "node": "home",
        "state_dir": str(folder / "state"),
        "web": {"enabled": False},
        "sources": [{"type": "demo", "name": "demo", "speech": False}],
        "publishers": [
            {"type": "mqtt", "host": "127.0.0.1", "port": broker.port},
            {"type": "jsonl", "name": "json", "path": str(folder / "lines.jsonl"), "everything": True},
        ],
    }
    file.write_text(yaml.safe_dump(whole))
    return file


def end(name: str, but: set[threading.Thread]) -> None:
    """SystemExit in the thread of that name, which Python alone would ignore; not in one that an earlier
    daemon left behind."""
    [thread] = [each for each in threading.enumerate() if each.name == name and each not in but]
    assert thread.ident is not None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))


@pytest.mark.parametrize("name", THREADS)
def test_the_daemon_ends_with_a_thread_that_ends(name: str, tmp_path: Path) -> None:
    """Whatever thread it is, and although what ended it is no error: `run` raises, with what it was."""
    over, before = threading.Event(), set(threading.enumerate())
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as house:

        def keep_busy(daemon: Daemon) -> None:
            """A thread that sleeps ends when it is woken: by a test alert, by settings."""
            house.say("earwitness/home/test/set", "PRESS")
            for number in range(round(LONGEST_S / 0.2)):
                house.say("earwitness/home/demo/mute/set", ("ON", "OFF")[number % 2])
                if over.wait(0.2):
                    return
            daemon.stop()  # and so it is not raised

        with Daemon(load_config(configuration(broker, tmp_path))) as daemon:
            end(name, before)
            busy = threading.Thread(target=keep_busy, args=(daemon,))
            busy.start()
            try:
                with pytest.raises(RuntimeError, match="a thread was ended by SystemExit"):
                    daemon.run()
            finally:
                over.set()
                busy.join()
