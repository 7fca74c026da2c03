"""Connections that show their socket to the call of their thread, to be shut down at its deadline."""

import socket
import threading
from collections.abc import Callable
from typing import Any, Protocol

from monitor.http.errors import HttpFailed

Guard = Callable[[str], None]
"""Called with every IP address of a host before a connection to it, and with the one that was connected to
before anything is sent; raises an EarwitnessError where it must not be."""


class Watcher(Protocol):
    """The call that uses a connection."""

    guard: Guard | None

    def watch(self, sock: socket.socket | None) -> None:
        """Called with the socket in use."""


class _Current(threading.local):
    call: Watcher | None = None


current = _Current()
"""The call that each thread makes."""


class _WatchedConnection:
    """What both kinds of connections do beside urllib3's own: its class comes after this one."""

    host: str
    sock: Any

    def request(self, *args: Any, **more: Any) -> None:
        _watch(self.sock)
        super().request(*args, **more)  # type: ignore[misc]

    def connect(self) -> None:
        _guard_host(self.host)
        super().connect()  # type: ignore[misc]
        _watch(self.sock)
        _guard_peer(self.sock)


def pool_of(connections: int) -> Any:
    """A urllib3.PoolManager that keeps so many connections to each host."""
    import urllib3
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Plain(_WatchedConnection, HTTPConnection):
        pass

    class Secure(_WatchedConnection, HTTPSConnection):
        pass

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    manager = urllib3.PoolManager(maxsize=connections, retries=False)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager


def _watch(sock: socket.socket | None) -> None:
    if current.call is not None:
        current.call.watch(sock)


def _guard_host(host: str) -> None:
    """Here, on the call's own thread, a name server that hangs cannot hold the caller past its deadline."""
    if current.call is None or (guard := current.call.guard) is None:
        return
    try:
        found = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HttpFailed(f"no such host ({error.strerror})") from error
    for entry in found:
        guard(str(entry[4][0]).partition("%")[0])


def _guard_peer(sock: socket.socket) -> None:
    if current.call is not None and current.call.guard is not None:
        current.call.guard(str(sock.getpeername()[0]).partition("%")[0])
