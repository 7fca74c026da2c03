"""HTTP calls against servers that behave badly: real sockets on loopback."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from monitor.http.client import HttpClient, json_body
from monitor.http.errors import HttpFailed
from testkit.http_servers import asked, dripping, serving

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def silent(connection: socket.socket, closed: threading.Event) -> None:
    """Accepts and says nothing."""
    closed.wait()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-Slow: ", b""],
    ids=["body", "headers", "status line"],
)
def test_a_server_that_drips_is_given_up_at_the_deadline(client: HttpClient, start: bytes) -> None:
    """Each read gets a byte in time, the call does not end: the deadline is for the whole of it, and the
    connection is shut down, so that the thread that reads from it ends, too."""
    with serving(dripping(start, b"x")) as server:
        before_s = time.monotonic()
        with pytest.raises(HttpFailed, match="no answer in time"):
            client.request("GET", server.url, timeout_s=0.4, max_bytes=1 << 20)
        taken_s = time.monotonic() - before_s

        assert server.let_go.wait(60)
    assert taken_s >= 0.4


def test_an_endless_answer_is_cut_at_the_limit(client: HttpClient) -> None:
    """Not a byte of memory beyond what the caller allows for."""
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        serving(dripping(start, b"10000\r\n" + 65536 * b"x" + b"\r\n")) as server,
        pytest.raises(HttpFailed, match=r"answered with over 0\.5 MiB"),
    ):
        client.request("GET", server.url, timeout_s=30, max_bytes=1 << 19)


def test_a_silent_server_and_a_closed_port_are_distinguished(client: HttpClient) -> None:
    """One accepts and says nothing, at the other nobody listens."""
    with (
        serving(silent) as server,
        pytest.raises(HttpFailed, match="no answer in time"),
    ):
        client.request("GET", server.url, timeout_s=0.2, max_bytes=100)
    with pytest.raises(HttpFailed, match="cannot be reached"):
        client.request("GET", server.url, timeout_s=60, max_bytes=100)


def test_what_is_no_http_is_a_broken_connection(client: HttpClient) -> None:
    """The text names no address: it may be shown to anyone."""
    with (
        serving(lambda connection, closed: connection.sendall(b"SSH-2.0-x\r\n")) as server,
        pytest.raises(HttpFailed) as failed,
    ):
        client.request("GET", server.url + "?key=secret", timeout_s=60, max_bytes=100)
    assert str(failed.value) == "the connection broke"


def test_an_answer_comes_whole_and_its_connection_is_used_again(client: HttpClient) -> None:
    """Status, headers in lower case and content; the second request opens no second connection."""

    def serve(connection: socket.socket, closed: threading.Event) -> None:
        while request := asked(connection):
            assert b"Accept-Encoding: identity\r\n" in request
            connection.sendall(OK.replace(b"\r\n\r\n", b"\r\nRetry-After: 7\r\n\r\n"))

    with serving(serve) as server:
        answers = [client.request("GET", server.url, timeout_s=60, max_bytes=5) for _ in range(2)]
        client.close()
        assert server.connections == 1
    assert [(one.status, one.ok, one.content) for one in answers] == [(200, True, b"hello")] * 2
    assert answers[0].headers["retry-after"] == "7"


def test_a_redirect_is_an_answer_and_is_not_followed(client: HttpClient) -> None:
    """Credentials and sound are for the host that was named."""
    away = b"HTTP/1.1 307 Away\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"

    def serve(connection: socket.socket, closed: threading.Event) -> None:
        asked(connection)
        connection.sendall(away)

    with serving(serve) as server:
        answer = client.request("POST", server.url, timeout_s=60, max_bytes=100, body=b"x")
        client.close()
    assert (answer.status, answer.ok) == (307, False)


def test_lines_come_before_the_answer_ends(client: HttpClient) -> None:
    """A server-sent event is there as soon as its line is; the rest may take its time."""
    read = threading.Event()

    def serve(connection: socket.socket, closed: threading.Event) -> None:
        asked(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\ndata: 1\r\nda")
        assert read.wait(60)
        connection.sendall(b"ta: 2")

    with serving(serve) as server:
        lines = client.stream("GET", server.url, timeout_s=60, max_bytes=100)
        first = next(lines)
        read.set()
        assert [first, *lines] == [(200, b"data: 1"), (200, b"data: 2")]


def test_a_number_that_is_none_is_not_sent() -> None:
    """NaN is no JSON, whatever Python's own writer thinks."""
    with pytest.raises(ValueError, match="JSON"):
        json_body({"x": float("nan")})
