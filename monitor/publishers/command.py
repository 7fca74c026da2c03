"""Alerts to a program of one's own: a siren, a relay, a telephone call."""

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field

from monitor.clock import Attempts, Clock
from monitor.labels import SEVERITIES, Severity
from monitor.logs import get_logger
from monitor.publishers.base import DELIVERED, Failed, OnCommand, OnOutcome, PublishOutcome, ignore
from monitor.publishers.documents import document, encoded
from monitor.publishers.local import Local
from monitor.schema import Secret, Slug, Switched
from monitor.types import Alert, Message

log = get_logger()
FIELDS = ("id", "rule", "severity", "message", "sources", "labels", "raised_at", "late", "test", "update")
"""Of an alert's document, what may stand in an argument."""
_FIELD = re.compile(r"\{([a-z_]+)\}")
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR", "PULSE_SERVER")
"""Of our own environment, which holds keys, what a program may need to run at all."""
KILLED_S = 5.0
"""What a program gets to be gone once it was killed."""
_MOST_COMPLAINT_BYTES = 300


def _check_argv(argv: tuple[str, ...]) -> tuple[str, ...]:
    if argv and not argv[0].startswith("/"):
        raise ValueError(f"{argv[0]!r} is searched for nowhere: write the program's whole path first")
    for name in _FIELD.findall(" ".join(argv)):
        if name not in FIELDS:
            raise ValueError(f"{{{name}}} is nothing of an alert; there are {', '.join(FIELDS)}")
    return argv


class CommandConfig(Switched):
    """Runs a program for each alert, without a shell and with a time limit. It can be set only in this
    file."""

    type: Literal["command"]
    name: Slug = "command"
    """Name of this publisher in logs and in the outbox."""
    argv: Annotated[tuple[str, ...], AfterValidator(_check_argv), Field(min_length=1)]
    """The full path of the program and its arguments. `{rule}`, `{message}` and other fields of the alert
    are filled in. The program gets the whole alert as JSON on standard input."""
    rules: tuple[str, ...] = ()
    """Only alerts of these rules. Empty: all rules."""
    min_severity: Severity = "info"
    """Milder alerts do not run it. A stale alert counts as `info`."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """After this time the program is killed, and run again later."""
    environment: dict[str, Secret] = {}
    """Environment variables for the program. Of the daemon's own variables it gets only those that it
    needs to run."""

    def build(self, node: str, on_command: OnCommand, clock: Clock) -> "CommandPublisher":
        """The publisher; nothing is run yet."""
        return CommandPublisher(self, node, clock)


class CommandPublisher(Local):
    """See `Publisher`. Blocks in its sender's thread for `timeout_s` at most. Exit code 0 is delivered; after
    any other `ready` is false until the next attempt is due (1-30 s, doubling)."""

    def __init__(self, config: CommandConfig, node: str, clock: Clock) -> None:
        super().__init__(config.name)
        self._config = config
        self._node = node
        self._clock = clock
        self._attempts = Attempts(clock)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """A program that still runs is killed; its alert is kept."""
        with self._lock:
            _kill(self._process)

    def ready(self) -> bool:
        """Whether the next attempt is due."""
        return self._attempts.due()

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """Run the program for an alert and wait for its end."""
        wanted = isinstance(message, Alert) and self._is_wanted(message)
        done(self._run(message, late=late) if wanted else DELIVERED)

    def _is_wanted(self, alert: Alert) -> bool:
        if self._config.rules and alert.rule not in self._config.rules:
            return False
        return SEVERITIES.index(alert.severity) >= SEVERITIES.index(self._config.min_severity)

    def _run(self, message: Message, *, late: bool) -> PublishOutcome:
        alert = {"node": self._node, **document(message, self._clock.now(), late=late)}
        try:
            why = self._ended([filled(each, alert) for each in self._config.argv], encoded(alert))
        except (OSError, ValueError) as error:  # ValueError: a NUL in an argument
            why = f"cannot be started: {getattr(error, 'strerror', None) or error}"
        if why:
            if self._attempts.failed():
                text = "the command did not succeed; its alert is kept and it is run again"
                log.warning(text, publisher=self.name, reason=why)
            return Failed(why)
        if failed := self._attempts.worked():
            log.info("command works again", publisher=self.name, failed_attempts=failed)
        return DELIVERED

    def _ended(self, argv: list[str], alert: bytes) -> str:
        """Why it did not succeed; empty where it did. What it leaves running in the background runs on."""
        with _in_memory() as given:
            given.write(alert + b"\n")
            given.seek(0)
            with self._lock:
                process = self._process = subprocess.Popen(
                    argv,
                    stdin=given,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    cwd="/",
                    env=self._environment(),
                    start_new_session=True,
                )
        complaint = _Complaint(process.stderr)
        try:
            code = process.wait(self._config.timeout_s)
        except subprocess.TimeoutExpired:
            _kill(process)
            with suppress(subprocess.TimeoutExpired):  # one that waits for a disk cannot even be killed
                process.wait(KILLED_S)
            return f"not done within {self._config.timeout_s:g} s"
        return f"exit code {code}{complaint.text()}" if code else ""

    def _environment(self) -> dict[str, str]:
        ours = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return ours | {name: value.get_secret_value() for name, value in self._config.environment.items()}


def filled(argument: str, alert: Mapping[str, Any]) -> str:
    """An argument with the alert's fields in it. What is put in is not looked through again, and stays one
    argument, whatever it holds."""
    return _FIELD.sub(lambda found: _word(alert[found[1]]) if found[1] in FIELDS else found[0], argument)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _in_memory() -> IO[bytes]:
    """A file on no disk where the system has such files: a disk that is full, or hangs, holds up no alert."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("alert"), "w+b")
    return tempfile.TemporaryFile()


class _Complaint:
    """The first words on standard error; the rest is read and let go, or the program would wait for us."""

    def __init__(self, stderr: IO[bytes] | None) -> None:
        self._stderr = stderr
        self._found = b""
        self._thread = threading.Thread(target=self._drain, name="command-stderr", daemon=True)
        self._thread.start()

    def text(self) -> str:
        """After its end; one that it left running may still hold the pipe."""
        self._thread.join(0.5)
        words = " ".join(self._found[:_MOST_COMPLAINT_BYTES].decode(errors="replace").split())
        return f": {words}" if words else ""

    def _drain(self) -> None:
        assert self._stderr is not None
        with self._stderr, suppress(OSError, ValueError):
            while news := self._stderr.read1(4096):  # type: ignore[attr-defined]
                self._found = (self._found + news)[:_MOST_COMPLAINT_BYTES]


def _kill(process: subprocess.Popen[bytes] | None) -> None:
    """With everything that it started."""
    if process is not None and process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
