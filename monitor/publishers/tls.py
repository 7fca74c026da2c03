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

    def context(self) -> ssl.SSLContext:
        """For a client. Raises ConfigError when a file cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:  # ssl.SSLError is one
            named = ", ".join(str(each) for each in (self.ca_file, self.cert_file, self.key_file) if each)
            raise ConfigError([f"mqtt: tls: cannot use {named}: {error.strerror or error}"]) from None
        context.sslsocket_class = _ClosedOnFailure
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class _ClosedOnFailure(ssl.SSLSocket):
    """paho lets go of a socket whose handshake failed without closing it: one more with every attempt."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise
