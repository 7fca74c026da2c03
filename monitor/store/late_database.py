"""A database that need not open at the start: the disk may answer later."""

import threading

from monitor.errors import StoreError
from monitor.logs import Lapse
from monitor.store.database import Database


class LateDatabase:
    """Opens `database` with the first use that can, and anew when its file was deleted or replaced meanwhile.
    `lapse` is logged while it cannot be opened. Any thread."""

    def __init__(self, database: Database, lapse: Lapse) -> None:
        self._database = database
        self._lapse = lapse
        self._opening = threading.Lock()
        self._is_open = False

    def opened(self) -> Database:
        """The database, open. Raises StoreError where it still cannot be."""
        with self._opening:
            if self._is_open:
                self._leave_what_is_gone()
            if not self._is_open:
                self._open()
            return self._database

    def close(self) -> None:
        """Close it, if it was ever opened. Does not wait for an opening that hangs."""
        if self._is_open:
            self._database.__exit__()

    def _open(self) -> None:
        try:
            self._database.__enter__()
        except StoreError as error:
            self._lapse.begin(why=str(error))
            raise
        self._is_open = True
        self._lapse.end()

    def _leave_what_is_gone(self) -> None:
        try:
            self._database.check_in_place()
        except StoreError:
            self._is_open = False
            self._database.__exit__()
