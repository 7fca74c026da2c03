"""What a drill found, as it is kept for ever."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.clock import instant
from monitor.errors import StoreError
from monitor.schema import read_file
from monitor.store.files import write_private
from monitor.types import new_id

FILE = "drills.json"
REQUEST = "drill-request.json"
AFTERWARDS_S = 60.0
"""After the drill has closed: receivers acknowledge, events reach their last state, and the room is heard
without the alarm. Where dishes rattle, the margin is the more exact the more of them is heard."""
OVERDUE_DAYS = 35.0
"""Alarm makers ask for a test a month; a few days more are no neglect."""
LOW_MARGIN_DB = 6.0
"""A closed door costs more."""
ONE_FIGURE_DB = 6.0
"""An alarm that is lost within so many dB has a margin of one figure: two steps of the measurement."""


@dataclass(frozen=True, slots=True)
class RoomReport:
    """How one source heard the alarm; everything but its name is None where it did not."""

    source: str
    pattern: str | None = None
    pitch_hz: int | None = None
    cycles: int | None = None
    suspected_s: float | None = None
    """From the first burst until the alarm was reported at all."""
    confirmed_s: float | None = None
    over_floor_db: float | None = None
    margin_db: float | None = None
    """How much quieter it could be on average."""
    margin_is_at_least: bool = False
    surely_db: float | None = None
    """So much quieter it is found in 9 of 10 draws of the room's noise; None in drills of before."""
    hardly_db: float | None = None
    """So much quieter it is lost in 9 of 10."""

    @property
    def heard(self) -> bool:
        """Whether the alarm was found here."""
        return self.pattern is not None

    @property
    def between_db(self) -> tuple[float, float] | None:
        """From where to where it is being lost, where no one figure would be true."""
        if (
            self.surely_db is None
            or self.hardly_db is None
            or self.hardly_db - self.surely_db <= ONE_FIGURE_DB
        ):
            return None
        return self.surely_db, self.hardly_db

    @property
    def margin_is_low(self) -> bool:
        """Whether what it surely has is less than a closed door costs."""
        surely_db = self.margin_db if self.between_db is None else self.between_db[0]
        return surely_db is not None and surely_db < LOW_MARGIN_DB


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One receiver and the test alert."""

    channel: str
    seconds: float | None
    """From the alert until it was acknowledged by the receiver; None while it waits."""


@dataclass(frozen=True, slots=True)
class DrillReport:
    """One drill."""

    id: str
    label: str
    began_at: datetime
    rooms: tuple[RoomReport, ...]
    ended_at: datetime | None = None
    """None while it goes on."""
    alert_ids: tuple[str, ...] = ()
    alerted_at: datetime | None = None
    deliveries: tuple[DeliveryReport, ...] = field(default=())

    @property
    def heard(self) -> int:
        """In how many rooms."""
        return sum(room.heard for room in self.rooms)

    def after_s(self, at: datetime) -> float | None:
        """From its first alert until a moment; None where none was raised."""
        return None if self.alerted_at is None else round((at - self.alerted_at).total_seconds(), 1)

    @property
    def coverage(self) -> str:
        """`3 of 4 rooms`."""
        return f"{self.heard} of {len(self.rooms)} rooms"


def read_drills(folder: Path) -> list[DrillReport]:
    """Every drill, oldest first. Raises StoreError when the file cannot be understood."""
    file = folder / FILE
    try:
        return [_report(row) for row in json.loads(read_file(file))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f"{file}: cannot be read ({error}); move it away to begin a new one") from error


def keep_drill(folder: Path, report: DrillReport) -> None:
    """Add a drill, or what is known of it now. Raises StoreError; then the file is as before."""
    others = [one for one in read_drills(folder) if one.id != report.id]
    rows = [asdict(one) for one in [*others, report]]
    write_private(folder / FILE, json.dumps(rows, indent=1, default=datetime.isoformat).encode())


def ask_drill(folder: Path, label: str, now: datetime) -> str:
    """Ask the daemon of a state folder for a drill: the id that it will have. Raises StoreError."""
    id = new_id()
    row = {"id": id, "label": label, "asked_at": now.isoformat()}
    write_private(folder / REQUEST, json.dumps(row).encode())
    return id


def drill_figures(drills: Sequence[DrillReport], now: datetime) -> dict[str, Any]:
    """For health and Home Assistant: the last drill in which any room heard something, and whether the next
    one is overdue."""
    done = [one for one in drills if one.ended_at is not None and one.heard]
    if not done:
        return {"last": None, "coverage": None, "overdue": True}
    last = done[-1]
    overdue = (now - last.began_at).total_seconds() > OVERDUE_DAYS * 86_400
    return {"last": last.began_at.isoformat(), "coverage": last.coverage, "overdue": overdue}


def _report(row: Mapping[str, Any]) -> DrillReport:
    def at(text: str | None) -> datetime | None:
        return None if text is None else instant(text)

    return DrillReport(
        id=str(row["id"]),
        label=str(row["label"]),
        began_at=instant(row["began_at"]),
        rooms=tuple(RoomReport(**room) for room in row["rooms"]),
        ended_at=at(row["ended_at"]),
        alert_ids=tuple(row["alert_ids"]),
        alerted_at=at(row["alerted_at"]),
        deliveries=tuple(DeliveryReport(**one) for one in row["deliveries"]),
    )
