"""A database that need not open at the start: the disk may answer later."""

import threading

from monitor.store.database import Database


class LateDatabase:
    """Opens `database` with the first use that can. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._opening = threading.Lock()
        self._is_open = False

    def opened(self) -> Database:
        """The database, open. Raises StoreError where it still cannot be."""
        with self._opening:
            if not self._is_open:
                self._database.__enter__()
                self._is_open = True
            return self._database

    def close(self) -> None:
        """Close it, if it was ever opened. Does not wait for an opening that hangs."""
        if self._is_open:
            self._database.__exit__()
