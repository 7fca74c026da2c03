"""A JSON file of ours that may be lost: what cannot be read or written is logged once, and stops nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from monitor.errors import StoreError
from monitor.logs import Lapse, get_logger
from monitor.store.files import write_private

log = get_logger()

T = TypeVar("T")

_NOT_UNDERSTOOD = (OSError, ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)


class KeptFile:
    """One file, mode 0600. `lost` is logged when it cannot be understood, `lapse` while it cannot be written.
    Any thread, one at a time."""

    def __init__(self, path: Path, lost: str, lapse: Lapse) -> None:
        self._path = path
        self._lost = lost
        self._lapse = lapse
        self._unkept: Any = None

    def read(self, understood: Callable[[Any], T]) -> T | None:
        """What `understood` makes of the content; None where there is no file, or none that it can."""
        try:
            return understood(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except _NOT_UNDERSTOOD as error:
            log.warning(self._lost, reason=str(error), file=str(self._path))
            return None

    def write(self, content: Any) -> bool:
        """Keep the content, whole or not at all: whether the disk took it."""
        self._unkept = content
        try:
            write_private(self._path, json.dumps(content).encode())
        except StoreError as error:
            self._lapse.begin(reason=str(error), file=str(self._path))
            return False
        self._unkept = None
        self._lapse.end()
        return True

    def write_again(self) -> None:
        """Write what the disk did not take the last time, if anything."""
        if self._unkept is not None:
            self.write(self._unkept)
