"""What every recorded file gives, whoever reads it: its sound piece by piece, and whether it is whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from monitor.audio import Samples
from monitor.errors import SourceLost

TOLERATED_LOSS_S = 0.5
"""Encoders round, pad and prime, and tags are taken for sound: less than this missing is still whole."""


@dataclass(frozen=True, slots=True)
class RecordedSound:
    """A piece of a recording: mono samples at their native rate, after `lost_s` that are not there: a hole
    between timestamps, or sound that could not be decoded."""

    samples: Samples
    sample_rate_hz: int
    lost_s: float = 0.0


class Recording(Protocol):
    """One file. Entering opens it, at its beginning, and raises SourceUnavailable in one line when it is no
    recording. One of its sound tracks is read to the end, again after `rewind`. One thread."""

    @property
    def length_s(self) -> float:
        """As long as its header says that it is, once it is open; 0 where that is not known."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...

    def sounds(self) -> Iterator[RecordedSound]:
        """Its sound in order. A piece's `lost_s` is the length of sound that is missing before it. Raises
        SourceLost where the file breaks off."""
        ...

    def rewind(self) -> None:
        """Back to the beginning. Raises SourceLost when that cannot be, or when nothing was heard."""

    def check_whole(self) -> None:
        """Raises SourceLost when what was read was damaged, or less than the header promises."""


def check_heard(path: Path, heard_s: float) -> None:
    """Raises SourceLost when nothing at all was heard."""
    if not heard_s:
        raise SourceLost(f"{path}: holds no sound that can be decoded", for_good=True)


def check_promise(path: Path, heard_s: float, promised_s: float) -> None:
    """Raises SourceLost when much less was heard than the header promises; 0 is no promise."""
    missing_s = promised_s - heard_s
    if missing_s > max(TOLERATED_LOSS_S, 0.01 * heard_s):
        text = f"{path}: cut short, ends {missing_s:.1f} s before the end its header promises"
        raise SourceLost(text, for_good=True)
