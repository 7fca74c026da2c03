"""One life of the daemon after another: SIGHUP has the configuration read anew."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.console import note, warn
from monitor.cli.sigint import quits_at_once
from monitor.cli.time_zone import zone_problem
from monitor.config.loading import OWN
from monitor.config.model import Config
from monitor.config.overrides import FILE as OVERRIDES
from monitor.config.taught import FOLDER as TAUGHT
from monitor.errors import ConfigError, EarwitnessError
from monitor.logs import LogWriter, configure_logging, get_logger, write_line
from monitor.publishers import PublisherConfig
from monitor.publishers.jsonl import JsonlConfig
from monitor.types import Health

if TYPE_CHECKING:
    from monitor.app import Daemon
    from monitor.web.page import Page

log = get_logger()


class Lives:
    """Listens with `config`, and with each that `read` finds changed after it, until it is stopped.

    SIGHUP without a terminal has `read` called. A configuration that it refuses (EarwitnessError) is logged,
    and the one in force stays. Where nothing but rules, thresholds and what was taught differs they are
    exchanged while everything goes on; any other difference, and a taught sound that was forgotten, ends what
    is heard in order and begins anew in this process. A
    configuration with which the daemon cannot be opened is given up for the one before. What is changed
    without the configuration (`overrides.json`), or taught, has it read anew within seconds, on a terminal
    too; so does the first configuration, written on the page.

    On a terminal SIGHUP means that the terminal is gone, and everything ends in order.
    """

    def __init__(
        self,
        config: Config,
        read: Callable[[], Config] | None,
        *,
        verbose: bool,
        heeds_hangups: bool = True,
    ) -> None:
        from monitor.runtime.systemd import Systemd

        self._read = read
        self._heeds_hangups = heeds_hangups and read is not None
        self._verbose = verbose
        self._systemd = Systemd()
        self._daemon: Daemon | None = None
        self._config = config
        self._next: Config | None = config
        self._former: Config | None = None
        self._stopped = self._hung_up = False
        self._reading = threading.Event()
        self._changes = ChangedFiles(self._hang_up)
        self._changes.watch(_changed_outside(config))

    def listen(self) -> None:
        """Until the end. Raises what the daemon raises, EarwitnessError too."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._stop())
        signal.signal(signal.SIGUSR1, lambda *_: self._show_health())
        self._heed_hangups()
        with LogWriter():
            while self._next is not None and not self._stopped:
                self._config, self._next = self._next, None
                configure_logging(
                    level=_log_level(self._config, self._verbose), json=self._config.log.json_lines
                )
                if problem := zone_problem():
                    log.warning(problem)
                self._live()

    def _live(self) -> None:
        with quits_at_once():
            from monitor.app import Daemon
            from monitor.runtime.housekeeper import Housekeeper
        self._changes.watch(_changed_outside(self._config))
        daemon = self._daemon = Daemon(self._config, systemd=self._systemd, look=self._changes.look)
        with ExitStack() as life:
            try:
                life.enter_context(daemon)
            except EarwitnessError as error:
                if self._former is None:
                    raise
                log.error(
                    "the new configuration cannot be used; the old one is used again",
                    problems=_problems(error),
                )
                self._next, self._former = self._former, None
                return
            _show_page(daemon.page)
            # What came while nothing was there that could heed it.
            if self._hung_up:
                daemon.ask(self._reload)
            if self._stopped:
                daemon.stop()
            if self._read is not None:
                life.enter_context(Housekeeper(lambda last: self._changes.look(), daemon.fail))
            daemon.run()

    def _show_health(self) -> None:
        if self._daemon is not None:
            self._daemon.report_health(_print_health)

    def _stop(self) -> None:
        self._stopped = True
        if self._daemon is not None:
            self._daemon.stop()

    def _hang_up(self) -> None:
        self._hung_up = True
        if self._daemon is not None:
            self._daemon.ask(self._reload)

    def _heed_hangups(self) -> None:
        if not self._heeds_hangups or _has_terminal():
            # Under nohup it is ignored, and stays so.
            if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
                signal.signal(signal.SIGHUP, lambda *_: self._stop())
        else:
            signal.signal(signal.SIGHUP, lambda *_: self._hang_up())

    def _reload(self) -> None:
        """In the main thread, while the daemon runs."""
        daemon, read = self._daemon, self._read
        if not self._hung_up or daemon is None or read is None:
            return
        if self._reading.is_set():
            return  # it is read again afterwards
        self._hung_up = False
        self._systemd.reloading()
        self._reading.set()

        def work() -> None:
            try:
                fresh: Config | EarwitnessError = read()
            except EarwitnessError as error:
                fresh = error
            except BaseException as bug:  # noqa: BLE001 - the one place of this thread: the daemon ends with it
                daemon.fail(bug)
                return
            daemon.ask(lambda: self._take(daemon, fresh))

        # The disk may not answer, and the main thread feeds the watchdog.
        threading.Thread(target=work, name="reload", daemon=True).start()

    def _take(self, daemon: "Daemon", fresh: Config | EarwitnessError) -> None:
        """What was read, in the main thread."""
        self._reading.clear()
        if self._hung_up:
            daemon.ask(self._reload)
        if isinstance(fresh, EarwitnessError):
            log.error("the configuration is wrong; the old one stays in use", problems=_problems(fresh))
            self._systemd.ready()
        elif self._begins_anew(daemon, fresh):
            log.info("the configuration has changed; listening starts again")
            self._next, self._former = fresh, self._config
            daemon.stop()
        else:
            self._systemd.ready()

    def _begins_anew(self, daemon: "Daemon", fresh: Config) -> bool:
        from monitor.pipeline.build import only_decisions_differ

        if fresh == self._config:
            log.info("the configuration has not changed")
            return False
        if not only_decisions_differ(self._config, fresh):
            return True
        daemon.exchange(fresh)
        self._config = fresh
        return False


class ChangedFiles:
    """Calls `changed` at a look that finds other files than the look before: files that are always there
    whole or not at all, and folders of such files."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._seen: dict[Path, ProcessMark | None] = {}

    def watch(self, files: Iterable[Path]) -> None:
        """Look at these from now on; of one that was looked at before, nothing is missed."""
        self._seen = {file: self._seen[file] if file in self._seen else _mark(file) for file in files}

    def look(self) -> None:
        """In a thread that may wait for a disk."""
        seen, now = self._seen, {file: _mark(file) for file in self._seen}
        self._seen = now
        if seen != now:
            self._changed()


ProcessMark = tuple[int, int, int]


def _mark(file: Path) -> ProcessMark | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _changed_outside(config: Config) -> list[Path]:
    """What is changed without the configuration; and the configuration that somebody writes on the page."""
    folder = config.state_folder()
    files = [folder / OVERRIDES, folder / TAUGHT]
    return files if config.file else [*files, OWN.expanduser()]


def _show_page(page: "Page | None") -> None:
    """Where the page is, for whoever has just started it; the log says more to others."""
    if page is not None and page.is_open:
        note(f"Page: {page.address}")
    elif page is not None and page.fault:
        warn(f"the page is {page.fault}")


def _has_terminal() -> bool:
    """Whether closing a window may mean us. A service has no terminal of its own."""
    if any(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr) if stream):
        return True
    with suppress(OSError):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        return True
    return False


def is_shown_here(block: PublisherConfig) -> bool:
    """Whether a publisher writes to standard output."""
    return block.type == "console" or (isinstance(block, JsonlConfig) and block.path is None)


def _log_level(config: Config, verbose: bool) -> str:
    """On a terminal a publisher shows what was heard; the log would repeat it."""
    if verbose:
        return "info"
    shown = sys.stderr.isatty() and any(map(is_shown_here, config.publishers))
    return "warning" if shown and config.log.level == "info" else config.log.level


def _print_health(health: Health) -> None:
    write_line(json.dumps({"at": health.at.isoformat(), **health.values}, indent=2))


def _problems(error: EarwitnessError) -> list[str]:
    return error.problems if isinstance(error, ConfigError) else [str(error)]
