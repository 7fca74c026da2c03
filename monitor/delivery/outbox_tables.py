"""The tables of the outbox, and every statement on them."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from monitor.errors import StoreError
from monitor.publishers.base import ALERTS
from monitor.store.database import Database

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
)
LIFE_SAFETY_WORTH = 6
"""The last to be shed. Below: alerts 3-5 and events 0-2 by severity."""
BODY = 5
"""Where the message itself is in the row of a message, without its number."""
_MESSAGE = "INSERT OR REPLACE INTO message VALUES (?, ?, ?, ?, ?, ?, ?)"
_DELIVERY = "INSERT OR REPLACE INTO delivery VALUES (?, ?, ?, ?, ?)"
_GOING_ON = "INSERT OR REPLACE INTO going_on VALUES (?, ?, ?)"
_EVERYTHING = (
    "SELECT * FROM message ORDER BY number",
    "SELECT * FROM delivery ORDER BY number",
    "SELECT * FROM going_on",
)
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Contents:
    """Rows of every table."""

    messages: Rows = field(default_factory=list)
    deliveries: Rows = field(default_factory=list)
    going_on: Rows = field(default_factory=list)
    """Events that have begun and not ended, as they were last told."""


def add(connection: sqlite3.Connection, row: tuple[Any, ...], channels: Sequence[str], topic: str) -> None:
    """A new message, with the next number, to be delivered to these channels."""
    number = connection.execute(_MESSAGE, (None, *row)).lastrowid
    connection.executemany(_DELIVERY, [(channel, number, None, 0, topic) for channel in channels])


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which undelivered messages are asked for. See `Outbox.waiting`."""

    channel: str
    version: int
    """The highest codec version that can be read."""
    limit: int
    skip: tuple[int, ...] = ()
    skip_topics: dict[str, int] = field(default_factory=dict)
    topic: str | None = None

    def parameters(self) -> dict[str, Any]:
        """For the statements below."""
        skip, skip_topics = json.dumps(self.skip), json.dumps(self.skip_topics)
        return {
            "channel": self.channel,
            "version": self.version,
            "limit": self.limit,
            "skip": skip,
            "skip_topics": skip_topics,
            "topic": self.topic,
        }


_SELECT = "SELECT message.number, worth, detected_at_us, put_at_us, put_monotonic_us, body, again"
_UNDELIVERED = """
    FROM delivery JOIN message ON message.number = delivery.number
    WHERE channel = :channel AND delivered_at_us IS NULL AND version <= :version
    AND delivery.number NOT IN (SELECT value FROM json_each(:skip))
    AND NOT EXISTS (
        SELECT 1 FROM json_each(:skip_topics) AS skipped
        WHERE skipped.key = topic AND delivery.number <= skipped.value
    )
"""
_OF_TOPIC = f"{_SELECT} {_UNDELIVERED} AND topic = :topic ORDER BY worth < 0, delivery.number LIMIT :limit"
_OF_OTHERS = f"{_SELECT} {_UNDELIVERED} AND topic <> :topic ORDER BY delivery.number LIMIT :limit"
_MOST_SEVERE = f"""
    {_SELECT} FROM delivery JOIN message ON message.number = delivery.number
    WHERE channel = :channel AND message.number IN (
        SELECT delivery.number {_UNDELIVERED} ORDER BY worth DESC, delivery.number LIMIT :limit
    )
    ORDER BY message.number
"""
"""All that waits is looked through: 60 ms for 100,000 messages, ten times what the outbox holds, so that an
index would cost every put more than it saves."""


def waiting(connection: sqlite3.Connection, wanted: Wanted) -> Rows:
    """Of one topic, or alerts and then events; each oldest first, tests after the other alerts."""
    parameters = wanted.parameters()
    if wanted.topic is not None:
        return connection.execute(_OF_TOPIC, parameters).fetchall()
    alerts = connection.execute(_OF_TOPIC, parameters | {"topic": ALERTS}).fetchall()
    left = parameters | {"topic": ALERTS, "limit": wanted.limit - len(alerts)}
    return alerts + connection.execute(_OF_OTHERS, left).fetchall()


def most_severe(connection: sqlite3.Connection, wanted: Wanted) -> Rows:
    """The most severe of all that wait, by number."""
    return connection.execute(_MOST_SEVERE, wanted.parameters()).fetchall()


def give_up(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Forget these messages; how many of them some channel still waited for."""
    waited = "SELECT EXISTS (SELECT 1 FROM delivery WHERE number = ? AND delivered_at_us IS NULL)"
    lost: int = sum(connection.execute(waited, (number,)).fetchone()[0] for number in numbers)
    erase(connection, numbers)
    return lost


def delivered(connection: sqlite3.Connection, channel: str, number: int, at_us: int) -> None:
    """Keep it as delivered, so that `again` can find it."""
    sql = "UPDATE delivery SET delivered_at_us = ? WHERE channel = ? AND number = ?"
    connection.execute(sql, (at_us, channel, number))


def again(connection: sqlite3.Connection, channel: str, since_us: int) -> int:
    """What was delivered since then waits again: how many."""
    sql = "UPDATE delivery SET delivered_at_us = NULL, again = 1 WHERE channel = ? AND delivered_at_us >= ?"
    return connection.execute(sql, (channel, since_us)).rowcount


def backlog(connection: sqlite3.Connection) -> dict[str, int]:
    """How many messages wait, by channel."""
    sql = "SELECT channel, COUNT(*) FROM delivery WHERE delivered_at_us IS NULL GROUP BY channel"
    return dict(connection.execute(sql).fetchall())


def next_number(connection: sqlite3.Connection) -> int:
    """The number that the next message will have, or a lower one."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
    return int(row[0]) + 1 if row else 1


def number_from(connection: sqlite3.Connection, number: int) -> None:
    """Let an empty store number its messages above `number`."""
    connection.execute("INSERT INTO sqlite_sequence VALUES ('message', ?)", (number,))


def old(
    connection: sqlite3.Connection, ours_from: int, now_monotonic_us: int, now_us: int, age_us: int
) -> list[int]:
    """Messages older than that: this run's (numbered from `ours_from`) by the monotonic clock, an earlier
    run's by whichever clock makes them younger. An alarm that waits is never too old."""
    sql = """
        SELECT number FROM message
        WHERE iif(put_monotonic_us <= :mono, :mono - put_monotonic_us, :mono) > :age
        AND (number >= :ours OR :wall - put_at_us > :age)
        AND NOT (worth = :alarm AND EXISTS (
            SELECT 1 FROM delivery WHERE delivery.number = message.number AND delivered_at_us IS NULL
        ))
    """
    values = {
        "ours": ours_from,
        "mono": now_monotonic_us,
        "wall": now_us,
        "age": age_us,
        "alarm": LIFE_SAFETY_WORTH,
    }
    return [row[0] for row in connection.execute(sql, values)]


def size(connection: sqlite3.Connection) -> tuple[int, int]:
    """Messages, and characters of their bodies."""
    count, characters = connection.execute("SELECT COUNT(*), TOTAL(LENGTH(body)) FROM message").fetchone()
    return int(count), int(characters)


def least_worth(connection: sqlite3.Connection, limit: int) -> list[int]:
    """What to shed first: what is only remembered, then the least severe oldest."""
    sql = """
        SELECT number FROM message
        ORDER BY
            EXISTS (
                SELECT 1 FROM delivery
                WHERE delivery.number = message.number AND delivery.delivered_at_us IS NULL
            ),
            worth,
            number
        LIMIT ?
    """
    return [row[0] for row in connection.execute(sql, (limit,))]


def erase(connection: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Forget these messages on every channel."""
    rows = [(number,) for number in numbers]
    connection.executemany("DELETE FROM delivery WHERE number = ?", rows)
    connection.executemany("DELETE FROM message WHERE number = ?", rows)


def forget(connection: sqlite3.Connection, channel: str, number: int) -> None:
    """One channel no longer needs it; gone when no channel does."""
    connection.execute("DELETE FROM delivery WHERE channel = ? AND number = ?", (channel, number))
    sql = "DELETE FROM message WHERE number = ? AND NOT EXISTS (SELECT 1 FROM delivery WHERE number = ?)"
    connection.execute(sql, (number, number))


def keep_going_on(connection: sqlite3.Connection, id: str, version: int, body: str) -> None:
    """An event goes on, and this is its latest state."""
    connection.execute(_GOING_ON, (id, version, body))


def end(connection: sqlite3.Connection, ids: Iterable[str]) -> None:
    """These events no longer go on."""
    connection.executemany("DELETE FROM going_on WHERE id = ?", [(id,) for id in ids])


def going_on(connection: sqlite3.Connection, version: int) -> list[str]:
    """Bodies of the events that go on, of at most this codec version."""
    return [row[0] for row in connection.execute("SELECT body FROM going_on WHERE version <= ?", (version,))]


def everything(connection: sqlite3.Connection) -> Contents:
    """Every row, for `insert`."""
    return Contents(*(connection.execute(sql).fetchall() for sql in _EVERYTHING))


def insert(connection: sqlite3.Connection, contents: Contents) -> None:
    """Rows of `everything`, with their numbers."""
    connection.executemany(_MESSAGE, contents.messages)
    connection.executemany(_DELIVERY, contents.deliveries)
    connection.executemany(_GOING_ON, contents.going_on)


def salvage(database: Database) -> Contents:
    """What can still be read of a failing store: all of it when the disk is merely full, else as far as the
    reading goes."""
    read: list[Rows] = [[], [], []]
    for sql, rows in zip(_EVERYTHING, read, strict=True):
        try:
            with database.reading() as connection:
                rows.extend(connection.execute(sql))
        except StoreError:
            continue
    messages, deliveries, events = read
    known = {row[0] for row in messages}
    return Contents(messages, [row for row in deliveries if row[1] in known], events)
