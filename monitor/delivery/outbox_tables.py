"""The tables of the outbox, and every change to them; the questions are in `outbox_queries`."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

MIGRATIONS = (
    """
    CREATE TABLE message (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        version INTEGER NOT NULL,
        worth INTEGER NOT NULL,
        detected_at_us INTEGER NOT NULL,
        put_at_us INTEGER NOT NULL,
        put_monotonic_us INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE TABLE delivery (
        channel TEXT NOT NULL,
        number INTEGER NOT NULL REFERENCES message (number),
        delivered_at_us INTEGER,
        again INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (channel, number)
    ) WITHOUT ROWID;
    CREATE INDEX delivery_of ON delivery (number);
    CREATE INDEX delivery_waiting ON delivery (channel, number) WHERE delivered_at_us IS NULL
    """,
    """
    CREATE TABLE going_on (
        id TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    ALTER TABLE delivery ADD COLUMN topic TEXT NOT NULL DEFAULT '';
    UPDATE delivery SET topic = coalesce((
        SELECT iif(
            json_extract(body, '$.kind') = 'alert', 'alert', json_extract(body, '$.source') || '/event'
        ) FROM message WHERE message.number = delivery.number AND json_valid(body)
    ), '');
    CREATE INDEX delivery_of_topic ON delivery (channel, topic, number) WHERE delivered_at_us IS NULL
    """,
    "ALTER TABLE message ADD COLUMN boot TEXT NOT NULL DEFAULT ''",
)
LIFE_SAFETY_WORTH = 6
"""The last to be shed. Below: alerts 3-5 and events 0-2 by severity."""
BODY = 5
"""Where the message itself is in the row of a message, without its number."""
_MESSAGE = "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_DELIVERY = "INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, ?, ?)"
_GOING_ON = "INSERT OR REPLACE INTO going_on VALUES (?, ?, ?)"
_EVERYTHING = (
    "SELECT * FROM message ORDER BY number",
    "SELECT * FROM delivery ORDER BY number",
    "SELECT * FROM going_on",
)
Rows = list[tuple[Any, ...]]
Statement = tuple[str, Rows]
"""SQL, and the rows that it was carried out for. It means the same on any copy of the tables."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows of every table."""

    messages: Rows = field(default_factory=list)
    deliveries: Rows = field(default_factory=list)
    going_on: Rows = field(default_factory=list)
    """Events that have begun and not ended, in their last published state."""

    def __bool__(self) -> bool:
        return bool(self.messages or self.deliveries or self.going_on)


class Transaction:
    """A connection in a transaction, and what changes there, to be carried out on a copy."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.statements: list[Statement] = []

    def change(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """Carry out `sql` for each of the rows: how many rows of the table that changed."""
        rows = list(rows)
        count = self.connection.executemany(sql, rows).rowcount if rows else 0
        if count:
            self.statements.append((sql, rows))
        return count

    def new_message(self, row: tuple[Any, ...]) -> int:
        """Insert a message under the next number, which the copy is to use, too."""
        number = self.connection.execute(_MESSAGE, (None, *row)).lastrowid
        assert number is not None
        self.statements.append((_MESSAGE, [(number, *row)]))
        return number


def repeat(connection: sqlite3.Connection, statements: Iterable[Statement]) -> None:
    """Carry out on this copy what a ledger noted."""
    for sql, rows in statements:
        connection.executemany(sql, rows)


def add(ledger: Transaction, row: tuple[Any, ...], channels: Sequence[str], topic: str) -> None:
    """A new message, with the next number, to be delivered to these channels."""
    number = ledger.new_message(row)
    ledger.change(_DELIVERY, [(channel, number, None, 0, topic) for channel in channels])


def give_up(ledger: Transaction, numbers: Sequence[int]) -> int:
    """Forget these messages; how many of them some channel still waited for."""
    waited = "SELECT EXISTS (SELECT 1 FROM delivery WHERE number = ? AND delivered_at_us IS NULL)"
    lost: int = sum(ledger.connection.execute(waited, (number,)).fetchone()[0] for number in numbers)
    rows = [(number,) for number in numbers]
    ledger.change("DELETE FROM delivery WHERE number = ?", rows)
    ledger.change("DELETE FROM message WHERE number = ?", rows)
    return lost


def delivered(ledger: Transaction, channel: str, number: int, at_us: int) -> None:
    """Keep it as delivered, so that `again` can find it."""
    sql = "UPDATE delivery SET delivered_at_us = ? WHERE channel = ? AND number = ?"
    ledger.change(sql, [(at_us, channel, number)])


def again(ledger: Transaction, channel: str, since_us: int) -> int:
    """What was delivered since then waits again: how many."""
    what = "delivered_at_us = NULL, again = again + 1"
    sql = f"UPDATE delivery SET {what} WHERE channel = ? AND delivered_at_us >= ?"  # noqa: S608 - of constants
    return ledger.change(sql, [(channel, since_us)])


def number_from(connection: sqlite3.Connection, number: int) -> None:
    """Let an empty store number its messages above `number`."""
    connection.execute("INSERT INTO sqlite_sequence VALUES ('message', ?)", (number,))


def forget(ledger: Transaction, channel: str, number: int) -> None:
    """One channel no longer needs it; gone when no channel does."""
    ledger.change("DELETE FROM delivery WHERE channel = ? AND number = ?", [(channel, number)])
    sql = "DELETE FROM message WHERE number = ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE number = ?)"
    ledger.change(sql, [(number, number)])


def keep_going_on(ledger: Transaction, id: str, version: int, body: str) -> None:
    """An event goes on, and this is its latest state."""
    ledger.change(_GOING_ON, [(id, version, body)])


def end(ledger: Transaction, id: str) -> None:
    """The event no longer goes on."""
    ledger.change("DELETE FROM going_on WHERE id = ?", [(id,)])


def everything(connection: sqlite3.Connection) -> Contents:
    """Every row, for `insert`."""
    return Contents(*(connection.execute(sql).fetchall() for sql in _EVERYTHING))


def insert(connection: sqlite3.Connection, contents: Contents) -> None:
    """Rows of `everything`, with their numbers."""
    repeat(
        connection,
        [(_MESSAGE, contents.messages), (_DELIVERY, contents.deliveries), (_GOING_ON, contents.going_on)],
    )


def replace(connection: sqlite3.Connection, contents: Contents) -> None:
    """Nothing but these rows."""
    for sql in ("DELETE FROM delivery", "DELETE FROM message", "DELETE FROM going_on"):
        connection.execute(sql)
    insert(connection, contents)
