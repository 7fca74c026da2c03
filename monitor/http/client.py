"""HTTP requests that end: what the rest of the program calls."""

import json
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from monitor.http.call import Exchange
from monitor.http.connections import Guard, pool_of


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete answer, whatever its status."""

    status: int
    content: bytes
    headers: Mapping[str, str]
    """Names in lower case."""

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked for (2xx)."""
        return 200 <= self.status < 300


class HttpClient:
    """Requests to servers over kept-alive connections. From any thread.

    Each request runs on a thread of its own, which the caller stops waiting for at the deadline; the
    connection is then shut down, which ends the thread.
    """

    def __init__(self, connections: int = 1, guard: Guard | None = None) -> None:
        self._connections = connections
        self._guard = guard
        self._lock = threading.Lock()
        self._pool: Any = None
        self._calls: WeakSet[Exchange] = WeakSet()

    def request(
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        """The answer to one request. `fields` are sent as a multipart form; a file is (name, bytes, type).
        Blocks for at most `timeout_s`. Raises HttpFailed."""
        call = self._call(method, url, timeout_s, max_bytes, headers, body, fields)
        with closing(call.chunks()) as chunks:
            content = b"".join(chunks)
        return HttpResponse(call.status, content, call.headers)

    def stream(
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Iterator[tuple[int, bytes]]:
        """The lines of an answer as they come, each with the answer's status, without their ends; for
        server-sent events. The same bounds. Raises HttpFailed."""
        rest, status = b"", 0
        asked = self.pieces(method, url, timeout_s=timeout_s, max_bytes=max_bytes, headers=headers, body=body)
        with closing(asked) as pieces:
            for status, piece in pieces:
                *lines, rest = (rest + piece).split(b"\n")
                yield from ((status, line.rstrip(b"\r")) for line in lines)
        if rest:
            yield status, rest

    def pieces(
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Generator[tuple[int, bytes], None, None]:
        """The bytes of an answer as they come, each piece with the answer's status; nothing of an empty one.
        The same bounds. Raises HttpFailed."""
        call = self._call(method, url, timeout_s, max_bytes, headers, body, None)
        with closing(call.chunks()) as chunks:
            for chunk in chunks:
                yield call.status, chunk

    def hang_up(self) -> None:
        """End every call under way: whoever waits for one gets HttpFailed. From any thread."""
        with self._lock:
            calls = list(self._calls)
        for call in calls:
            call.hang_up()

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.clear()

    def _call(
        self,
        method: str,
        url: str,
        timeout_s: float,
        max_bytes: int,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        fields: Mapping[str, Any] | None,
    ) -> Exchange:
        with self._lock:
            if self._pool is None:
                self._pool = pool_of(self._connections)
            pool = self._pool
        # Without this a server may compress, and a small answer unpack to any size.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        more: dict[str, Any] = {"fields": dict(fields)} if fields is not None else {"body": body}
        call = Exchange(pool, method, url, timeout_s, max_bytes, {"headers": sent, **more}, self._guard)
        with self._lock:
            self._calls.add(call)
        return call


def json_body(value: Any) -> bytes:
    """`value` as strict JSON: what is not finite raises ValueError here and not in the server."""
    return json.dumps(value, allow_nan=False).encode()
