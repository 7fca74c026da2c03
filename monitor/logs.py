"""Structured logging: readable on a terminal, one JSON object per line otherwise."""

import contextlib
import logging
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self


@contextmanager
def _left_unloaded(package: str, stand_in: ModuleType | None) -> Iterator[None]:
    """Inside the `with` block importing the package gives the stand-in; None: it fails, as where the package
    is not installed."""
    there = {name: sys.modules.pop(name) for name in [package] if name in sys.modules}
    sys.modules[package] = stand_in  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
        sys.modules.update(there)


# Where it finds rich, structlog loads what draws tracebacks with it, which we never show: 40 ms and 3 MB. Its
# loggers for coroutines, of which we have none, cost as much again.
with _left_unloaded("rich", None), _left_unloaded("asyncio", ModuleType("asyncio")):
    import structlog


def get_logger() -> Any:
    """The logger of every module: `log = get_logger()`, then `log.info("what happened", key=value)`."""
    return structlog.get_logger()


def configure_logging(*, level: str = "info", json: bool | None = None) -> None:
    """Set up logging on standard error, once, at the start of a command.

    `level` is debug, info, warning or error; `json` None means JSON unless standard error is a terminal.
    """
    as_json = not sys.stderr.isatty() if json is None else json
    renderer: Any = structlog.processors.JSONRenderer() if as_json else _for_people()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _remember,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _StandardError(),
        cache_logger_on_first_use=False,
    )


def writes_json() -> bool:
    """Whether the lines of this process are JSON: then everything on standard error is."""
    processors = structlog.get_config()["processors"]
    return any(isinstance(each, structlog.processors.JSONRenderer) for each in processors)


RECENT = 400
_recent: deque[dict[str, Any]] = deque(maxlen=RECENT)


def recent_lines() -> list[dict[str, Any]]:
    """The latest lines of this process, oldest first, as dictionaries; from any thread."""
    return [dict(line) for line in _recent.copy()]


def _remember(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    _recent.append(dict(line))
    return line


class _StandardError:
    """Writes lines to standard error, wherever that now leads.

    A line that cannot be written (the disk under it is full, the reader of the pipe has gone) is lost: a
    thread that has an alert to deliver must not end because nobody reads its log.
    """

    def msg(self, message: str) -> None:
        """Write one line, at once or behind."""
        write_line(message)

    log = debug = info = warning = error = critical = exception = msg


def write_line(text: str) -> None:
    """Write a line to standard error; inside a `LogWriter` never wait for it."""
    if _behind is not None:
        _behind.put(text + "\n")
        return
    with contextlib.suppress(OSError, ValueError):
        # One write: lines of several threads must not run into one another.
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


class Lapse:
    """A fault that lasts: a warning when it begins, a line when it is over, and none between. Any thread."""

    def __init__(self, begins: str, over: str) -> None:
        self._begins = begins
        self._over = over
        self._lock = threading.Lock()
        self._lasts = False

    def begin(self, **details: object) -> None:
        """It is so; logged if it was not before."""
        with self._lock:
            is_new, self._lasts = not self._lasts, True
        if is_new:
            get_logger().warning(self._begins, **details)

    def end(self, **details: object) -> None:
        """All is well; logged if it was not before."""
        if not self._lasts:
            return
        with self._lock:
            was_so, self._lasts = self._lasts, False
        if was_so:
            get_logger().info(self._over, **details)


class LogWriter:
    """Inside the `with` block lines are written by a thread of its own: a reader that does not read, or a
    file on a disk that does not answer, would otherwise hold every thread that has something to log. What
    waits is bounded; what finds no room is lost, and the log says how much when it goes on."""

    MOST_LINES = 10_000
    LEAVE_S = 1.0

    def __init__(self) -> None:
        # A signal handler may log at any moment; the lock of a Queue might be held then.
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lost = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)

    def __enter__(self) -> Self:
        global _behind
        self._thread.start()
        _behind = self
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what waits, for a second; what hangs ends with the process."""
        global _behind
        self._lines.put(None)
        self._thread.join(self.LEAVE_S)
        if not self._thread.is_alive():
            _behind = None

    def put(self, line: str) -> None:
        """From any thread; never waits."""
        if self._lines.qsize() < self.MOST_LINES:
            self._lines.put(line)
        else:
            self._lost += 1

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            _write_raw(line)
            if self._lost and self._lines.empty():
                lost, self._lost = self._lost, 0
                get_logger().warning("lines of the log were lost: nobody took them in time", lines=lost)


_behind: LogWriter | None = None


def _write_raw(line: str) -> None:
    """Past Python's own buffer: a thread that hangs would hold its lock, and so the end of the process."""
    rest = line.encode(errors="backslashreplace")
    with contextlib.suppress(OSError, ValueError):
        while rest:
            rest = rest[os.write(sys.stderr.fileno(), rest) :]


def _for_people() -> structlog.dev.ConsoleRenderer:
    """Colours on a terminal only. Plain tracebacks: rich ones print every local variable, passwords too."""
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty() and "NO_COLOR" not in os.environ,
        exception_formatter=structlog.dev.plain_traceback,
    )
