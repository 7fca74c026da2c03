"""Files that are there whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from monitor.errors import StoreError


def write_private(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all, even after a power cut, with mode 0600. Its folder
    is made if it is gone. Raises StoreError."""
    half = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(
            half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
    except OSError as error:
        with suppress(OSError):
            half.unlink()
        raise StoreError(f"{path}: {error.strerror}") from error
