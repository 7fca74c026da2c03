"""Receivers that would hold or fill a process for ever, against real servers on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from monitor.notifiers.workers import MAIN, NotifierWorker, WorkerHost
from testkit.http_servers import SocketServer, asked, dripping, serving

MESSAGE = {"title": "Smoke", "body": "in the kitchen", "notify_type": "failure"}
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
WAIT_S = 30.0


MARK = "EARWITNESS_TEST_OF_WORKERS"


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> WorkerHost:
    monkeypatch.setenv(MARK, uuid4().hex)
    return WorkerHost()


def takes(connection: socket.socket, closed: threading.Event) -> None:
    asked(connection)
    connection.sendall(HEAD + b"Content-Length: 0\r\n\r\n")


drips = dripping(HEAD + b"X-Drip: ", b".")


def never_ends(connection: socket.socket, closed: threading.Event) -> None:
    asked(connection)
    connection.sendall(HEAD + b"\r\n")
    while not closed.is_set():
        connection.sendall(bytes(1 << 20))


@contextmanager
def worker(host: WorkerHost, server: SocketServer, timeout_s: float = WAIT_S) -> Iterator[NotifierWorker]:
    one = NotifierWorker(server.url.replace("http:", "json:"), timeout_s, host)
    one.open()
    try:
        yield one
    finally:
        one.close()


def processes() -> set[int]:
    """The host of this test and its workers."""
    mark = f"{MARK}={os.environ[MARK]}".encode()
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in environment.read_bytes().split(b"\0"):
                found.add(int(environment.parent.name))
    return found


def wait_for(fact: Callable[[], bool]) -> None:
    until_s = time.monotonic() + WAIT_S
    while not fact():
        assert time.monotonic() < until_s
        threading.Event().wait(0.02)


def test_a_message_is_taken(host: WorkerHost) -> None:
    """And the next by the same worker."""
    with serving(takes) as server, worker(host, server) as one:
        assert one.send(MESSAGE) == ""
        before = processes()
        assert one.send(MESSAGE) == ""
        assert processes() == before


def test_a_server_that_drips_holds_nobody(host: WorkerHost) -> None:
    """The time-out is the whole call's, and its worker ends with it; another's goes on."""
    with serving(drips) as dripping_one, serving(takes) as server, worker(host, server) as other:
        assert other.send(MESSAGE) == ""
        with worker(host, dripping_one, timeout_s=1.0) as one:
            assert one.send(MESSAGE) == "no answer within 1 s"
            assert one.send(MESSAGE) == "no answer within 1 s"
            assert other.send(MESSAGE) == ""
        wait_for(lambda: len(processes()) == 2)


def test_an_answer_without_end_does_not_fill_the_memory(host: WorkerHost) -> None:
    """The worker may take so much and no more; the daemon takes none of it."""
    with serving(never_ends) as server, worker(host, server) as one:
        assert one.send(MESSAGE) == "the answer is too large"


def test_whoever_is_killed_is_replaced(host: WorkerHost) -> None:
    """Worker and host, as when the system is short of memory: the next message is taken all the same."""
    with serving(takes) as server, worker(host, server) as one:
        assert one.send(MESSAGE) == ""
        for process in processes():
            os.kill(process, signal.SIGKILL)
        wait_for(lambda: one.send(MESSAGE) == "")


def test_nothing_is_left_when_the_last_has_gone(host: WorkerHost) -> None:
    """A worker in the middle of a call is no exception."""
    reached = threading.Event()

    def drips_and_says_so(connection: socket.socket, closed: threading.Event) -> None:
        reached.set()
        drips(connection, closed)

    with serving(drips_and_says_so) as server, worker(host, server) as one:
        call = threading.Thread(target=one.send, args=(MESSAGE,))
        call.start()
        assert reached.wait(WAIT_S)
        assert len(processes()) == 2
    call.join(WAIT_S)
    assert not call.is_alive()
    assert processes() == set()


RECEIVER = b'{"url": "json://localhost", "timeout_s": 1}\n'


UNFINISHED = (b"", RECEIVER[:9], RECEIVER, RECEIVER + b'{"body": "smoke')


def test_a_daemon_that_leaves_is_no_error() -> None:
    """Whenever it closes its end, also in the middle of a line: no traceback appears at its stop."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-P", str(MAIN)]
    # A session of its own: at its end the host kills its whole group.
    with (
        ours,
        subprocess.Popen(
            command, stdin=theirs.fileno(), stderr=subprocess.PIPE, start_new_session=True
        ) as host,
    ):
        theirs.close()
        for words in UNFINISHED:
            with _connected(ours) as left:
                left.sendall(words)
        with _connected(ours) as well:
            well.sendall(RECEIVER)
            assert json.loads(well.makefile().readline())["taken"]
            workers = Path(f"/proc/{host.pid}/task/{host.pid}/children")
            wait_for(lambda: len(workers.read_text().split()) == 1)
        ours.close()
        assert host.stderr is not None
        assert host.stderr.read() == b""


def _connected(control: socket.socket) -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        socket.send_fds(control, [b"."], [theirs.fileno()])
    return ours
