"""What is asked of the tables of the outbox."""

import json
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from monitor.delivery.base import WHOLE_TOPIC
from monitor.delivery.outbox_tables import LIFE_SAFETY_WORTH, Rows
from monitor.publishers.base import ALERTS
from monitor.store import codec
from monitor.types import SoundEvent


@dataclass(frozen=True, slots=True)
class ClockReading:
    """Now, by every clock that there is."""

    boot: str
    """Which start of the machine; empty where nobody knows."""
    monotonic_us: int
    wall_us: int

    def parameters(self) -> dict[str, Any]:
        """For `_WAITED_US`."""
        return {"boot": self.boot, "mono": self.monotonic_us, "wall": self.wall_us}


_WAITED_US = """
    iif(boot = :boot AND boot <> '', :mono - put_monotonic_us, min(
        iif(boot = '' AND put_monotonic_us <= :mono, :mono - put_monotonic_us, :mono), :wall - put_at_us
    ))
"""
"""How long a message has waited. Since the same start of the machine the monotonic clock knows; across one,
whichever reading makes it younger: the wall clock may have been set, and the monotonic one began anew."""


@dataclass(frozen=True, slots=True)
class OutboxQuery:
    """Which undelivered messages are asked for. See `Outbox.waiting`."""

    channel: str
    version: int
    """The highest codec version that can be read."""
    limit: int
    skip: tuple[int, ...] = ()
    skip_topics: dict[str, int] = field(default_factory=dict)
    topic: str | None = None
    below: int = WHOLE_TOPIC
    """Messages from this number on are not seen yet: the disk is given a moment to take them first."""

    def parameters(self, now: ClockReading) -> dict[str, Any]:
        """For the statements below."""
        skip, skip_topics = json.dumps(self.skip), json.dumps(self.skip_topics)
        return now.parameters() | {
            "channel": self.channel,
            "version": self.version,
            "limit": self.limit,
            "skip": skip,
            "skip_topics": skip_topics,
            "topic": self.topic,
            "below": self.below,
        }


_AHEAD_US = "max(detected_at_us - put_at_us, 0)"
"""How far in the future its sound was when it was put: of a recording that is heard faster than it sounds."""
_SELECT = f"SELECT message.number, worth, detected_at_us, {_WAITED_US}, {_AHEAD_US}, body, again"
_UNDELIVERED = """
    FROM delivery JOIN message ON message.number = delivery.number
    WHERE channel = :channel AND delivered_at_us IS NULL AND version <= :version
    AND delivery.number < :below
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


_NUMBERS = "SELECT number FROM message"
_OLD = f"""
    {_NUMBERS} WHERE {_WAITED_US} > :age AND NOT (worth = :alarm AND EXISTS (
        SELECT 1 FROM delivery WHERE delivery.number = message.number AND delivered_at_us IS NULL
    ))
"""  # noqa: S608 - of constants


def waiting(connection: sqlite3.Connection, wanted: OutboxQuery, now: ClockReading) -> Rows:
    """Of one topic, or alerts and then events; each oldest first, tests after the other alerts."""
    parameters = wanted.parameters(now)
    if wanted.topic is not None:
        return connection.execute(_OF_TOPIC, parameters).fetchall()
    alerts = connection.execute(_OF_TOPIC, parameters | {"topic": ALERTS}).fetchall()
    left = parameters | {"topic": ALERTS, "limit": wanted.limit - len(alerts)}
    return alerts + connection.execute(_OF_OTHERS, left).fetchall()


def most_severe(connection: sqlite3.Connection, wanted: OutboxQuery, now: ClockReading) -> Rows:
    """The most severe of all that wait, by number."""
    return connection.execute(_MOST_SEVERE, wanted.parameters(now)).fetchall()


def backlog(connection: sqlite3.Connection) -> dict[str, int]:
    """How many messages wait, by channel."""
    sql = "SELECT channel, COUNT(*) FROM delivery WHERE delivered_at_us IS NULL GROUP BY channel"
    return dict(connection.execute(sql).fetchall())


def next_number(connection: sqlite3.Connection) -> int:
    """The number that the next message will have, or a lower one."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
    return int(row[0]) + 1 if row else 1


def old(connection: sqlite3.Connection, now: ClockReading, age_us: int) -> list[int]:
    """Messages older than that. An alarm that waits is never too old."""
    values = now.parameters() | {"age": age_us, "alarm": LIFE_SAFETY_WORTH}
    return [row[0] for row in connection.execute(_OLD, values)]


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


def going_on(connection: sqlite3.Connection, version: int) -> list[SoundEvent]:
    """The events that go on."""
    return events(connection.execute("SELECT id, version, body FROM going_on"), version)


def events(rows: Iterable[tuple[Any, ...]], version: int) -> list[SoundEvent]:
    """The events in rows of `going_on` of at most this codec version. One that cannot be read is given up."""
    found = []
    for body in (body for _, written, body in rows if written <= version):
        with suppress(ValueError):
            message = codec.decode(body)
            found += [message] if isinstance(message, SoundEvent) else []
    return found
