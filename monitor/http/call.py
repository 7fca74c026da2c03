"""One request under way."""

import math
import queue
import socket
import threading
import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from monitor.http.connections import Guard, current
from monitor.http.errors import AnswerTooLarge, HttpFailed, NoAnswerInTime

CONNECT_TIMEOUT_S = 10.0
"""For one address of a host. A host that does not accept within it does not answer later either."""
_CHUNK_BYTES = 1 << 16


class Exchange:
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
        """What the server sends, until it has sent everything. HttpFailed at the deadline,
        AnswerTooLarge beyond the limit."""
        size = 0
        try:
            while (news := self._next()) is not None:
                size += len(news)
                if size > self._max_bytes:
                    raise AnswerTooLarge(f"answered with over {_mib(self._max_bytes)} MiB")
                yield news
        finally:
            self._abandon()

    def hang_up(self) -> None:
        """End it now; from any thread."""
        self._deadline_s = -math.inf
        self._abandon()
        with suppress(queue.Full):  # whoever takes from a full queue finds the deadline past
            self._news.put_nowait(HttpFailed("hung up"))

    def watch(self, sock: socket.socket | None) -> None:
        """Called by the connection with the socket in use, to be shut down at the deadline."""
        self._sock = sock
        if self._abandoned.is_set():
            self._shut()

    def _next(self) -> bytes | None:
        try:
            news = self._news.get(timeout=max(0.0, self._deadline_s - time.monotonic()))
        except queue.Empty:
            raise NoAnswerInTime("no answer in time") from None
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
        current.call = self
        end: BaseException | None = None
        try:
            self._exchange()
        except Exception as error:  # noqa: BLE001 - of whatever kind, it is the caller's to raise
            end = _failed(error)
        current.call = None
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


def _failed(error: Exception) -> Exception:
    """What went wrong on the way, in words that hold no address; a bug of ours stays what it is."""
    import urllib3

    if isinstance(error, urllib3.exceptions.TimeoutError | TimeoutError) and not isinstance(
        error, urllib3.exceptions.NewConnectionError
    ):
        return NoAnswerInTime("no answer in time")
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
