"""Events with all that is said of them, to be taken away: a table, data, or a zip with clips and sums."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast
from zoneinfo import ZoneInfo

from monitor.clock import SystemClock
from monitor.errors import StoreError
from monitor.evidence.clips import ClipFile
from monitor.history import events as index
from monitor.history.events import EventFilter
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.verdicts import FILE as VERDICTS
from monitor.history.verdicts import Verdicts
from monitor.web.files import KeptFiles
from monitor.web.house_time import HouseTime
from monitor.web.trying.child import Write, line
from monitor.web.views import EventView, event_views

ExportFormat = Literal["csv", "json", "zip"]
MOST_EXPORTED = 5000
MOST_CLIPS_BYTES = 200_000_000
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Exporting:
    """Which events, and as what. What it writes begins with a line `{"ready": true}`."""

    folder: Path
    zone: str
    wanted: EventFilter
    format: ExportFormat

    def work(self, write: Write) -> None:
        """Write them. Raises StoreError."""
        with Verdicts(self.folder, SystemClock()) as verdicts:
            shelf = _Shelf(
                verdicts,
                KeptFiles(self.folder / "evidence", SystemClock()),
                HouseTime(ZoneInfo(self.zone)),
            )
            events = list(self._events(shelf))
            if self.format == "csv":
                write(line({"ready": True}) + as_csv(events))
            elif self.format == "json":
                write(line({"ready": True}) + as_json(events))
            else:
                self._zip(write, events, shelf)

    def _events(self, shelf: "_Shelf") -> Iterator[EventView]:
        before, left = None, MOST_EXPORTED
        with History(self.folder / SCORES) as history:
            history.attach(self.folder / VERDICTS, "verdicts")
            with history.rows() as rows:
                while left > 0:
                    found = index.events(rows, self.wanted, before=before, limit=min(_AT_ONCE, left))
                    if not found:
                        return
                    yield from event_views(shelf, rows, found)
                    before, left = found[-1].cursor, left - len(found)

    def _zip(self, write: Write, events: list[EventView], shelf: "_Shelf") -> None:
        files = [file for event in events for file in shelf.files.by_event().get(event.id, [])]
        if sum(file.size_bytes for file in files) > MOST_CLIPS_BYTES:
            raise StoreError("the clips are more than 200 MB; choose fewer days or sounds")
        write(line({"ready": True}))
        with Archive(write) as archive:
            archive.put("events.csv", as_csv(events))
            archive.put("events.json", as_json(events))
            for file in files:
                archive.take(f"clips/{file.path.name}", file)


@dataclass(slots=True)
class _Shelf:
    verdicts: Verdicts
    files: KeptFiles
    time: HouseTime


class Archive:
    """A zip that is written as it grows; the last of its files has the SHA-256 sums of the others: whoever
    gets it can check that nothing was changed since."""

    def __init__(self, write: Write) -> None:
        self._archive = zipfile.ZipFile(cast("Any", _Pipe(write)), "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._sums = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is None:
            self._archive.writestr("SHA256SUMS", self._sums)
        self._archive.close()

    def put(self, name: str, content: bytes) -> None:
        """One more file."""
        is_packed = name.endswith((".flac", ".opus", ".png"))
        self._archive.writestr(name, content, zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED)
        self._sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"

    def take(self, name: str, file: ClipFile) -> None:
        """One more file of the evidence, unless it has just been let go."""
        try:
            content = file.path.read_bytes()
        except OSError:
            return
        self.put(name, content)


class _Pipe(io.RawIOBase):
    """A file that can only be written on."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._write(bytes(part))
        return len(part)


def as_json(events: list[EventView]) -> bytes:
    """All that is known of them."""
    rows = [event.model_dump(mode="json") for event in events]
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


_COLUMNS = ("id", "started_at", "ended_at", "source", "label", "certainty", "score", "classifier", "severity")


def as_csv(events: list[EventView]) -> bytes:
    """A line each."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([*_COLUMNS, "rules", "verdict", "it_was"])
    for event in events:
        verdict = event.verdict
        rules = "; ".join(dict.fromkeys(alert.rule for alert in event.alerts))
        own = [getattr(event, column) for column in _COLUMNS]
        table.writerow(
            [_cell(cell) for cell in (*own, rules, verdict and verdict.verdict, verdict and verdict.label)]
        )
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """A rule's name must not become a formula of a spreadsheet."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
