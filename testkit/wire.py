"""A wire to a server on loopback that can be cut, mended, and made deaf."""

import contextlib
import socket
import threading
from typing import Self


class Wire:
    """Forwards connections on `port` to a server's port; every byte takes `delay_s` each way."""

    def __init__(self, server_port: int, delay_s: float = 0.0) -> None:
        self.port = 0
        self.connections = 0
        self._server_port = server_port
        self._delay_s = delay_s
        self._cut = threading.Event()
        self._deaf = threading.Event()
        self._buried = threading.Event()
        self._listening: socket.socket | None = None
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.mend()
        return self

    def __exit__(self, *exc: object) -> None:
        self.cut()

    def mend(self) -> None:
        """Take connections (again, on the same port), both ways."""
        self._deaf.clear()
        self._cut.clear()
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        self._start(self._accept, self._listening)

    def deafen(self) -> None:
        """From now on what the server answers is lost on the way."""
        self._deaf.set()

    def bury(self) -> None:
        """What is connected now stays open and hears nothing any more, as behind a proxy whose other end is
        gone; who connects from now on is served."""
        buried, self._buried = self._buried, threading.Event()
        buried.set()

    def cut(self) -> None:
        """Drop every connection and take no more, until mended."""
        self._cut.set()
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for end in self._ends:
            end.close()
        self._ends.clear()
        self._threads.clear()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self.connections += 1
                self._ends += [client, server]
                self._start(self._forward, client, server, self._buried)
                self._start(self._forward, server, client, self._buried, self._deaf)

    def _forward(self, one: socket.socket, other: socket.socket, *deaf: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self._cut.wait(self._delay_s)
                if not any(each.is_set() for each in deaf):
                    other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
