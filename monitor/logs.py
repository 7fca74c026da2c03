"""Structured logging: readable on a terminal, one JSON object per line otherwise."""

import contextlib
import logging
import os
import sys
from typing import Any

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
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _StandardError(),
        cache_logger_on_first_use=False,
    )


class _StandardError:
    """Writes lines to standard error, wherever that now leads.

    A line that cannot be written (the disk under it is full, the reader of the pipe has gone) is lost: a
    thread that has an alert to deliver must not end because nobody reads its log.
    """

    def msg(self, message: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            # One write: lines of several threads must not run into one another.
            sys.stderr.write(message + "\n")
            sys.stderr.flush()

    log = debug = info = warning = error = critical = exception = msg


def _for_people() -> structlog.dev.ConsoleRenderer:
    """Colours on a terminal only. Plain tracebacks: rich ones print every local variable, passwords too."""
    return structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty() and "NO_COLOR" not in os.environ,
        exception_formatter=structlog.dev.plain_traceback,
    )
