"""Reads the scores that were kept, while the daemon runs or not. Changes nothing."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from monitor.clock import from_us, to_us
from monitor.errors import StoreError
from monitor.history.records import ScoreRecord, SegmentRecord, unpack_scores, unpack_spans
from monitor.schema import kind_of
from monitor.store.codec import decode
from monitor.types import Alert, Level, Setting, SoundEvent, SourceStatus

KeptMessage = SoundEvent | Alert | SourceStatus | Setting


class History:
    """The scores of the state directory, read-only. Raises StoreError on entering when there are none yet,
    and from any method when the file cannot be read."""

    def __init__(self, path: Path, *, patience_s: float = 5.0) -> None:
        self._path = path
        self._patience_s = patience_s
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        self._find()
        try:
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro", uri=True, timeout=self._patience_s
            )
        except sqlite3.Error as error:
            raise self._failure(error) from error
        return self

    def __exit__(self, *exc: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _find(self) -> None:
        try:
            self._path.stat()
        except FileNotFoundError:
            raise StoreError(
                f"{self._path}: nothing has been kept yet; let `earwitness run` listen for a while, or write "
                "the daemon's state folder as `state_dir`"
            ) from None
        except OSError as error:
            raise StoreError(
                f"{self._path}: cannot be read ({error.strerror}); run this as the user of the daemon, "
                f"or with "
                "sudo, and check `state_dir`"
            ) from None
        _check_is_file(self._path)

    def attach(self, path: Path, name: str) -> None:
        """Have another of our databases at hand under a name, read-only too."""
        _check_is_file(path)
        next(self._rows(f"ATTACH ? AS {name}", f"{path.absolute().as_uri()}?mode=ro"), None)

    @contextmanager
    def rows(self) -> Iterator[sqlite3.Connection]:
        """For questions of one's own; what goes wrong is a StoreError."""
        if self._connection is None:
            raise StoreError(f"{self._path} is closed")
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def decided_after(self, us: int, limit: int) -> list[tuple[int, SoundEvent | Alert]]:
        """Events and alerts decided after then, in that order, with the microsecond of each; the oldest
        first, and of more than `limit` the latest."""
        rows = self._rows(
            "SELECT told_at, body FROM said WHERE told_at > ? AND kind IN ('SoundEvent', 'Alert')"
            " ORDER BY number DESC LIMIT ?",
            us,
            limit,
        )
        return [(decided_at, decode(body)) for decided_at, body in rows][::-1]

    def looks(
        self, since: datetime, until: datetime, source: str | None = None, *, latest_first: bool = False
    ) -> Iterator[ScoreRecord]:
        """What classifiers scored, in the order in which the tracker took it in."""
        labels = {number: names.split() for number, names in self._rows("SELECT number, names FROM labels")}
        query = (
            "SELECT told_at, source, classifier, started_at, segment_id, certainty, labels, scores, spans,"
            " more FROM look WHERE told_at BETWEEN ? AND ? AND source = ifnull(?, source) ORDER BY number"
        )
        rows = self._rows(query + (" DESC" if latest_first else ""), to_us(since), to_us(until), source)
        for at_us, name, classifier, started_at, segment_id, certainty, which, scores, spans, more in rows:
            extra = json.loads(more) if more else {}
            yield ScoreRecord(
                name, from_us(at_us), classifier, from_us(started_at), segment_id,
                dict(zip(labels[which], unpack_scores(scores), strict=True)),
                dict(zip(labels[which], unpack_spans(spans, len(labels[which])), strict=True)),
                certainty, extra.get("emotion", {}), extra.get("evidence", {}),
            )  # fmt: skip

    def heard_until(self, event: SoundEvent, off: float, until: datetime) -> datetime:
        """When the sound of an event whose end nobody wrote down was last found, by a rhythm or with at least
        the score `off` (0-1), in what was decided by `until`; at the earliest its last update."""
        for look in self.looks(event.at, until, event.source, latest_first=True):
            if event.label in look.scores and (look.certainty or look.scores[event.label] >= off):
                start_s, length_s = look.spans[event.label]
                ends_at = look.started_at + timedelta(seconds=start_s + length_s)
                return max(event.at, min(ends_at, look.decided_at))
        return event.at

    def cuts(self, since: datetime, until: datetime, source: str | None = None) -> Iterator[SegmentRecord]:
        """Segments and early looks, in the order in which they were posted."""
        rows = self._rows(
            "SELECT id, source, started_at, duration_s, onset_s, floor_dbfs, peak_dbfs, speech_ratio,"
            " ended_by FROM cut WHERE told_at BETWEEN ? AND ? AND source = ifnull(?, source) ORDER BY number",
            to_us(since), to_us(until), source,
        )  # fmt: skip
        for id, name, started_at, *figures in rows:
            yield SegmentRecord(id, name, from_us(started_at), *figures)

    def levels(self, since: datetime, until: datetime, source: str | None = None) -> Iterator[Level]:
        """Levels and floors."""
        rows = self._rows(
            "SELECT source, told_at, level_dbfs, floor_dbfs FROM level"
            " WHERE told_at BETWEEN ? AND ? AND source = ifnull(?, source) ORDER BY number",
            to_us(since), to_us(until), source,
        )  # fmt: skip
        for name, decided_at, level_dbfs, floor_dbfs in rows:
            yield Level(name, from_us(decided_at), level_dbfs, floor_dbfs)

    def messages(
        self, since: datetime, until: datetime, kind: type[KeptMessage] | None = None
    ) -> Iterator[tuple[datetime, KeptMessage]]:
        """What was decided and set (or only one kind of it), with the time it was, in that order."""
        rows = self._rows(
            "SELECT told_at, kind, body FROM said"
            " WHERE told_at BETWEEN ? AND ? AND kind = ifnull(?, kind) ORDER BY number",
            to_us(since), to_us(until), kind and kind.__name__,
        )  # fmt: skip
        for decided_at, name, body in rows:
            yield from_us(decided_at), _decoded(name, body)

    def settings(self, at: datetime) -> list[Setting]:
        """What was in force then: what was set last, by source and name."""
        rows = self._rows(
            "SELECT body FROM said WHERE kind = 'Setting' AND told_at <= ? ORDER BY number", to_us(at)
        )
        found = [Setting(*json.loads(body)) for (body,) in rows]
        return list({(one.source, one.name): one for one in found}.values())

    def event(self, id: str) -> list[SoundEvent]:
        """Every state of the event whose id is or begins with `id`; none if it is not known."""
        rows = self._rows(
            "SELECT body FROM said WHERE id >= ? AND id < ? AND kind = 'SoundEvent' ORDER BY number",
            id,
            id + "g",
        )
        states = [decode(body) for (body,) in rows]
        return [state for state in states if isinstance(state, SoundEvent) and state.id == states[0].id]

    def alert(self, id: str) -> Alert | None:
        """The last word of the alert whose id is or begins with `id`; None if it is not known."""
        rows = self._rows(
            "SELECT body FROM said WHERE id >= ? AND id < ? AND kind = 'Alert' ORDER BY number", id, id + "g"
        )
        alerts = [decode(body) for (body,) in rows]
        return next((one for one in reversed(alerts) if isinstance(one, Alert)), None)

    def alerts_about(self, event_id: str) -> list[Alert]:
        """The last word of every alert about an event, oldest first."""
        rows = self._rows(
            "SELECT body FROM said WHERE kind = 'Alert' AND id IN"
            " (SELECT alert_id FROM alert_event WHERE event_id = ?) ORDER BY number",
            event_id,
        )
        found = [decode(body) for (body,) in rows]
        return list({one.id: one for one in found if isinstance(one, Alert)}.values())

    def lost_at(self, at: datetime) -> set[str]:
        """The sources that were lost then."""
        rows = self._rows(
            "SELECT body FROM said WHERE kind = 'SourceStatus' AND told_at <= ? ORDER BY number", to_us(at)
        )
        online = {source: is_online for source, is_online, *_ in (json.loads(body) for (body,) in rows)}
        return {source for source, is_online in online.items() if not is_online}

    def _rows(self, query: str, *values: Any) -> Iterator[Any]:
        if self._connection is None:
            raise StoreError(f"{self._path} is closed")
        try:
            yield from self._connection.execute(query, values)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> StoreError:
        return StoreError(f"{self._path}: {error}")


def _check_is_file(path: Path) -> None:
    """Opened to read, a pipe waits for its writer without end. Raises StoreError."""
    if found := kind_of(path):
        raise StoreError(f"{path} is {found}, not a file; move it away, or check `state_dir`")


def _decoded(kind: str, body: str) -> KeptMessage:
    if kind in ("SoundEvent", "Alert"):
        return decode(body)
    if kind == "Setting":
        return Setting(*json.loads(body))
    source, online, at_us, reason, ended_by = json.loads(body)
    return SourceStatus(source, online, from_us(at_us), reason, ended_by)
