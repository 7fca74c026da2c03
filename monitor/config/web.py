"""How the page is reached (`web:`)."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from monitor.schema import Block, Port, Secret, Slug


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is not an address or network; write 10.0.0.2 or 10.0.0.0/24") from None


Network = Annotated[str, AfterValidator(_network)]


class ProxyConfig(Block):
    """A reverse proxy that has checked who the user is (Authelia, Authentik). earwitness trusts it."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "Remote-User"
    """The header with the name of the person."""
    addresses: Annotated[tuple[Network, ...], Field(min_length=1)]
    """Addresses of the proxy. earwitness trusts no other address."""
    admins: tuple[str, ...] = ()
    """Names of people who can change things. Empty: everybody whom the proxy lets through."""


class IngressConfig(Block):
    """A second port for Home Assistant's ingress. Home Assistant has already checked who the user is."""

    port: Port = 8099
    addresses: Annotated[tuple[Network, ...], Field(min_length=1)] = ("172.30.32.2/32",)
    """Address of the supervisor. Other addresses get no answer."""


_Root = Annotated[
    str, Field(max_length=100, pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(/\+)+(/[A-Za-z0-9_-]+)*$")
]


class NodesConfig(Block):
    """A page about many nodes (`#/nodes`): which ones run, what is wrong, which alerts wait, and what was
    heard last. It reads what the nodes publish on a broker, and publishes nothing."""

    broker: Slug | None = None
    """Name of the `mqtt` publisher whose broker is read. By default the first one."""
    topics: Annotated[tuple[_Root, ...], Field(max_length=8)] = ()
    """Topics on which nodes publish. Each `+` stands for a name. Use `homes/+/+` if homes pass their
    messages on to an operator's broker. By default `<topic_prefix>/+`."""


class WebConfig(Block):
    """The page. By default only this machine can open it. `host: 0.0.0.0` opens it to the network. It then
    asks for a password. The first visitor sets one, with a code from the log."""

    enabled: bool = True
    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8199
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$", max_length=200)] | None = None
    """Address at which others reach the page, such as `http://earwitness.local:8199`. Home Assistant links
    to it."""
    password: Secret | None = None
    """Password of people who can change things. By default the one that was set on the page."""
    viewer_password: Secret | None = None
    """Password of people who can only look."""
    viewers_hear: bool = False
    """true: people who can only look also hear clips and see spectrograms."""
    live_audio: bool = False
    """true: people who can change things can also listen to a source live. While somebody listens, the
    page shows it to everybody, and the log and the source's MQTT topic `listened` record it."""
    ask_model: bool = False
    """true: a classifier of type `remote` can be asked about the clip of an event. The clip goes to its
    server."""
    proxy: ProxyConfig | None = None
    """Let a reverse proxy identify users."""
    ingress: IngressConfig | None = None
    """Let Home Assistant identify users."""
    nodes: NodesConfig | None = None
    """Also show the other nodes on the broker. `nodes: {}` shows those below the same `topic_prefix`."""

    @property
    def address(self) -> str | None:
        """Where others reach the page; None where only this machine does, or nobody can know."""
        if not self.enabled or self.url:
            return self.url if self.enabled else None
        try:
            host = ipaddress.ip_address(self.host)
        except ValueError:
            return None if self.host == "localhost" else f"http://{self.host}:{self.port}"
        if host.is_loopback or host.is_unspecified:
            return None
        return f"http://[{host}]:{self.port}" if host.version == 6 else f"http://{host}:{self.port}"

    @model_validator(mode="after")
    def _consistent(self) -> "WebConfig":
        for secret in (self.password, self.viewer_password):
            if secret is not None and len(secret.get_secret_value()) < 8:
                raise ValueError("a password of the page needs 8 characters or more")
        return self
