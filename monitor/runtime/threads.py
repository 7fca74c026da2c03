"""Threads that end: by themselves before their time, which is a bug, or when they are waited for."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from monitor.logs import get_logger

log = get_logger()


@contextmanager
def supervised_threads(failed: Callable[[BaseException], None]) -> Iterator[None]:
    """Inside the `with` block `failed` gets what ends any thread of this process, a library's too, whatever
    it is: nobody would miss a thread that SystemExit has ended, and we would run on without it. A thread that
    has a place for its own bugs gets here by what that place does not catch."""
    before = threading.excepthook

    def ended(args: threading.ExceptHookArgs) -> None:
        failed(args.exc_value or args.exc_type())

    threading.excepthook = ended
    try:
        yield
    finally:
        threading.excepthook = before


def as_bug(error: BaseException) -> Exception:
    """What has ended a thread, as an error of the daemon. SystemExit itself would end it in order, and
    systemd would leave it at that."""
    if isinstance(error, Exception):
        return error
    bug = RuntimeError(f"a thread was ended by {type(error).__name__}")
    bug.__cause__ = error
    return bug


def join_all(threads: Sequence[threading.Thread], within_s: float) -> None:
    """Wait until all have ended, `within_s` for all together. One that hangs is named and left behind; ours
    are daemon threads, which end with the process."""
    until_s = time.monotonic() + within_s
    for thread in threads:
        if thread.ident is None:
            continue  # a start-up that was interrupted
        thread.join(max(0.0, until_s - time.monotonic()))
    if left := [thread.name for thread in threads if thread.is_alive()]:
        log.warning("does not stop and is left behind", threads=left)


def closed_within(closes: Sequence[Callable[[], object]], within_s: float, name: str) -> None:
    """Call all of these at once, each in a thread of its own, and wait `within_s` for all together: what
    waits for a disk that does not answer is left behind."""
    threads = [threading.Thread(target=close, name=name, daemon=True) for close in closes]
    for thread in threads:
        thread.start()
    join_all(threads, within_s)
