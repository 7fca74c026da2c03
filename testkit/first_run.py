"""A machine on which earwitness was never run: no configuration, two microphones, somebody's phone."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from testkit.mosquitto import free_port
from testkit.visit import Visit, wait_for_port

WITHIN_S = 90.0


class FirstRun:
    """`earwitness run` without a configuration, in a home of its own; its page on a port of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.log = home / "log"
        self.visit = Visit(self.port, {"Host": f"localhost:{self.port}"})

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}/"

    @property
    def written(self) -> Path:
        """Where set-up writes."""
        return self.home / ".config/earwitness/earwitness.yaml"

    def start(self) -> None:
        """Returns when its page is there."""
        environment = {
            **os.environ, "HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"),
            "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "monitor", "run", "--port", str(self.port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd=self.home,
                start_new_session=True,
            )  # fmt: skip
        wait_for_port(self.port)

    def stop(self) -> None:
        """In order."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class NtfyPhone:
    """What somebody's phone was sent, as ntfy's server sees it."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self._changed = threading.Condition()

    def take(self, text: str) -> None:
        """A message."""
        with self._changed:
            self.received.append(text)
            self._changed.notify_all()

    def has_got(self, words: str, within_s: float) -> bool:
        """Whether a message with these words comes within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: any(words in one for one in self.received), within_s)

    def wait_for(self, words: str) -> str:
        """The first message with these words."""
        deadline_s = time.monotonic() + WITHIN_S
        with self._changed:
            while time.monotonic() < deadline_s:
                if found := next((one for one in self.received if words in one), None):
                    return found
                self._changed.wait(1)
        raise AssertionError(f"no message with {words!r}: {self.received}")


@contextmanager
def ntfy(phone: NtfyPhone) -> Iterator[str]:
    """A server of ntfy, as an address of Apprise."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            phone.take(body.decode())
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"ntfy://127.0.0.1:{server.server_address[1]}/alerts"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
