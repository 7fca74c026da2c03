"""The sockets that the page is served by."""

import socket

import pytest

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
