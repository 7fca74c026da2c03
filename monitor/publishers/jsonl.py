"""One line of JSON per message, to a file or to standard output."""

import errno
import io
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Literal, Self

from monitor.clock import Clock
from monitor.logs import Lapse
from monitor.publishers.base import DELIVERED, Failed, OnCommand, OnOutcome, PublishOutcome, ignore
from monitor.publishers.documents import document, encoded
from monitor.publishers.local import Local
from monitor.schema import Slug, Switched, kind_of
from monitor.types import Alert, Message, SoundEvent

WAITING = 200
"""States that may wait for a disk or a reader; beyond that they are left out, and the next state replaces
them."""
STOP_S = 0.5
NO_PATH = "name a file, or leave `path` out for standard output"
"""What to do about a pipe, a device or a folder: a pipe takes lines that nobody reads."""


class JsonlConfig(Switched):
    """Writes every message as a line of JSON, for scripts or an archive."""

    type: Literal["jsonl"]
    name: Slug = "jsonl"
    """Name of this publisher in logs and in the outbox."""
    path: Path | None = None
    """File to which lines are added. By default standard output."""
    everything: bool = False
    """true: also write levels, problems, settings, status and health. false: only events and alerts."""

    def build(self, node: str, on_command: OnCommand, clock: Clock) -> "JsonlPublisher":
        """The publisher; nothing is opened yet."""
        return JsonlPublisher(self, clock)


class JsonlPublisher(Local):
    """See `Publisher`. Each line is one unbuffered write, so that a reader and a crash find whole lines.
    Events and alerts are written in the thread that publishes them, states in one of their own: whoever
    decides brings them and must not wait for a disk or a pipe. When the file cannot be written (full disk,
    missing folder), events and alerts have failed and stay in the outbox; the file is opened anew at the next
    line, as is one that was renamed or removed."""

    def __init__(self, config: JsonlConfig, clock: Clock) -> None:
        super().__init__(config.name)
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._out: io.FileIO | None = None
        self._no_reader = Lapse("nobody takes the states; some are left out", "states are taken again")
        self._lapse = Lapse("cannot write; make room or check path", "what is published is written again")
        self._states: queue.Queue[Message | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._write_states, name=f"{config.name}-states", daemon=True)

    def __enter__(self) -> Self:
        if self._config.everything:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Write the states that wait, and close; what hangs ends with the process."""
        if self._config.everything and not self._states.full():
            self._states.put_nowait(None)
            self._thread.join(STOP_S)
        if self._lock.acquire(timeout=STOP_S):
            self._close()
            self._lock.release()

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """See `Publisher`."""
        if isinstance(message, SoundEvent | Alert):
            done(self._written(message, late=late))
        elif self._config.everything:
            try:
                self._states.put_nowait(message)
            except queue.Full:
                self._no_reader.begin(publisher=self.name)

    def _write_states(self) -> None:
        while (message := self._states.get()) is not None:
            self._written(message, late=False)
            if self._states.empty():
                self._no_reader.end(publisher=self.name)

    def _written(self, message: Message, *, late: bool) -> PublishOutcome:
        try:
            self._write(encoded(document(message, self._clock.now(), late=late)) + b"\n")
        except OSError as error:
            reason = str(error) if error.filename else error.strerror or str(error)
            self._lapse.begin(publisher=self.name, reason=reason)
            return Failed(reason)
        return DELIVERED

    def _write(self, line: bytes) -> None:
        with self._lock:
            try:
                if self._out is not None and self._was_rotated(self._out):
                    self._close()
                self._out = self._out or self._opened()
                if self._out.write(line) != len(line):
                    raise OSError(errno.ENOSPC, "only a part of the line fits on the disk")
            except OSError:
                self._close()
                raise
            self._lapse.end(publisher=self.name)

    def _opened(self) -> io.FileIO:
        if self._config.path is None:
            return io.FileIO(sys.stdout.fileno(), "w", closefd=False)
        found = kind_of(self._config.path)
        if found in ("a pipe", "a socket", "a folder"):
            raise OSError(errno.EINVAL, f"{self._config.path} is {found} and no file; {NO_PATH}")
        out = io.FileIO(os.open(self._config.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600), "r+")
        _end_the_line(out)
        return out

    def _was_rotated(self, out: io.FileIO) -> bool:
        """Whether the path names another file now, or none: logrotate renames what is written, and expects
        the next line in a new one."""
        if self._config.path is None:
            return False
        try:
            there = os.stat(self._config.path)
        except FileNotFoundError:
            return True
        return not os.path.samestat(there, os.fstat(out.fileno()))

    def _close(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None


def _end_the_line(out: io.FileIO) -> None:
    """A line cut off by a full disk or a power cut would swallow the next one."""
    if not out.seekable():
        out.close()
        raise OSError(errno.EINVAL, f"a terminal, or a pipe, and no file; {NO_PATH}")
    size = out.seek(0, os.SEEK_END)
    if size and os.pread(out.fileno(), 1, size - 1) != b"\n":
        out.write(b"\n")
