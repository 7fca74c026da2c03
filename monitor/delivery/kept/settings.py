"""What people set from outside and expect to find again after a restart: mute and sensitivity of a source."""

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from monitor.logs import Lapse
from monitor.store.kept_file import KeptFile
from monitor.types import Setting

_Key = tuple[str, str]


class KeptSettings:
    """Settings in a file of their own, mode 0600. Every method may be called from any thread.

    `configured` are those of the configuration. What was set from outside holds until the configuration
    says something else than it did then: who edits the file means it. A file that cannot be read or written
    costs what was set, is logged once, and stops nothing.
    """

    def __init__(self, file: Path, configured: Iterable[Setting]) -> None:
        self._file = KeptFile(
            file,
            "mute and sensitivity are as configured again",
            Lapse(
                "mute and sensitivity will be as configured after a restart",
                "mute and sensitivity are kept again",
            ),
        )
        self._configured = {_key(setting): setting.value for setting in configured}
        self._set: dict[_Key, Any] = {}
        self._lock = threading.Lock()
        self.changed = threading.Event()
        """Set while something is to be written."""

    def read(self) -> list[Setting]:
        """Find again what was kept; what was set meanwhile holds. Returns what holds since then."""
        before = self.in_force()
        kept = self._file.read(self._known)
        if kept is None:
            return []
        with self._lock:
            self._set = kept | self._set
        return [setting for setting in self.in_force() if setting not in before]

    def in_force(self) -> list[Setting]:
        """Every setting with the value that holds."""
        with self._lock:
            values = {**self._configured, **self._set}
        return [Setting(source, name, value) for (source, name), value in values.items()]

    def keep(self, setting: Setting) -> None:
        """Remember what was set; `write` keeps it. Never waits."""
        key = _key(setting)
        with self._lock:
            if key not in self._configured or setting.value == {**self._configured, **self._set}[key]:
                return
            self._set[key] = setting.value
            self.changed.set()

    def write(self) -> bool:
        """Keep on disk what is set now: whether the disk took it."""
        with self._lock:
            self.changed.clear()
            rows = [[*key, value, self._configured[key]] for key, value in self._set.items()]
        return self._file.write(rows)

    def _known(self, rows: Any) -> dict[_Key, Any]:
        """Of what was kept, what the configuration has not changed since."""
        return {
            (source, name): _like(self._configured[source, name], value)
            for source, name, value, configured in rows
            if (source, name) in self._configured and configured == self._configured[source, name]
        }


def _like(configured: Any, value: Any) -> Any:
    """`value` as what it is; a value of the house is text, and unknown in every configuration."""
    return str(value)[:64] if configured is None else type(configured)(value)


def _key(setting: Setting) -> _Key:
    return setting.source, setting.name
