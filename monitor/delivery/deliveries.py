"""What became of a message on its way: when it was put, and when each receiver acknowledged it. Read-only."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monitor.errors import StoreError
from monitor.schema import kind_of

OUTBOX = "outbox.db"
"""In the state folder."""


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One message on one channel."""

    channel: str
    put_at: datetime
    delivered_at: datetime | None
    """None while it waits."""


def deliveries(file: Path, kind: str, id: str) -> list[DeliveryRecord]:
    """Every delivery of an alert (or an event that still waits) that the outbox remembers, oldest first; none
    where it has forgotten. `kind` is `alert` or `event`. Raises StoreError."""
    # The bodies begin like this (codec.encode); ten thousand of them at most are looked through.
    rows = _read(
        file,
        "SELECT channel, put_at_us, delivered_at_us FROM message JOIN delivery USING (number)"
        " WHERE substr(body, 1, ?) = ? ORDER BY number, channel",
        len(_beginning(kind, id)),
        _beginning(kind, id),
    )
    return [
        DeliveryRecord(channel, _at(put), _at(done) if done is not None else None)
        for channel, put, done in rows
    ]


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How one receiver keeps up."""

    waiting: int
    waits_since: datetime | None
    last_at: datetime | None
    """When it last acknowledged something that the outbox still remembers."""


def last_deliveries(file: Path) -> dict[str, ChannelState]:
    """Every channel that the outbox knows. Raises StoreError."""
    rows = _read(file, _STATES)
    return {
        channel: ChannelState(waiting, _at(since) if since else None, _at(last) if last else None)
        for channel, waiting, since, last in rows
    }


_STATES = """
    SELECT channel, sum(delivered_at_us IS NULL), min(CASE WHEN delivered_at_us IS NULL THEN put_at_us END),
        max(delivered_at_us)
    FROM message JOIN delivery USING (number) GROUP BY channel
"""


def _read(file: Path, sql: str, *values: object) -> list[Any]:
    if not file.exists():
        return []
    if found := kind_of(file):  # opened to read, a pipe waits for its writer without end
        raise StoreError(f"{file} is {found}, not a file; move it away")
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"{file}: {error}") from error


def _beginning(kind: str, id: str) -> str:
    return f'{{"kind":"{kind}","id":"{id}"'


def _at(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
