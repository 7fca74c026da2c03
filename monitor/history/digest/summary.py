"""What a day was like, in a few lines: alerts, how each source is, the last drill, what was new. Pure, but
for reading the history."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from monitor.clock import from_us, to_us
from monitor.history.reader import History
from monitor.language.words import label_words, length, rule_words, say
from monitor.types import Alert, SourceStatus

MOST_NAMED = 5
QUIET_DAYS = timedelta(days=7)
"""A sound that was not heard for so long before is new."""


@dataclass(frozen=True, slots=True)
class DaySummary:
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


def read_day(history: History, acknowledged: Sequence[str], since: datetime, until: datetime) -> DaySummary:
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
    return DaySummary(
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


def lines(day: DaySummary, sources: Sequence[str], drill: dict[str, Any], now: datetime) -> Iterator[str]:
    """As people read it. `drill`: the figures of the last one."""
    if day.alerts:
        rules = Counter(one.rule for one in day.alerts)
        counted = [(rule_words(rule), count) for rule, count in rules.most_common(MOST_NAMED)]
        named = [f"{rule} {count}×" if count > 1 else rule for rule, count in counted]
        open_ = sum(one.id in day.unseen for one in day.alerts)
        alerts = say("notice.digest.alerts", n=len(day.alerts), rules=", ".join(named))
        yield say("notice.digest.open", alerts=alerts, count=open_) if open_ else alerts
    else:
        yield say("notice.digest.none")
    lost = {name: at for name, at in day.lost if name in sources}
    for name, at in lost.items():
        yield say("notice.digest.lost", source=name, length=length((now - at).total_seconds()))
    heard = len(sources) - len(lost)
    yield say(
        "notice.digest.sources", n=len(sources), heard=heard, sounds=say("notice.digest.sounds", n=day.events)
    )
    if day.new:
        names = ", ".join(label_words(label) for label in day.new[:MOST_NAMED])
        yield say("notice.digest.new", names=names)
    yield _drill_line(drill, now)


def _drill_line(drill: dict[str, Any], now: datetime) -> str:
    if drill["last"] is None:
        return say("notice.digest.no_drill")
    ago = length((now - datetime.fromisoformat(drill["last"])).total_seconds())
    last = say("notice.digest.drill", length=ago, coverage=drill["coverage"])
    return say("notice.digest.overdue", drill=last) if drill["overdue"] else last
