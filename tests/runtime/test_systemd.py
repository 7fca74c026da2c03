"""The notification protocol, against a socket like systemd's."""

import os
import socket
import time

from monitor.runtime.systemd import Systemd


def listening(address: str) -> socket.socket:
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(60)
    manager.bind(address)
    return manager


def test_the_manager_is_notified_in_its_own_words(tmp_path):
    """Ready, watchdog, status and stop arrive as single datagrams."""
    path = str(tmp_path / "notify")
    with listening(path) as manager:
        systemd = Systemd({"NOTIFY_SOCKET": path})
        systemd.ready()
        systemd.alive()
        systemd.status("2 sources\nonline")
        systemd.stopping()
        said = [manager.recv(1000) for _ in range(4)]
    assert said == [b"READY=1", b"WATCHDOG=1", b"STATUS=2 sources online", b"STOPPING=1"]


def test_a_reload_is_no_end_and_needs_no_watchdog_meanwhile(tmp_path):
    """Begun anew: the time of the reload, patience while models load, the watchdog as before, and no
    STOPPING. The next stop is sent."""
    path = str(tmp_path / "notify")
    with listening(path) as manager:
        systemd = Systemd({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000"})
        systemd.reloading()
        systemd.stopping()
        systemd.starting(within_s=90)
        systemd.ready()
        systemd.stopping()
        said = [manager.recv(1000) for _ in range(6)]
    reloading, microseconds = said[0].split(b"\nMONOTONIC_USEC=")
    assert reloading == b"RELOADING=1"
    assert 0 <= time.monotonic_ns() // 1000 - int(microseconds) < 60e6
    assert said[1:] == [
        b"EXTEND_TIMEOUT_USEC=90000000",
        b"WATCHDOG_USEC=90000000",
        b"WATCHDOG_USEC=60000000",
        b"READY=1",
        b"STOPPING=1",
    ]


def test_the_abstract_namespace_is_understood():
    """systemd may hand over a socket that has no file."""
    name = f"earwitness-test-{os.getpid()}"
    with listening("\0" + name) as manager:
        Systemd({"NOTIFY_SOCKET": "@" + name}).ready()
        assert manager.recv(1000) == b"READY=1"


def test_without_a_manager_nothing_happens():
    """Started from a terminal, or with the manager gone, the daemon goes on."""
    for environment in ({}, {"NOTIFY_SOCKET": "/nowhere/notify"}):
        manager = Systemd(environment)
        manager.ready()
        manager.alive()
        assert manager.watchdog_s is None


def test_the_watchdog_belongs_to_one_process():
    """WATCHDOG_USEC counts only for the process it names."""
    assert Systemd({"WATCHDOG_USEC": "30000000"}).watchdog_s == 30
    assert Systemd({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}).watchdog_s is None
    assert Systemd({}).watchdog_s is None
