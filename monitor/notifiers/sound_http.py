"""Sound over HTTP: from a voice server, and to a media player."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from monitor.errors import PublishError
from monitor.http.client import HttpClient
from monitor.http.errors import AnswerTooLarge, HttpFailed
from monitor.schema import Secret

LARGEST_WAV = 8 << 20
"""Bytes; a minute and a half at 48 kHz, far more than an alert."""


def credentials(token: Secret | None) -> dict[str, str]:
    """The header with a bearer token; nothing without a token."""
    return {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}


def post(url: str, headers: dict[str, str], timeout_s: float, who: str, body: bytes) -> bytes:
    """The body of a 2xx answer, within `timeout_s` for the whole call and `LARGEST_WAV`. `who` names the
    server in the PublishError."""
    with closing(HttpClient()) as client, _named(who):
        answer = client.request(
            "POST", url, timeout_s=timeout_s, max_bytes=LARGEST_WAV, headers=headers, body=body
        )
    _check_status(answer.status, who)
    return answer.content


def pieces(url: str, headers: dict[str, str], timeout_s: float, who: str, body: bytes) -> Iterator[bytes]:
    """The body of a 2xx answer as it comes, within the same bounds."""
    with closing(HttpClient()) as client, _named(who):
        for status, piece in client.pieces(
            "POST", url, timeout_s=timeout_s, max_bytes=LARGEST_WAV, headers=headers, body=body
        ):
            _check_status(status, who)
            yield piece


@contextmanager
def _named(who: str) -> Iterator[None]:
    """What goes wrong on the way as a PublishError that names the server."""
    try:
        yield
    except AnswerTooLarge as error:
        raise PublishError(f"{who} {error}") from error
    except HttpFailed as error:
        raise PublishError(f"{who}: {error}; is it running?") from error


def _check_status(status: int, who: str) -> None:
    if not 200 <= status < 300:
        raise PublishError(f"{who} refused ({status}); check url and key")
