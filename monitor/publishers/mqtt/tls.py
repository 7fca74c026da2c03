"""Encryption to a server, verified unless somebody says otherwise."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import model_validator

from monitor.errors import ConfigError
from monitor.schema import Block


class TlsConfig(Block):
    """Encryption to the broker. An empty block trusts the system's certificate authorities."""

    ca_file: Path | None = None
    """PEM file of the certificate authority to trust instead of the system's."""
    cert_file: Path | None = None
    """PEM file of our own certificate, for brokers that ask for one."""
    key_file: Path | None = None
    """PEM file of its key."""
    insecure: bool = False
    """Believe any certificate. Anyone in between can then read and forge everything."""

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
        problems: list[tuple[str, str]] = []
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
