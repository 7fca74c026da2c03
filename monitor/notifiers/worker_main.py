"""The process in which Apprise runs: started by `notifiers.workers` as a file of its own.

Without any import of ours, so that it is small: it loads Apprise once and then forks a worker for each
receiver, which finds everything loaded. A worker is given its URL and then one message after the other, as
lines of JSON over its socket. While it sends it has a deadline, kept by the kernel, and never more than so
much memory.
"""

import base64
import json
import logging
import os
import resource
import signal
import socket
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

MEMORY_BYTES = 256 * 2**20
"""What a worker may take beyond what it begins with."""
_MOST_COMPLAINT = 2000


def main() -> None:
    """Fork a worker for each socket that comes over standard input, until that is closed: then all end."""
    # Ctrl-C and systemd's SIGTERM are for the daemon: it has alerts to send yet, and then closes our input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    control = socket.socket(fileno=0)
    apprise = _loaded()
    while fds := socket.recv_fds(control, 1, 1)[1]:
        if os.fork() == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with suppress(OSError):  # the daemon has closed its end: nobody waits for the answer
                _serve(apprise, socket.socket(fileno=fds[0]))
            os._exit(0)
        os.close(fds[0])
    os.killpg(0, signal.SIGKILL)  # a worker that hangs would outlive us


def _loaded() -> Any:
    """Apprise with all that it otherwise loads at the first message, when the disk may be slow."""
    import apprise

    apprise.Apprise.instantiate("json://localhost")
    return apprise


def _serve(apprise: Any, connection: socket.socket) -> None:
    complaints = _CaughtWarnings()
    logger = logging.getLogger("apprise")
    logger.addHandler(complaints)
    logger.propagate = False
    _bound_memory()
    with connection.makefile("rw", encoding="utf-8", newline="\n") as lines:
        if (receiver := _parsed(lines.readline())) is None:
            return
        plugin = _plugin(apprise, receiver, {})
        _answer(lines, taken=plugin is not None, why=complaints.last or "Apprise does not understand its URL")
        for line in lines:
            if (message := _parsed(line)) is None:
                return
            complaints.last = ""
            signal.setitimer(signal.ITIMER_REAL, message.pop("within_s"))  # SIGALRM: the end
            query = message.pop("query", {})
            taken, why = _sent(apprise, _plugin(apprise, receiver, query) if query else plugin, message)
            signal.setitimer(signal.ITIMER_REAL, 0)
            _answer(lines, taken=taken, why=why or complaints.last)


def _parsed(line: str) -> dict[str, Any] | None:
    """What the daemon asks; None where it has ended, perhaps in the middle of a line."""
    return json.loads(line) if line.endswith("\n") else None


def _bound_memory() -> None:
    with (
        suppress(OSError),
        open("/proc/self/statm", encoding="ascii") as statm,
    ):  # elsewhere the deadline bounds it
        limit = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE") + MEMORY_BYTES
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _plugin(apprise: Any, receiver: dict[str, Any], query: dict[str, str]) -> Any:
    """The service; `query` is what this message asks of it beside what its URL does."""
    url = receiver["url"]
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote)
    asset = apprise.AppriseAsset(
        app_id="earwitness", app_desc="earwitness", app_url="", async_mode=False, secure_logging=True
    )
    try:
        plugin = apprise.Apprise.instantiate(url, asset=asset)
    except Exception:  # noqa: BLE001 - see _sent
        return None
    if plugin is not None:
        plugin.socket_connect_timeout = plugin.socket_read_timeout = receiver["timeout_s"]
        # Apprise's own pause goes by the wall clock: set back an hour, it would sleep for an hour.
        plugin.request_rate_per_sec = 0.0
    return plugin


def _sent(apprise: Any, plugin: Any, message: dict[str, Any]) -> tuple[bool, str]:
    """The service is asked in this thread: Apprise's own pool of threads outlives the deadline. A picture
    is not sent to a service that takes none: its words alone are known already."""
    name = message.pop("picture_name", None)
    try:
        if name is not None:
            if not plugin.attachment_support:
                return True, ""
            message["attach"] = _attached(apprise, name, message.pop("picture"))
        return bool(plugin.notify(**message)), ""
    except MemoryError:
        return False, "the answer is too large"
    except Exception as error:  # noqa: BLE001 - a hundred services by a hundred hands; any may raise anything
        return False, type(error).__name__


def _attached(apprise: Any, name: str, picture: str) -> Any:
    from apprise.attachment.memory import AttachMemory

    content = base64.b64decode(picture)
    return apprise.AppriseAttachment(AttachMemory(content=content, name=name, mimetype="image/png"))


def _answer(lines: Any, *, taken: bool, why: str) -> None:
    lines.write(json.dumps({"taken": taken, "why": why[:_MOST_COMPLAINT]}) + "\n")
    lines.flush()


class _CaughtWarnings(logging.Handler):
    """Catches what Apprise complains of. It otherwise writes to standard error by itself."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()


if __name__ == "__main__":
    main()
