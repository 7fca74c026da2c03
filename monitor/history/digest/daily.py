"""When the daily summary is due, and the alert that carries it."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.clock import Clock, instant, next_at, time_of_day
from monitor.config.upkeep import DigestConfig
from monitor.errors import StoreError
from monitor.history.digest.summary import lines, read_day
from monitor.history.reader import History
from monitor.history.verdicts import Verdicts
from monitor.language.words import say
from monitor.logs import Lapse
from monitor.store.kept_file import KeptFile
from monitor.types import Alert, new_id

RULE = "Daily digest"
FILE = "digest.json"
"""In the state folder: until when the last one reached."""
STALE = timedelta(hours=12)
"""One that the daemon slept through comes later the same day, and not the next morning."""
DAY = timedelta(days=1)


class DailyDigest:
    """Belongs to a thread that may wait for a disk. Never raises for one: the day is told as far as it is
    known."""

    def __init__(
        self,
        config: DigestConfig,
        folder: Path,
        scores: Path,
        sources: Sequence[str],
        verdicts: Verdicts,
        drill: Callable[[], dict[str, Any]],
        clock: Clock,
    ) -> None:
        """`scores`: the history's file; `drill`: the figures of the last one."""
        self._config = config
        self._scores = scores
        self._sources = tuple(sources)
        self._verdicts = verdicts
        self._drill = drill
        self._clock = clock
        self._file = KeptFile(
            folder / FILE,
            "when the last daily digest came is not known any more",
            Lapse("the daily digest's time is not being kept", "the daily digest's time is kept again"),
        )
        self._until: datetime | None = None

    def due(self) -> Alert | None:
        """The summary, once a day."""
        now = self._clock.now()
        self._file.write_again()
        until = self._until = self._last(now)
        at = time_of_day(self._config.at)
        due_at = next_at(until, at)
        if now < due_at:
            return None
        while (later := next_at(due_at, at)) <= now:  # it was off for days
            due_at = later
        self._keep(due_at)  # first: a kill in between costs one digest, and no day brings two
        if now - due_at > STALE:
            return None
        return self._alert(max(until, now - 2 * DAY), now)

    def _alert(self, since: datetime, now: datetime) -> Alert:
        return Alert(
            id=new_id(),
            rule=RULE,
            severity="info",
            events=(),
            raised_at=now,
            message="\n".join(self._lines(since, now)),
            why={"since": since.isoformat()},
            notify=self._config.notify,
        )

    def _lines(self, since: datetime, now: datetime) -> list[str]:
        try:
            with History(self._scores) as history:
                ids = [one.id for _, one in history.messages(since, now, Alert) if isinstance(one, Alert)]
                day = read_day(history, list(self._verdicts.acknowledged(ids)), since, now)
        except StoreError as error:
            return [say("notice.digest.unknown", reason=error)]
        return list(lines(day, self._sources, self._drill(), now))

    def _last(self, now: datetime) -> datetime:
        """Until when the last one reached. Where that is to come, the clock was ahead then, or is behind now:
        it is counted from now on, and the file stays as it is until the next one."""
        until = self._until
        if until is None or now - until > 2 * DAY:
            until = self._file.read(_understood) or until or self._begin(now)
        return until if until <= now + DAY else now

    def _begin(self, now: datetime) -> datetime:
        self._keep(now)
        return now

    def _keep(self, until: datetime) -> None:
        self._until = until
        self._file.write({"until": until.isoformat()})


def _understood(row: Any) -> datetime:
    return instant(row["until"])
