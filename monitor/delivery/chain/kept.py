"""What is remembered of the silent tests: when they began here, and how the last one ended."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.clock import instant
from monitor.logs import Lapse
from monitor.store.kept_file import KeptFile

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
    """The file. Never raises for a disk: what it does not take is logged once, remembered until the end, and
    written when it takes it again. One thread, which may wait for a disk."""

    def __init__(self, folder: Path) -> None:
        self._file = KeptFile(
            folder / FILE,
            "when the chain was tested is not known any more",
            Lapse(
                "the silent test of the chain is not being kept", "the silent test of the chain is kept again"
            ),
        )

    def read(self) -> ChainState | None:
        """What was kept; None: nothing, or nothing that can be understood."""
        return self._file.read(_understood)

    def keep(self, kept: ChainState) -> None:
        """Whole or not at all."""
        self._file.write(_as_json(kept))

    def tend(self) -> None:
        """Write what the disk did not take before."""
        self._file.write_again()


def _understood(row: Any) -> ChainState:
    last = row["last_at"]
    return ChainState(
        instant(row["began_at"]), instant(last) if last else None, tuple(map(str, row["failures"]))
    )


def _as_json(kept: ChainState) -> dict[str, Any]:
    return {
        "began_at": kept.began_at.isoformat(),
        "last_at": kept.last_at.isoformat() if kept.last_at else None,
        "failures": kept.failures,
    }
