"""What a day was like, in a few lines: alerts, how each source is, the last drill, what was new. Pure, but
for reading the history."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.clock import from_us, length_in_words, to_us
from monitor.history.reader import History
from monitor.labels import label_name
from monitor.types import Alert, SourceStatus

MOST_NAMED = 5
QUIET_DAYS = timedelta(days=7)
"""A sound that was not heard for so long before is new."""


@dataclass(frozen=True, slots=True)
class Day:
    """What the history has of it."""

    alerts: tuple[Alert, ...] = ()
    """The last word of each, tests and information left out; in order."""
    unseen: frozenset[str] = frozenset()
    """Ids of those that nobody has acknowledged."""
    events: int = 0
    new: tuple[str, ...] = ()
    """Labels that were not heard in the days before."""
    lost: tuple[tuple[str, datetime], ...] = ()
    """The sources that are not heard now, and since when."""


def read_day(history: History, acknowledged: Sequence[str], since: datetime, until: datetime) -> Day:
    """That of some hours; `acknowledged` are ids of alerts. Raises StoreError."""
    last = {one.id: one for _, one in history.messages(since, until, Alert) if isinstance(one, Alert)}
    alerts = tuple(one for one in last.values() if not one.test and one.severity != "info")
    status: dict[str, SourceStatus] = {}
    before = until - QUIET_DAYS
    for _, one in history.messages(before, until, SourceStatus):
        if isinstance(one, SourceStatus):
            status[one.source] = one
    with history.rows() as rows:
        found = rows.execute(
            "SELECT label, count(*), min(started_at) FROM event WHERE started_at BETWEEN ? AND ?"
            " GROUP BY label",
            (to_us(since), to_us(until)),
        ).fetchall()
        [(first_us,)] = rows.execute("SELECT min(told_at) FROM look")
        old = {
            label
            for (label,) in rows.execute(
                "SELECT DISTINCT label FROM event WHERE started_at BETWEEN ? AND ?",
                (to_us(before), to_us(since) - 1),
            )
        }
    is_known = first_us is not None and from_us(first_us) <= since - timedelta(days=1)
    in_order = [label for label, _, _ in sorted(found, key=lambda row: row[2])]
    return Day(
        alerts=alerts,
        unseen=frozenset(last) - frozenset(acknowledged),
        events=sum(count for _, count, _ in found),
        new=tuple(label for label in in_order if is_known and label not in old),
        lost=tuple(
            (name, one.at)
            for name, one in sorted(status.items())
            if not one.online and one.ended_by == "source_lost"
        ),
    )


def lines(day: Day, sources: Sequence[str], drill: dict[str, Any], now: datetime) -> Iterator[str]:
    """As people read it. `drill`: the figures of the last one."""
    if day.alerts:
        rules = Counter(one.rule for one in day.alerts)
        named = [f"{rule} {count}×" if count > 1 else rule for rule, count in rules.most_common(MOST_NAMED)]
        open_ = sum(one.id in day.unseen for one in day.alerts)
        rest = f"; {open_} not acknowledged" if open_ else ""
        yield f"{_count(len(day.alerts), 'alert')}: {', '.join(named)}{rest}"
    else:
        yield "No alerts"
    lost = {name: at for name, at in day.lost if name in sources}
    for name, at in lost.items():
        yield f"{name} has not been heard for {length_in_words((now - at).total_seconds())}"
    heard = len(sources) - len(lost)
    yield f"{heard} of {_count(len(sources), 'source')} heard, {_count(day.events, 'sound')} named"
    if day.new:
        names = ", ".join(label_name(label) for label in day.new[:MOST_NAMED])
        yield f"New after a week or more: {names}"
    yield _drill_line(drill, now)


def _drill_line(drill: dict[str, Any], now: datetime) -> str:
    if drill["last"] is None:
        return "No drill yet: earwitness drill"
    ago = length_in_words((now - datetime.fromisoformat(drill["last"])).total_seconds())
    overdue = "; it is time for the next" if drill["overdue"] else ""
    return f"Last drill {ago} ago, heard in {drill['coverage']}{overdue}"


def _count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
