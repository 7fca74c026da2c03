"""What is remembered of the silent tests: when they began here, and how the last one ended."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor.clock import instant
from monitor.errors import StoreError
from monitor.logs import Lapse
from monitor.store.files import write_private

FILE = "chain.json"
"""In the state folder."""


@dataclass(frozen=True, slots=True)
class ChainState:
    """Without `last_at` no test has ended yet."""

    began_at: datetime
    """When a daemon first ran here: the first test is the next that is due after it."""
    last_at: datetime | None = None
    failures: tuple[str, ...] = ()
    """Why the last one failed; empty where it passed."""


class KeptChain:
    """The file. Never raises for a disk: what cannot be kept is remembered until the end, and logged once."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._lapse = Lapse(
            "the silent test of the chain is not being kept", "the silent test of the chain is kept again"
        )

    def read(self) -> ChainState | None:
        """What was kept; None: nothing, or nothing that can be understood."""
        try:
            row = json.loads(self._file.read_text(encoding="utf-8"))
            last = row["last_at"]
            return ChainState(
                instant(row["began_at"]),
                instant(last) if last else None,
                tuple(map(str, row["failures"])),
            )
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def keep(self, kept: ChainState) -> None:
        """Whole or not at all."""
        row = {
            "began_at": kept.began_at.isoformat(),
            "last_at": kept.last_at.isoformat() if kept.last_at else None,
            "failures": kept.failures,
        }
        try:
            write_private(self._file, json.dumps(row).encode())
        except StoreError as error:
            self._lapse.begin(why=str(error))
        else:
            self._lapse.end()
