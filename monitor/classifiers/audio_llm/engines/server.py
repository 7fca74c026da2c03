"""Where a server is, and whether audio may go there."""

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from monitor.schema import Block, Seconds, Secret

_HOME_NAMES = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain")


class ServerOptions(Block):
    """Options of a block that sends audio to a server."""

    url: str
    """Base address of an OpenAI-compatible server, for example http://10.0.0.5:8000/v1."""
    model: str = Field(min_length=1)
    """The name under which the server serves the model."""
    api_key: Secret | None = None
    """Sent as a bearer token."""
    send_audio_off_site: bool = False
    """true: audio can leave your own network. false: a URL outside loopback and private ranges is an
    error."""
    send_speech: bool = False
    """true: also send segments with a voice in them. false: they are not sent."""
    timeout_s: Annotated[Seconds, Field(gt=0, le=3600)] = 30.0
    """Time limit of one answer. It includes connecting, all attempts, and the last byte."""
    retries: int = Field(default=2, ge=0, le=10)
    """Further attempts when the server is busy (429, 5xx) or the connection fails."""
    retry_wait_s: Seconds = 0.5
    """Time before the first further attempt. Before each next attempt it is doubled, with jitter."""
    concurrency: int = Field(default=4, ge=1, le=64)
    """How many requests can run at the same time."""
    give_up_after: int = Field(default=3, ge=1, le=100)
    """After so many failed requests in a row, the server gets no request for `rest_s`."""
    rest_s: Seconds = 60.0

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write the server's address as http://host:port/v1 or https://host/v1")
        if parts.username or parts.password:
            raise ValueError("write credentials as api_key, not in the URL")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _stays_home(self) -> Self:
        host = urlsplit(self.url).hostname or ""
        if not at_home(host):
            if not self.send_audio_off_site:
                raise ValueError(
                    f"{host} is outside your network; audio is sent there only with send_audio_off_site: true"
                )
            if not self.url.startswith("https:"):
                raise ValueError(f"{host} is outside your network; use https, so that nobody listens in")
        return self

    @property
    def audio_goes_to(self) -> str:
        """Which audio goes where, in words for `check` and the log."""
        host = urlsplit(self.url).hostname or ""
        place = "your own network" if at_home(host) else "OUTSIDE YOUR NETWORK"
        what = "sound, speech included" if self.send_speech else "sound without speech"
        return f"{what} goes to {host} ({place})"


def at_home(host: str) -> bool:
    """Whether a host is this machine or on a private network, by its address or the kind of its name."""
    try:
        return is_private(host)
    except ValueError:
        return "." not in host or host.lower().rstrip(".").endswith(_HOME_NAMES)


def is_private(address: str) -> bool:
    """Whether an IP address is this machine's or one of a private network. ValueError where it is none."""
    ip = ipaddress.ip_address(address)
    return ip.is_loopback or ip.is_link_local or (ip.is_private and not ip.is_unspecified)
