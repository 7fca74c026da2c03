"""Servers that sources are tested against."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from testkit.pulse import PulseServer, sound_environment


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


@pytest.fixture(scope="session")
def sound_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The environment in which this test run looks for a sound server: none yet."""
    with sound_environment(tmp_path_factory.mktemp("pulse")) as directory:
        yield directory


@pytest.fixture
def sound_server(sound_directory: Path) -> Iterator[PulseServer]:
    """A running sound server with the microphones `hum` (a tone; the default) and `porch`."""
    server = PulseServer(sound_directory)
    server.start()
    yield server
    server.kill()
