"""HTTP requests that end: within a deadline for the whole call, and within a limit of bytes.

A timeout for each read is no bound: a server that sends one byte every two seconds holds its caller for ever,
and one that never stops sending fills the memory. Here one deadline covers the name look-up, the connection,
TLS, the request and the answer. Redirects are never followed: credentials and sound are for one host.
"""

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from monitor.errors import EarwitnessError

CONNECT_TIMEOUT_S = 10.0
"""For one address of a host. A host that does not accept within it does not answer later either."""
_CHUNK_BYTES = 1 << 16


Guard = Callable[[str], None]
"""Called with every IP address of a host before a connection to it, and with the one that was connected to
before anything is sent; raises an EarwitnessError where it must not be."""


class HttpFailed(EarwitnessError):
    """A call without a complete answer. The text is for a person and names neither address nor credentials:
    "cannot be reached", "no answer in time", "the connection broke"."""


class AnswerTooLarge(HttpFailed):
    """The server sends more than the caller takes; it would do so again."""


@dataclass(frozen=True, slots=True)
class Answer:
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
    ) -> Answer:
        """The answer to one request. `fields` are sent as a multipart form; a file is (name, bytes, type).
        Blocks for at most `timeout_s`. Raises HttpFailed."""
        call = self._call(method, url, timeout_s, max_bytes, headers, body, fields)
        with closing(call.chunks()) as chunks:
            content = b"".join(chunks)
        return Answer(call.status, content, call.headers)

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
        call = self._call(method, url, timeout_s, max_bytes, headers, body, None)
        rest = b""
        with closing(call.chunks()) as chunks:
            for chunk in chunks:
                *lines, rest = (rest + chunk).split(b"\n")
                yield from ((call.status, line.rstrip(b"\r")) for line in lines)
        if rest:
            yield call.status, rest

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
    ) -> "_Call":
        with self._lock:
            if self._pool is None:
                self._pool = _pool(self._connections)
            pool = self._pool
        # Without this a server may compress, and a small answer unpack to any size.
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        more: dict[str, Any] = {"fields": dict(fields)} if fields is not None else {"body": body}
        return _Call(pool, method, url, timeout_s, max_bytes, {"headers": sent, **more}, self._guard)


class _Call:
    """One request under way: a thread talks to the server, the caller takes what comes until the deadline."""

    def __init__(
        self,
        pool: Any,
        method: str,
        url: str,
        timeout_s: float,
        max_bytes: int,
        more: dict[str, Any],
        guard: Guard | None,
    ) -> None:
        self.status = 0
        self.guard = guard
        self.headers: dict[str, str] = {}
        self._ask = (pool, method, url, timeout_s, more)
        self._deadline_s = time.monotonic() + timeout_s
        self._max_bytes = max_bytes
        self._news: queue.Queue[bytes | BaseException | None] = queue.Queue(maxsize=16)
        self._sock: socket.socket | None = None
        self._abandoned = threading.Event()
        self._finished = False
        threading.Thread(target=self._run, name="http", daemon=True).start()

    def chunks(self) -> Generator[bytes, None, None]:
        """What the server sends, until it has sent everything. HttpFailed at the deadline or the limit."""
        size = 0
        try:
            while (news := self._next()) is not None:
                size += len(news)
                if size > self._max_bytes:
                    raise AnswerTooLarge(f"answered with over {_mib(self._max_bytes)} MiB")
                yield news
        finally:
            self._abandon()

    def watch(self, sock: socket.socket | None) -> None:
        """Called by the connection with the socket in use, to be shut down at the deadline."""
        self._sock = sock
        if self._abandoned.is_set():
            self._shut()

    def _next(self) -> bytes | None:
        try:
            news = self._news.get(timeout=max(0.0, self._deadline_s - time.monotonic()))
        except queue.Empty:
            raise HttpFailed("no answer in time") from None
        if isinstance(news, BaseException):
            raise news
        return news

    def _abandon(self) -> None:
        self._abandoned.set()
        if not self._finished:
            self._shut()

    def _shut(self) -> None:
        if (sock := self._sock) is not None:
            with suppress(OSError, ValueError):
                sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        _current.call = self
        end: BaseException | None = None
        try:
            self._exchange()
        except Exception as error:  # noqa: BLE001 - of whatever kind, it is the caller's to raise
            end = _failed(error)
        _current.call = None
        self._finished = True
        self._put(end)

    def _exchange(self) -> None:
        import urllib3

        pool, method, url, timeout_s, more = self._ask
        response = pool.request(
            method,
            url,
            timeout=urllib3.Timeout(connect=min(CONNECT_TIMEOUT_S, timeout_s), read=timeout_s),
            retries=False,
            redirect=False,
            preload_content=False,
            **more,
        )
        try:
            self.headers = {name.lower(): value for name, value in response.headers.items()}
            self.status = response.status
            while not self._abandoned.is_set() and (chunk := response.read1(_CHUNK_BYTES)):
                self._put(chunk)
        except BaseException:
            response.close()
            raise
        # A connection with an answer half read on it must not go back to the others.
        (response.close if self._abandoned.is_set() else response.release_conn)()

    def _put(self, news: bytes | BaseException | None) -> None:
        while not self._abandoned.is_set():
            try:
                self._news.put(news, timeout=0.5)
            except queue.Full:
                continue
            return


class _Current(threading.local):
    call: _Call | None = None


_current = _Current()


def _pool(connections: int) -> Any:
    """A pool of connections that show their socket to the call of their thread."""
    import urllib3
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Plain(HTTPConnection):
        def request(self, *args: Any, **more: Any) -> None:
            _watch(self.sock)
            super().request(*args, **more)

        def connect(self) -> None:
            _guard_host(self.host)
            super().connect()
            _watch(self.sock)
            _guard_peer(self.sock)

    class Secure(HTTPSConnection):
        def request(self, *args: Any, **more: Any) -> None:
            _watch(self.sock)
            super().request(*args, **more)

        def connect(self) -> None:
            _guard_host(self.host)
            super().connect()
            _watch(self.sock)
            _guard_peer(self.sock)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    manager = urllib3.PoolManager(maxsize=connections, retries=False)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager


def _watch(sock: socket.socket | None) -> None:
    if _current.call is not None:
        _current.call.watch(sock)


def _guard_host(host: str) -> None:
    """Here, on the call's own thread, a name server that hangs cannot hold the caller past its deadline."""
    if _current.call is None or (guard := _current.call.guard) is None:
        return
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HttpFailed(f"no such host ({error.strerror})") from error
    for entry in found:
        guard(str(entry[4][0]).partition("%")[0])


def _guard_peer(sock: socket.socket) -> None:
    if _current.call is not None and _current.call.guard is not None:
        _current.call.guard(str(sock.getpeername()[0]).partition("%")[0])


def _failed(error: Exception) -> Exception:
    """What went wrong on the way, in words that hold no address; a bug of ours stays what it is."""
    import urllib3

    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return HttpFailed("no answer in time")
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return HttpFailed("no such host")
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return HttpFailed("cannot be reached")
    if isinstance(error, urllib3.exceptions.SSLError):
        return HttpFailed("its TLS certificate is not accepted, or it does not speak TLS")
    if isinstance(error, urllib3.exceptions.LocationParseError | urllib3.exceptions.LocationValueError):
        return HttpFailed("has no valid address")
    if isinstance(error, urllib3.exceptions.HTTPError | OSError):
        return HttpFailed("the connection broke")
    return error


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:g}"


def json_body(value: Any) -> bytes:
    """`value` as strict JSON: what is not finite raises ValueError here and not in the server."""
    return json.dumps(value, allow_nan=False).encode()
