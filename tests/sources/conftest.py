"""Servers that sources are tested against."""

import socket
import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def unused_listener() -> Iterator[tuple[str, list[object]]]:
    """An address that accepts connections and remembers who came: its URL, and their addresses."""
    connections: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    client, address = server.accept()
                    connections.append(address)
                    client.close()
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", connections
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
