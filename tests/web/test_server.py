"""The sockets that the page is served by."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from monitor.web.http.patience import LARGEST_HEAD_BYTES, patient_protocol
from monitor.web.http.server import listen


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_what_is_sent_leaves_at_once(host: str) -> None:
    """Each connection that is accepted has it from the socket that listens."""
    with listen(host, 0) as listening, socket.create_connection(listening.getsockname()[:2]):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["earwitness..local", "x" * 70 + ".local"])
def test_a_name_that_no_resolver_takes_is_no_bug(host: str) -> None:
    """The page is off, with that as the reason, and the daemon goes on."""
    with pytest.raises(OSError, match="is no name of a host"):
        listen(host, 0)


@asynccontextmanager
async def served(request_s: float, most: int = 8) -> AsyncIterator[int]:
    """The port of a page that answers "ok"."""
    import uvicorn
    from uvicorn.server import ServerState

    async def ok(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    protocol = patient_protocol(request_s, most)
    config = uvicorn.Config(ok, http=protocol, ws="none", lifespan="off", log_config=None)
    state = ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(config, state, {}), "127.0.0.1", 0)
    async with server, asyncio.timeout(60):
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


HALF = b"GET / HTTP/1.1\r\nHo"


def test_a_request_that_is_never_whole_is_given_up() -> None:
    """Whoever sends it letter by letter holds a connection."""

    async def scene() -> bytes:
        async with served(request_s=0.2) as port, connected(port) as (reader, writer):
            writer.write(HALF)
            return await reader.read()

    assert asyncio.run(scene()) == b""


def test_a_later_request_that_is_never_whole_is_given_up() -> None:
    """A first one that was answered buys no more time. On a busy machine even that may come too late, and is
    sent again."""

    async def scene() -> bytes:
        async with served(request_s=0.2) as port:
            while True:
                async with connected(port) as (reader, writer):
                    writer.write(HALF + b"st: x\r\n\r\n")
                    with suppress(asyncio.IncompleteReadError, ConnectionError):
                        await reader.readuntil(b"ok")
                        writer.write(HALF)
                        return await reader.read()

    assert asyncio.run(scene()) == b""


def test_headers_without_end_are_given_up() -> None:
    """They would take the daemon's memory, long before their time is over."""

    async def scene() -> bytes:
        async with served(request_s=3600) as port, connected(port) as (reader, writer):
            writer.write(HALF + b"st: x\r\n" + b"X-More: and more\r\n" * (LARGEST_HEAD_BYTES // 18 + 1))
            with suppress(ConnectionError):
                return await reader.read()
            return b""

    assert asyncio.run(scene()) == b""
