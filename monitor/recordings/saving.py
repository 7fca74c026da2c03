"""Figures onto a disk that may be full."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from monitor.errors import StoreError


def saved(figure: Any, picture: Path, dpi: int) -> None:
    """Write a matplotlib figure. Raises StoreError where the disk does not take it; no half of it is left."""
    try:
        figure.savefig(picture, dpi=dpi, format=picture.suffix[1:] or "png")
    except OSError as error:
        if picture.is_file():
            with suppress(OSError):
                picture.unlink()
        raise StoreError(f"{picture}: cannot be written ({error.strerror or error})") from error
