"""Who may come in: the password, sessions and tokens, in a small database of their own."""

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, Self

from monitor.clock import Clock
from monitor.errors import StoreError
from monitor.logs import Lapse
from monitor.store.database import Database
from monitor.store.late_database import LateDatabase
from monitor.web.access.recent import Recent

Role = Literal["viewer", "admin"]
Scope = Literal["read", "write"]

FILE = "web.db"
SESSION = timedelta(days=90)
"""Unused for so long, a session ends."""
SEEN_EVERY = timedelta(minutes=10)
"""How exactly it is known when a session or token was last used: every request would be a write."""
PATIENCE_S = 1.0
"""What a disk gets to open or close the file: a start must not wait for one that hangs."""
MOST_SESSIONS = 200
MOST_TOKENS = 100
PREFIX = "ew_"
"""Begins every token, so that secret scanners and people know one when they see it."""

_MIGRATIONS = (
    """
    CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE session (
        digest TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL,
        made_at INTEGER NOT NULL, seen_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE token (
        digest TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, scope TEXT NOT NULL,
        made_at INTEGER NOT NULL, seen_at INTEGER
    ) WITHOUT ROWID
    """,
)


@dataclass(frozen=True, slots=True)
class LoginSession:
    """Somebody who signed in."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Token:
    """A key for a script or a card, as it is listed: the key itself is shown once, when it is made."""

    id: str
    name: str
    scope: Scope
    made_at: datetime
    used_at: datetime | None


class Keys:
    """Only digests of sessions and tokens are kept: whoever reads the file cannot come in with it. Every
    method may be called from any thread and raises StoreError for a disk; one that was silent or full when
    this was entered is asked again by each. With `at_once` no disk is waited for: NotAtOnce, where it
    would be."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._database = LateDatabase(
            Database(folder / FILE, _MIGRATIONS, clock, patience_s=PATIENCE_S),
            Lapse("the page lets nobody in until the disk keeps its keys", "the page lets people in again"),
        )
        self._clock = clock
        self._recent = Recent(clock)

    def __enter__(self) -> Self:
        # What cannot be opened now is asked again by every request: the page comes back with the disk.
        with suppress(StoreError):
            self._database.opened()
        return self

    def __exit__(self, *exc: object) -> None:
        self._database.close()

    def password(self, role: Role, *, at_once: bool = False) -> str | None:
        """The digest of the password for a role."""
        return self._recent.get(("password", role), lambda: self._password(role), at_once=at_once) or None

    def _password(self, role: Role) -> str:
        with self._database.opened().reading() as rows:
            found = rows.execute("SELECT value FROM fact WHERE name = ?", (f"password {role}",)).fetchone()
        return found[0] if found else ""

    def set_password(self, role: Role, digest: str) -> None:
        """A new password. Whoever had signed in with the old one is signed out."""
        with self._database.opened().transaction() as rows:
            rows.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (f"password {role}", digest))
            rows.execute("DELETE FROM session WHERE role = ?", (role,))
        self._recent.forget()

    def open_session(self, session: LoginSession) -> str:
        """The key of a new session. Nobody outside ever chooses one."""
        key, now = secrets.token_urlsafe(32), self._now()
        with self._database.opened().transaction() as rows:
            rows.execute("DELETE FROM session WHERE seen_at < ?", (now - _us(SESSION),))
            rows.execute(
                "DELETE FROM session WHERE digest IN"
                " (SELECT digest FROM session ORDER BY seen_at DESC LIMIT -1 OFFSET ?)",
                (MOST_SESSIONS - 1,),
            )
            row = (_digest(key), session.name, session.role, now, now)
            rows.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", row)
        self._recent.forget()
        return key

    def session(self, key: str, *, at_once: bool = False) -> LoginSession | None:
        """Whose session this is; None when it has ended or never was."""
        digest = _digest(key)
        return self._recent.get(("session", digest), lambda: self._session(digest), at_once=at_once)

    def _session(self, digest: str) -> LoginSession | None:
        now = self._now()
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT name, role, seen_at FROM session WHERE digest = ?", (digest,)
            ).fetchone()
        if found is None or found[2] < now - _us(SESSION):
            return None
        if found[2] < now - _us(SEEN_EVERY):
            with self._database.opened().transaction() as rows:
                rows.execute("UPDATE session SET seen_at = ? WHERE digest = ?", (now, digest))
        return LoginSession(found[0], found[1])

    def close_session(self, key: str) -> None:
        """Sign out."""
        with self._database.opened().transaction() as rows:
            rows.execute("DELETE FROM session WHERE digest = ?", (_digest(key),))
        self._recent.forget()

    def make_token(self, name: str, scope: Scope) -> tuple[Token, str]:
        """A new token, and the key that is shown this once."""
        key, id, now = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(6), self._now()
        with self._database.opened().transaction() as rows:
            rows.execute(
                "INSERT INTO token VALUES (?, ?, ?, ?, ?, NULL)", (_digest(key), id, name, scope, now)
            )
        return Token(id, name, scope, _at(now), None), key

    def tokens(self) -> list[Token]:
        """Every token, oldest first."""
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT id, name, scope, made_at, seen_at FROM token ORDER BY made_at, id"
            ).fetchall()
        return [
            Token(id, name, scope, _at(made), None if seen is None else _at(seen))
            for id, name, scope, made, seen in found
        ]

    def token(self, key: str, *, at_once: bool = False) -> Token | None:
        """The token with this key, now used; None when there is none."""
        digest = _digest(key)
        return self._recent.get(("token", digest), lambda: self._token(digest), at_once=at_once)

    def _token(self, digest: str) -> Token | None:
        now = self._now()
        with self._database.opened().reading() as rows:
            found = rows.execute(
                "SELECT id, name, scope, made_at, seen_at FROM token WHERE digest = ?", (digest,)
            ).fetchone()
        if found is None:
            return None
        if found[4] is None or found[4] < now - _us(SEEN_EVERY):
            with self._database.opened().transaction() as rows:
                rows.execute("UPDATE token SET seen_at = ? WHERE digest = ?", (now, digest))
        id, name, scope, made, _ = found
        return Token(id, name, scope, _at(made), _at(now))

    def drop_token(self, id: str) -> bool:
        """Whether there was one to drop."""
        with self._database.opened().transaction() as rows:
            was_there = rows.execute("DELETE FROM token WHERE id = ?", (id,)).rowcount > 0
        self._recent.forget()
        return was_there

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1e6)


def _digest(key: str) -> str:
    """256 random bits need no salt and no slow hash."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _at(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
