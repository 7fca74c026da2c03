"""The daemon's health: a snapshot for people, and the check that feeds the watchdog."""

import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.runtime.capture import CaptureThread
from monitor.runtime.mailbox import Mailbox
from monitor.runtime.progress import Progress, surplus_text
from monitor.runtime.systemd import Systemd
from monitor.runtime.worker import Worker
from monitor.types import Health

log = get_logger()

STALLED_S = 20.0
"""A small queue without a taker, a small model at one batch, or an online source without a frame past its
own limit, for this long: something hangs. A long queue that still drains is not a stall."""
OPENING_S = 300.0
"""An attempt to open a source that takes this long hangs: the longest time-outs add up to four minutes."""


class Checkup:
    """Checks the other threads; methods may be called from any thread."""

    def __init__(
        self,
        captures: Callable[[], Sequence[CaptureThread]],
        workers: Sequence[Worker],
        mailboxes: Mapping[str, Mailbox[Any]],
        clock: Clock,
        vital: frozenset[str],
        progress: Progress | None = None,
    ) -> None:
        self._captures = captures
        self._workers = workers
        self._mailboxes = mailboxes
        self._clock = clock
        self._vital = vital
        self._progress = progress or Progress(clock)
        self._started_s = clock.monotonic_s()
        self._cpu_before_s = _cpu_s()
        self._overflowed: set[str] = set()
        self._stalled: list[str] = []

    def feed(self, systemd: Systemd) -> list[str]:
        """Feed the watchdog while nothing has stopped moving; logged when that changes. Returns what has
        stopped. In the main thread."""
        stalled = self.stalled()
        if not stalled:
            systemd.alive()
        if stalled and not self._stalled:
            log.error("something has stopped moving; the watchdog is not fed", stalled=stalled)
        elif self._stalled and not stalled:
            log.info("everything moves again")
        self._stalled = stalled
        return stalled

    def stalled(self) -> list[str]:
        """The parts that hang, one text each; empty while all is well. The watchdog is fed only then.

        A source that is offline does not count: its thread waits for the next attempt. A single source that
        hangs is taken offline by itself; if every source hangs, the daemon is at fault. The large model's
        queue does not count: a large model that hangs must not stop the alarms.
        """
        stuck = [
            f"queue {name}: nobody has taken anything for {waiting.stuck_s:.0f} s"
            for name, mailbox in self._mailboxes.items()
            if name in self._vital and (waiting := mailbox.figures()).stuck_s > STALLED_S
        ]
        busy = [
            f"classifier {worker.classifier.name}: at the same batch for {busy_s:.0f} s"
            for worker in self._workers
            if worker.classifier.name in self._vital and (busy_s := worker.figures().busy_since_s) > STALLED_S
        ]
        alive = [each for each in self._captures() if not each.done.is_set()]
        still = [line for each in alive if (line := standing_still(each))]
        return (still if len(still) == len(alive) else []) + stuck + busy

    def snapshot(self) -> Health:
        """Everything a person or a dashboard may ask for, as plain JSON values."""
        uptime_s = max(self._clock.monotonic_s() - self._started_s, 1e-9)
        values = {
            "uptime_s": round(uptime_s, 1),
            "memory_mb": _resident_mb(),
            "cpu_share": round((_cpu_s() - self._cpu_before_s) / uptime_s, 4),
            "stalled": self.stalled(),
            "lagging": self._progress.lagging(),
            "sources": self._sources(),
            "queues": {name: _rounded(asdict(box.figures())) for name, box in self._mailboxes.items()},
            "classifiers": {
                worker.classifier.name: _rounded(asdict(figures := worker.figures()))
                | {"share": round(figures.busy_s / uptime_s, 4)}
                for worker in self._workers
            },
        }
        return Health(self._clock.now(), values)

    def _sources(self) -> dict[str, dict[str, Any]]:
        figures = {capture.source.name: _source_figures(capture) for capture in self._captures()}
        for name, lag_s in self._progress.lags_s().items():
            figures[name]["lag_s"] = round(lag_s, 3)
        for name, each in figures.items():
            if each["overflows"] and name not in self._overflowed:
                self._overflowed.add(name)
                fix = f"health counts them from now on as `overflows`; {_why_lost(name, each['surplus'])}"
                log.warning("sound was lost: it was not read in time", source=name, fix=fix)
        return figures


def summary(health: Health) -> str:
    """One line for the log and `systemctl status`."""
    values = health.values
    sources = values["sources"].values()
    online = sum(source["online"] for source in sources)
    dropped = sum(queue["dropped"] for queue in values["queues"].values())
    share = sum(classifier["share"] for classifier in values["classifiers"].values())
    return (
        f"{online} of {len(sources)} sources online, {100 * values['cpu_share']:.1f} % of a core, "
        f"classifying {100 * share:.1f} % of the time, {dropped} dropped, {values['memory_mb']:.0f} MB"
    )


def standing_still(capture: CaptureThread) -> str:
    """What is wrong with a source that neither delivers nor notices that it does not; empty if nothing. From
    any thread."""
    name = capture.source.name
    if capture.done.is_set():
        return ""
    opening_s, since_frame_s = capture.waiting_s()
    if opening_s > OPENING_S:
        return f"source {name}: has been opening for {opening_s:.0f} s"
    if since_frame_s > capture.source.patience_s + STALLED_S:
        return f"source {name}: no frame for {since_frame_s:.0f} s"
    return ""


def _source_figures(capture: CaptureThread) -> dict[str, Any]:
    figures = _rounded(asdict(capture.figures()))
    source = capture.source
    return figures | {
        "drift_ppm": round(source.drift_ppm, 4),
        "clock_offset_s": round(source.clock_offset_s, 4),
        "overflows": source.overflows,
        "surplus": round(source.surplus, 1),
        **({"network": dict(source.network)} if source.network else {}),
    }


def _why_lost(name: str, surplus: float) -> str:
    return surplus_text(name, surplus) if surplus > 1 else "this machine has more to do than it can"


def _rounded(figures: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in figures.items()}


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _resident_mb() -> float:
    """Resident memory now (Linux); the peak where /proc is not there."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            pages = int(statm.read().split()[1])
    except OSError:
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return round(pages * resource.getpagesize() / 1e6, 1)
