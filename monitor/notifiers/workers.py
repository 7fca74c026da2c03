"""Work that can be ended: every receiver of Apprise has a worker, a process that is killed at its deadline.

Apprise has a time-out for each read and no limit for an answer. So a server that sends a byte every two
seconds would hold a thread for ever, with every alert behind it, and one that never stops sending would take
all memory. A thread cannot be ended; a process can.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

MAIN = Path(__file__).with_name("worker_main.py")
LOADING_S = 60.0
"""What loading Apprise and its plug-ins may take on a small board that does other things, too."""
GRACE_S = 2.0
"""The kernel ends a worker at its deadline; so much later it is given up in any case."""
LEAVE_S = 1.0
"""What a message on its way gets when the notifier closes."""
_MOST_ANSWER = 1 << 16


class WorkerHost:
    """The process that loads Apprise once, and of which every worker is a fork. It begins with the first
    worker and ends, with all workers, when the last receiver has left or this process ends. Methods may be
    called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._receivers = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def join(self) -> None:
        """A receiver will want workers."""
        with self._lock:
            self._receivers += 1

    def leave(self) -> None:
        """It wants no more."""
        with self._lock:
            self._receivers -= 1
            if not self._receivers:
                self._end()

    def new_worker(self) -> socket.socket:
        """A connection to a new worker, which ends when that is closed. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            with theirs, self._lock:
                self._send(theirs)
        except OSError:
            ours.close()
            raise
        return ours

    def _send(self, connection: socket.socket) -> None:
        """To the host; where that has ended, to a new one."""
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._begin()
        assert self._control is not None
        socket.send_fds(self._control, [b"."], [connection.fileno()])

    def _begin(self) -> None:
        self._control, theirs = socket.socketpair()
        path = os.pathsep.join(place for place in sys.path if place)
        with theirs:
            self._process = subprocess.Popen(
                # Without the file's own folder on the path: it has an apprise.py, which is not Apprise.
                [sys.executable, "-P", str(MAIN)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )

    def _end(self) -> None:
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(LEAVE_S)


HOST = WorkerHost()


class NotifierWorker:
    """What sends to one receiver. `send` from one thread at a time; the rest from any."""

    def __init__(self, url: str, timeout_s: float, host: WorkerHost = HOST) -> None:
        self._receiver = {"url": url, "timeout_s": timeout_s}
        self._timeout_s = timeout_s
        self._host = host
        self._busy = threading.Lock()
        self._connection: socket.socket | None = None
        self._is_open = self._is_loaded = False

    def open(self) -> None:
        """Have Apprise loaded for the first message. Waits for nothing."""
        self._host.join()
        self._is_open = True
        with self._busy, suppress(OSError):
            self._connect()

    def close(self) -> None:
        """A message on its way gets a second."""
        if not self._is_open:
            return
        self._is_open = False
        if self._busy.acquire(timeout=LEAVE_S):
            self._disconnect()
            self._busy.release()
        self._host.leave()

    def send(self, message: dict[str, Any]) -> str:
        """Send `body`, `title` and `notify_type` of Apprise to the service, with `query` put on its URL, and
        `picture` (base64, PNG) under its `picture_name`. Returns why that failed, in
        Apprise's words, which may hold secrets of the URL; empty if it succeeded. Blocks for at most
        `timeout_s`, and until Apprise is loaded."""
        with self._busy:
            try:
                return self._asked(message)
            except OSError as error:
                # Whatever comes of it later would be taken for the answer to the next.
                self._disconnect()
                return str(error)

    def _asked(self, message: dict[str, Any]) -> str:
        if not self._is_open:
            raise OSError("the notifier is closed")
        if self._is_loaded and self._connection is not None and _has_ended(self._connection):
            self._disconnect()  # it ended while it was idle, as when the system was short of memory
        connection = self._connection or self._connect()
        if not self._is_loaded:
            if why := _answer(connection, LOADING_S, time.monotonic()):
                raise OSError(why)
            self._is_loaded = True
        # Taken before the worker's own clock begins, or one that gave up in time would look broken.
        asked_s = time.monotonic()
        _write(connection, {**message, "within_s": self._timeout_s})
        return _answer(connection, self._timeout_s, asked_s)

    def _connect(self) -> socket.socket:
        self._connection = connection = self._host.new_worker()
        self._is_loaded = False
        _write(connection, self._receiver)
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _write(connection: socket.socket, document: dict[str, Any]) -> None:
    connection.settimeout(GRACE_S)
    connection.sendall(json.dumps(document).encode() + b"\n")


def _answer(connection: socket.socket, within_s: float, asked_s: float) -> str:
    """The worker's complaint; empty where it has none. Raises OSError for a worker without an answer."""
    line = b""
    while not line.endswith(b"\n"):
        news = _received(connection, asked_s + within_s + GRACE_S - time.monotonic())
        if not news:
            is_late = time.monotonic() - asked_s >= within_s
            raise OSError(f"no answer within {within_s:g} s" if is_late else "its process broke down")
        line += news
    answer = json.loads(line)
    return "" if answer["taken"] else answer["why"] or "not taken"


def _received(connection: socket.socket, within_s: float) -> bytes:
    """Nothing when it was closed or the time is up."""
    connection.settimeout(max(0.01, within_s))
    with suppress(TimeoutError, ConnectionError):
        return connection.recv(_MOST_ANSWER)
    return b""


def _has_ended(connection: socket.socket) -> bool:
    """Whether an idle worker is gone: it speaks only when it is asked."""
    connection.settimeout(0)
    with suppress(BlockingIOError):
        return not connection.recv(1, socket.MSG_PEEK)
    return False
