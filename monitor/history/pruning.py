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


def span_us(connection: Any) -> tuple[int | None, int]:
    """From the oldest to the newest row. Settings do not count: one may be years older than all the rest."""
    tables = [*_HEARD, "said WHERE kind != 'Setting'"]
    spans = [
        connection.execute(f"SELECT min(told_at), max(told_at) FROM {table}").fetchone()  # noqa: S608
        for table in tables
    ]
    known = [span for span in spans if span[0] is not None]
    return (min(span[0] for span in known), max(span[1] for span in known)) if known else (None, 0)
