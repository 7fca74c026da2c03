"""A certificate authority of our own for a test, made by openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: an authority, a server for 127.0.0.1 and localhost that it vouches for, and a client."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path) -> Certificates:
    """Everything new, valid for a day."""
    folder.mkdir(parents=True, exist_ok=True)
    ca, ca_key = folder / "ca.pem", folder / "ca.key"
    _openssl("req", "-x509", *_KEY, "-days", "1", "-subj", "/CN=test CA", "-keyout", ca_key, "-out", ca)
    server = _signed(folder, "server", ca, ca_key, "IP:127.0.0.1,DNS:localhost")
    client = _signed(folder, "client", ca, ca_key, "DNS:earwitness")
    return Certificates(ca, *server, *client)


def _signed(folder: Path, name: str, ca: Path, ca_key: Path, subject: str) -> tuple[Path, Path]:
    certificate, key, request = folder / f"{name}.pem", folder / f"{name}.key", folder / f"{name}.csr"
    extensions = folder / f"{name}.ext"
    extensions.write_text(f"subjectAltName={subject}\n")
    _openssl("req", *_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    signing = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-days", "1", "-extfile", extensions)
    _openssl("x509", "-req", "-in", request, *signing, "-out", certificate)
    return certificate, key


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
