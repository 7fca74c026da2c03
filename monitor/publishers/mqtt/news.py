"""Whom a session talks to, and what it learns there; no sockets."""

import ssl
from dataclasses import dataclass
from typing import Literal

MqttVersion = Literal["5", "3.1.1"]

_HEADER_BYTES = 16
"""Of a PUBLISH beside topic and payload: header, lengths, number and an empty list of properties, at most."""


@dataclass(frozen=True, slots=True)
class Address:
    """Whom to connect to and how. `tls` is a ready context; on `will_topic` the broker publishes `offline`
    when we die, without one it publishes nothing."""

    host: str
    port: int
    client_id: str
    will_topic: str | None
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 30

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Address({self})"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of a broker: that it keeps retained messages, and takes messages with this QoS."""

    retain: bool = True
    qos: Literal[0, 1] = 1


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker has taken us."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The broker has the message that `send` gave this number, or `refused` it by its policy."""

    number: int
    refused: str | None
    topic: str = ""
    too_large: bool = False
    """Refused for its size (MQTT 5, reason code 0x95)."""
    unheard: bool = False
    """Nobody subscribes to its topic (MQTT 5, reason code 0x10): the broker has thrown it away."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The broker does not let us subscribe."""

    reason: str
    topic_filter: str


@dataclass(frozen=True, slots=True)
class Ended:
    """Why a connection is over. `refused`: our credentials are not taken; `version`: the broker says that it
    does not speak this version of MQTT; `retain`, `qos`: it does not take a last will that is retained, or of
    this QoS; `silent`, `hung up`: it did so before it accepted us, perhaps for one of these; `lost`: anything
    that passes."""

    kind: Literal["refused", "version", "retain", "qos", "silent", "hung up", "lost"]
    reason: str
    fix: str = ""
    """What to set, where it is neither user name nor password."""


News = Accepted | Received | Acknowledged | Denied | Ended


def packet_bytes(topic: str, payload: bytes) -> int:
    """What a PUBLISH of it takes at most."""
    return _HEADER_BYTES + len(topic.encode(errors="replace")) + len(payload)


class Unsendable(Exception):
    """A topic or payload that MQTT cannot carry; no broker was asked."""


class TooLarge(Unsendable):
    """Larger than the packets that this broker takes: it would break the connection."""
