"""Tries the service from inside, with the system's own Python: a line for each check."""

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

FAILED: list[str] = []
PAGE = "http://localhost:8199"
WITHIN_S = 240.0


def shell(command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, shell=True, capture_output=True, text=True).stdout.strip()


def unit(name: str) -> str:
    """A property of the service."""
    return shell(f"systemctl show earwitness -P {name}")


def ask(path: str, body: Any = None) -> bytes:
    """A page of it."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(PAGE + path, content, {"X-Earwitness": "1"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        found: bytes = answer.read()
    return found


def until(find: Callable[[], Any]) -> Any:
    """What is found, once it is there; None where it never is."""
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        try:
            if found := find():
                return found
        except (OSError, ValueError):
            pass
        time.sleep(0.5)
    return None


def check(words: str, holds: Any, seen: object = "") -> None:
    """A line."""
    if not holds:
        FAILED.append(words)
    print(f"{'ok    ' if holds else 'FAILED'} {words}{f': {seen}' if seen != '' else ''}", flush=True)


def alarm() -> Any:
    """The smoke alarm of the scene, with its alert and its clip."""
    events = json.loads(ask("/api/events?source=hall"))["events"]
    return next((one for one in events if one["alerts"] and one["clip"] and one["ended_at"]), None)


def main() -> None:
    """In the order of a life."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    init = Path("/proc/1/comm").read_text().strip()
    check("systemd is process 1", init == "systemd", shell("systemctl --version | head -1"))
    check("the service is ready", until(lambda: unit("ActiveState") == "active"), unit("SubState"))
    event = until(alarm)
    check("a smoke alarm is heard, an alert raised, a clip kept", event)
    pid = unit("MainPID")
    status = Path(f"/proc/{pid}/status").read_text()
    check("it has no capability", "CapEff:\t0000000000000000" in status)
    check("its system calls are filtered", "Seccomp:\t2" in status)
    check("it runs as a user of its own", "\nUid:\t0" not in status, shell(f"ps -o user= -p {pid}"))
    whatif = ask("/api/whatif", {"days": 1, "changes": ["dog_bark.onset=0.8"]})
    check("the page decides a day again, in a process of its own", b'"outcomes"' in whatif)
    check("the page packs the diary", ask("/api/export?format=zip").startswith(b"PK"))
    check("the page packs an event", ask(f"/api/events/{event['id']}/bundle").startswith(b"PK"))
    ask("/api/rules/0/test", {})
    check(
        "a reload leaves it active",
        not os.system("systemctl reload earwitness") and unit("ActiveState") == "active",
    )
    os.kill(int(pid), signal.SIGKILL)
    again = until(
        lambda: unit("MainPID") not in (pid, "0") and unit("ActiveState") == "active" and ask("/api/health")
    )
    check("systemd starts it again after a kill -9", again is not None, f"{unit('NRestarts')} restart")
    check("what it had heard is still there", until(lambda: ask(f"/api/events/{event['id']}")))
    os.system("systemctl stop earwitness")
    check("stopped in order", unit("Result") == "success" and unit("ExecMainStatus") == "0")


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError, LookupError, TypeError) as error:
        check("the rest could be tried", holds=False, seen=f"{error!r}")
    print(shell("systemd-analyze security earwitness | tail -1"))
    if FAILED:
        print(shell("journalctl --unit earwitness --no-pager --output cat | tail -60"))
