"""What people set from outside and expect to find again after a restart: mute and sensitivity of a source."""

import json
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal, Self

from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.store.files import write_private
from monitor.types import Setting

log = get_logger()

READ_S = 1.0
"""What a start gives the disk to hand out what was set."""
WRITE_S = 1.0

_Name = Literal["mute", "sensitivity"]
_Key = tuple[str, _Name]


class KeptSettings:
    """Settings in a file of their own, mode 0600. Every method may be called from any thread.

    `configured` are those of the configuration. What was set from outside holds until the configuration
    says something else than it did then: who edits the file means it. A file that cannot be read or written
    costs what was set, is logged once, and stops nothing.
    """

    def __init__(self, file: Path, configured: Iterable[Setting]) -> None:
        self._file = file
        self._configured = {_key(setting): setting.value for setting in configured}
        self._set: dict[_Key, bool | float] = {}
        self._lock = threading.Lock()
        self._complained = False
        self.changed = threading.Event()
        """Set while something is to be written."""

    def read(self) -> None:
        """Find again what was kept; what was set meanwhile holds."""
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            kept = {
                (source, name): type(self._configured[source, name])(value)
                for source, name, value, configured in rows
                if (source, name) in self._configured and configured == self._configured[source, name]
            }
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, OverflowError, RecursionError) as error:
            self._complain("mute and sensitivity are as configured again", error)
            return
        with self._lock:
            self._set = kept | self._set

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

    def write(self) -> None:
        """Keep on disk what is set now."""
        with self._lock:
            self.changed.clear()
            rows = [[*key, value, self._configured[key]] for key, value in self._set.items()]
        try:
            write_private(self._file, json.dumps(rows).encode())
        except StoreError as error:
            self._complain("mute and sensitivity will be as configured after a restart", error)

    def _complain(self, consequence: str, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            log.warning(consequence, reason=str(error), file=str(self._file))


class SettingsWriter:
    """Reads and writes settings in a thread of its own, named `settings`, open inside the `with` block:
    nobody who decides waits for a disk. `late` is given each setting that the disk handed out only after a
    second; a bug reaches `failed`."""

    def __init__(
        self, kept: KeptSettings, late: Callable[[Setting], None], failed: Callable[[BaseException], None]
    ) -> None:
        self._kept = kept
        self._late = late
        self._failed = failed
        self._read = threading.Event()
        self._is_late = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="settings", daemon=True)

    def __enter__(self) -> Self:
        """Begin, and wait until what was set is known, for a second at most."""
        self._thread.start()
        self._is_late = not self._read.wait(READ_S)
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what is not written yet; a disk that does not answer is left."""
        self._closing = True
        self._kept.changed.set()
        self._thread.join(WRITE_S)

    def _run(self) -> None:
        try:
            before = set(self._kept.in_force())
            self._kept.read()
            self._read.set()
            if self._is_late:
                for setting in self._kept.in_force():
                    if setting not in before:
                        self._late(setting)
            self._write_what_changes()
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _write_what_changes(self) -> None:
        while self._kept.changed.wait() and not self._closing:
            self._kept.write()
        self._kept.write()


def _key(setting: Setting) -> _Key:
    return setting.source, setting.name
