"""An ntfy server on loopback, as far as alerts and answers need one: publishing, attachments, streams.

https://docs.ntfy.sh/publish/ and https://docs.ntfy.sh/subscribe/api/
"""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

WAIT_S = 60.0


class NtfyServer(ThreadingHTTPServer):
    """Inside the `with` block; keeps every message, by topic, in the order of arrival."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.messages: list[dict[str, Any]] = []
        self.readers = 0
        self.token = ""
        """Where set, whoever reads a topic must show it."""
        self.changed = threading.Condition()
        self.closing = False
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.hang_up()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def wait_for(self, fact: Callable[[], bool]) -> None:
        """Wait until a change makes it so."""
        with self.changed:
            assert self.changed.wait_for(fact, WAIT_S), self.messages

    def on(self, topic: str) -> list[dict[str, Any]]:
        """What was published there."""
        with self.changed:
            return [each for each in self.messages if each["topic"] == topic]

    def publish(self, topic: str, message: str, **more: Any) -> None:
        """As anybody on the network can."""
        with self.changed:
            id = f"m{len(self.messages)}"
            self.messages.append({"id": id, "event": "message", "topic": topic, "message": message, **more})
            self.changed.notify_all()

    def hang_up(self) -> None:
        """End every stream."""
        with self.changed:
            self.closing = True
            self.changed.notify_all()


class _Handler(BaseHTTPRequestHandler):
    server: NtfyServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name[2:].lower(): text for name, text in self.headers.items() if name.startswith("X-")}
        topic = self.path.strip("/").split("?")[0]
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if topic:
            attachment = {"attachment": body} if body.startswith(b"\x89PNG") else {}
            text = query.get("message", "") if attachment else body.decode()
            self.server.publish(topic, text, **headers, **attachment, **_but(query, "message"))
        else:
            document = json.loads(body)
            self.server.publish(
                document["topic"], document["message"], **headers, title=document.get("title")
            )
        self._answer(200)
        self.wfile.write(b"{}")

    do_PUT = do_POST  # noqa: N815 - the library's name

    def do_GET(self) -> None:
        server = self.server
        if server.token and self.headers["Authorization"] != f"Bearer {server.token}":
            self._answer(403)
            self._line({"code": 40301, "http": 403, "error": "forbidden"})
            return
        topic = self.path.split("/")[1]
        since = parse_qs(urlsplit(self.path).query)["since"][0]
        with server.changed:
            seen = next((n + 1 for n, each in enumerate(server.messages) if each["id"] == since), 0)
            server.closing = False
            server.readers += 1
            server.changed.notify_all()
        self._answer(200)
        with suppress(OSError):
            self._stream(topic, seen)
        with server.changed:
            server.readers -= 1
            server.changed.notify_all()

    def _stream(self, topic: str, seen: int) -> None:
        self._line({"event": "open", "topic": topic})
        while (new := self._new(seen)) is not None:
            seen += len(new)
            self._line({"event": "keepalive", "topic": topic})
            for each in (each for each in new if each["topic"] == topic):
                self._line({name: each[name] for name in ("id", "event", "topic", "message")})

    def _new(self, seen: int) -> list[dict[str, Any]] | None:
        """What has come since, perhaps nothing; None where the stream is to end."""
        server = self.server
        with server.changed:
            server.changed.wait_for(lambda: server.closing or len(server.messages) > seen, 1.0)
            return None if server.closing else server.messages[seen:]

    def _line(self, document: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(document).encode() + b"\n")
        self.wfile.flush()

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _but(query: dict[str, str], name: str) -> dict[str, str]:
    return {key: text for key, text in query.items() if key != name}
