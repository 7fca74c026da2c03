"""Lets old rows of the history go."""

import json
from typing import Any

from monitor.history import events

_HEARD = ("look", "cut", "level", "embedding", "background", "early")


def used_bytes(connection: Any) -> int:
    """What the rows take, without the pages that are free."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def forget(connection: Any, before_us: int) -> None:
    """All that was posted before then goes, but for the settings in force then."""
    for table in _HEARD:
        connection.execute(f"DELETE FROM {table} WHERE told_at < ?", (before_us,))  # noqa: S608
    events.forget_events(connection, before_us)
    in_force = _settings_in_force(connection, before_us)
    kept = ", ".join(map(str, in_force))
    connection.execute(
        f"DELETE FROM said WHERE told_at < ? AND number NOT IN ({kept})",  # noqa: S608 - numbers of ours
        (before_us,),
    )


def _settings_in_force(connection: Any, before_us: int) -> list[int]:
    """The rows of what was set last before then, by source and name."""
    rows = connection.execute(
        "SELECT number, body FROM said WHERE kind = 'Setting' AND told_at < ? ORDER BY number", (before_us,)
    )
    return list({tuple(json.loads(body)[:2]): int(number) for number, body in rows}.values())


def oldest_us(connection: Any, share: float) -> int | None:
    """Until when the oldest share of the rows was posted, 0-1; None where next to nothing is left. Counted in
    rows, not in time: a clock that was years ahead for an hour makes everything else the oldest tenth of the
    time. Settings do not count: one may be years older than all the rest."""
    tables = [*_HEARD, "said WHERE kind != 'Setting'"]
    counts = [
        (connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0], table)  # noqa: S608
        for table in tables
    ]
    count, table = max(counts)
    if count < 2:
        return None
    oldest = f"SELECT told_at FROM {table} ORDER BY told_at LIMIT 1 OFFSET ?"  # noqa: S608
    return int(connection.execute(oldest, (int(count * share),)).fetchone()[0])
