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
    """A reverse proxy that has checked who somebody is (Authelia, Authentik): its word is taken."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "Remote-User"
    """The header in which it names the person."""
    addresses: Annotated[tuple[Network, ...], Field(min_length=1)]
    """Addresses of the proxy; nobody else's word is taken."""
    admins: tuple[str, ...] = ()
    """Names that may change things; empty for everyone it lets through."""


class IngressConfig(Block):
    """A second port for Home Assistant's ingress, which has checked who somebody is."""

    port: Port = 8099
    addresses: Annotated[tuple[Network, ...], Field(min_length=1)] = ("172.30.32.2/32",)
    """The supervisor's address; nobody else is answered."""


_Root = Annotated[
    str, Field(max_length=100, pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*(/\+)+(/[A-Za-z0-9_-]+)*$")
]


class NodesConfig(Block):
    """A page over many nodes (`#/nodes`): who lives, what is wrong there, which alerts wait, what was heard
    last. It reads what they publish on a broker, and publishes nothing."""

    broker: Slug | None = None
    """Name of the `mqtt` publisher whose broker is read; by default the first."""
    topics: Annotated[tuple[_Root, ...], Field(max_length=8)] = ()
    """Where nodes publish, each `+` a name: `homes/+/+` where homes hand on to an operator's broker. By
    default `<topic_prefix>/+`."""


class WebConfig(Block):
    """The page. By default for this machine alone; `host: 0.0.0.0` opens it to the network, where it asks for
    a password: the first visitor sets one with a code from the log."""

    enabled: bool = True
    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    """Address to listen on."""
    port: Port = 8199
    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$", max_length=200)] | None = None
    """Address by which others reach the page, such as `http://earwitness.local:8199`: Home Assistant links
    to it."""
    password: Secret | None = None
    """Of whoever may change things; by default the one that was set on the page."""
    viewer_password: Secret | None = None
    """Of those who may only look."""
    viewers_hear: bool = False
    """Whether those who may only look also hear clips and see spectrograms."""
    live_audio: bool = False
    """Whether those who may change things can listen to a source live. While somebody does, everybody who
    looks at the page sees it, and so do the log and the source's MQTT topic `listened`."""
    ask_model: bool = False
    """Whether a classifier of type `remote` can be asked about the clip of an event: the clip goes to its
    server."""
    proxy: ProxyConfig | None = None
    """Let a reverse proxy say who somebody is."""
    ingress: IngressConfig | None = None
    """Let Home Assistant say who somebody is."""
    nodes: NodesConfig | None = None
    """Show the other nodes on the broker, too; `nodes: {}` those below the same `topic_prefix`."""

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
