"""What people write of an MQTT broker in their configuration."""

import ssl
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from monitor.errors import ConfigError
from monitor.publishers.mqtt.news import Address
from monitor.schema import Block, Port, Secret, Slug, Switched, unreadable


class TlsConfig(Block):
    """Encryption of the connection to the broker. An empty block trusts the system's certificate
    authorities."""

    ca_file: Path | None = None
    """PEM file of the certificate authority to trust instead of the system's."""
    cert_file: Path | None = None
    """PEM file of our own certificate, for brokers that ask for one."""
    key_file: Path | None = None
    """PEM file of its key."""
    insecure: bool = False
    """true: accept any certificate. Anyone between here and the broker can then read and forge everything."""

    @model_validator(mode="after")
    def _key_needs_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is given without cert_file; give both")
        return self

    def problems(self) -> list[tuple[str, str]]:
        """Key and reason of every file that cannot be used."""
        return self._opened()[1]

    def context(self) -> ssl.SSLContext:
        """For a client. Raises ConfigError when a file cannot be used."""
        context, problems = self._opened()
        if problems:
            raise ConfigError([f"mqtt: tls.{key}: {reason}" for key, reason in problems])
        context.sslsocket_class = _ClosedOnFailure
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _opened(self) -> tuple[ssl.SSLContext, list[tuple[str, str]]]:
        """A context with the files that can be used, and the others."""
        problems = [
            (key, reason)
            for key in ("ca_file", "cert_file", "key_file")
            if (file := getattr(self, key)) and (reason := unreadable(file))
        ]
        if problems:  # OpenSSL would wait for a pipe for ever
            return ssl.create_default_context(), problems
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # ssl.SSLError is one
            problems.append(("ca_file", _reason(self.ca_file, error)))
            context = ssl.create_default_context()
        if self.cert_file:
            try:
                context.load_cert_chain(self.cert_file, self.key_file)
            except OSError as error:
                key = "key_file" if self.key_file and self.cert_file.is_file() else "cert_file"
                problems.append((key, _reason(getattr(self, key), error)))
        return context, problems


def _reason(file: Path | None, error: OSError) -> str:
    return f"cannot use {file}: {error.strerror or error}"


class _ClosedOnFailure(ssl.SSLSocket):
    """paho lets go of a socket whose handshake failed without closing it: one more with every attempt."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _check_release(version: object) -> object:
    if isinstance(version, float):  # YAML takes 2026.10 for the number 2026.1
        raise ValueError('write it in quotes, such as "2026.10": without them the 0 is lost')
    return version


_Release = Annotated[str, Field(pattern=r"^20\d\d\.\d{1,2}(\.\S{1,16})?$"), BeforeValidator(_check_release)]

_TopicPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$", max_length=64)]


def _check_bare(host: object) -> object:
    if isinstance(host, str) and ("://" in host or "/" in host or "@" in host):
        raise ValueError(
            "write the name or address alone, such as 192.168.1.2; port, user name and password have keys of "
            "their own, and `tls: {}` encrypts"
        )
    return host


OLDEST = "2024.11"
"""The first Home Assistant with discovery of whole devices."""


class MqttOptions(Switched):
    """How a broker is reached, and what is published there."""

    type: Literal["mqtt"]
    name: Slug = "mqtt"
    """Name of this publisher in logs and in the outbox."""
    host: Annotated[
        str,
        Field(min_length=1, max_length=253, pattern=r"^[^\s/@]+$"),
        BeforeValidator(_check_bare),
    ] = "127.0.0.1"
    """Name or address of the broker, without scheme and port."""
    port: Port | None = None
    """Default 1883, with `tls` 8883."""
    username: str | None = None
    """Name of this daemon at the broker."""
    password: Secret | None = None
    """Password for the broker. Write `${NAME}` to keep the secret out of the file."""
    tls: TlsConfig | None = None
    """Absent: not encrypted."""
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    """MQTT version; `auto` tries 5 and falls back to 3.1.1."""
    client_id: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Default `earwitness-<node>`."""
    topic_prefix: _TopicPath = "earwitness"
    """Topics are `<topic_prefix>/<node>/...`."""
    keepalive_s: Annotated[int, Field(ge=5, le=3600)] = 30
    """When the broker hears nothing of us for one and a half times this time, it publishes the last will."""
    homeassistant: bool = True
    """true: announce devices and entities to Home Assistant. When it returns, repeat what it may have
    missed."""
    homeassistant_version: _Release | None = None
    """Version of your Home Assistant, in quotes. From "2026.10" on it has a class for breaking glass.
    Older versions refuse this class. Without a version here the class is sound."""
    discovery_prefix: _TopicPath = "homeassistant"
    """The discovery prefix set in Home Assistant."""

    @model_validator(mode="after")
    def _password_needs_name(self) -> Self:
        if self.password is not None and self.username is None:
            raise ValueError("password is given without username; give both")
        return self

    def release(self) -> tuple[int, int]:
        """Year and month of the Home Assistant that is announced to; the oldest that is good for us where it
        is not known."""
        year, month = (self.homeassistant_version or OLDEST).split(".")[:2]
        return int(year), int(month)

    def address(self, node: str, will_topic: str) -> Address:
        """Whom to connect to. Raises ConfigError when a certificate file cannot be used."""
        return Address(
            host=self.host,
            port=self.port or (8883 if self.tls else 1883),
            client_id=self.client_id or f"earwitness-{node}",
            will_topic=will_topic,
            username=self.username,
            password=self.password.get_secret_value() if self.password else None,
            tls=self.tls.context() if self.tls else None,
            keepalive_s=self.keepalive_s,
        )
