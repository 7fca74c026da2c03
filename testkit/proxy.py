"""A reverse proxy on loopback that serves another address under a prefix, as nginx or an ingress does."""

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Self


class Proxy:
    """Takes `prefix` off every path, adds `headers` and hands on; a connection for each request."""

    def __init__(self, to_port: int, prefix: str, headers: Mapping[str, str]) -> None:
        self._to_port = to_port
        self._prefix = prefix.rstrip("/")
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.strays: list[str] = []
        """Paths outside the prefix that were asked for."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._listening.close()

    @property
    def address(self) -> str:
        """What a browser opens."""
        return f"http://localhost:{self.port}{self._prefix}/"

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                part = client.recv(65536)
                if not part:
                    return
                head += part
            head, _, body = head.partition(b"\r\n\r\n")
            method, path, rest = head.decode("latin-1").split(" ", 2)
            if not path.startswith(self._prefix + "/"):
                self.strays.append(path)
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            version, _, lines = rest.partition("\r\n")
            kept = [line for line in lines.split("\r\n") if not line.lower().startswith("connection:")]
            path = path.removeprefix(self._prefix)
            new = f"{method} {path} {version}\r\n{self._headers}Connection: close\r\n" + "\r\n".join(kept)
            with socket.create_connection(("127.0.0.1", self._to_port)) as server:
                server.sendall(new.encode("latin-1") + b"\r\n\r\n" + body)
                threading.Thread(target=_pour, args=(client, server), daemon=True).start()
                _pour(server, client)


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
