"""A thread that classifies what is waiting, as one batch over all sources."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from monitor.classifiers.base import Classifier, judged
from monitor.clock import Clock, SystemClock
from monitor.errors import ClassifyError
from monitor.logs import get_logger
from monitor.runtime.mailbox import Mailbox
from monitor.types import Detection, Segment

log = get_logger()
REASONS = 4
"""Reasons for failing that count as logged already: a server that rests between attempts has two."""

OnJudged = Callable[[Sequence[Segment], Sequence[Detection], float], None]
"""Takes a batch, its detections, and the seconds they took."""


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """How a classifier is doing."""

    segments: int
    failures: int
    busy_s: float
    """Spent classifying since the start."""
    median_ms: float
    """Per batch, of the last hundred."""
    busy_since_s: float
    """How long the batch in hand has taken so far; 0 when there is none."""
    withheld: int = 0
    """Segments that it would have judged, had they been allowed to leave this machine."""
    failing: str | None = None
    """Why it could not judge the latest segment, and what to do; null while it can."""


class Worker(threading.Thread):
    """Takes segments from `mailbox` until it is closed and empty."""

    def __init__(
        self,
        classifier: Classifier,
        mailbox: Mailbox[Segment],
        judged: OnJudged,
        failed: Callable[[BaseException], None],
        batch: int = 16,
        clock: Clock | None = None,
        withheld: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__(name=f"classify-{classifier.name}", daemon=True)
        self.classifier = classifier
        self.mailbox = mailbox
        self._judged = judged
        self._failed = failed
        self._batch = batch
        self._clock = clock or SystemClock()
        self._withheld = withheld
        self._segments = self._failures = 0
        # Health shows a server that did not answer at the start before the first segment is sent to it.
        self._failing: str | None = classifier.trouble
        self._reasons: deque[str] = deque(maxlen=REASONS)
        self._busy_s = 0.0
        self._began_s: float | None = None
        self._dismissed = False
        self._recent_s: deque[float] = deque(maxlen=100)

    def run(self) -> None:
        """The thread: classifies what the mailbox holds, until it is closed and empty or the model dismissed.
        What nobody expected goes to `failed`."""
        try:
            while not self.mailbox.finished and not self._dismissed:
                if segments := self.mailbox.take(self._batch):
                    self._classify(segments)
            if self._dismissed:
                self.classifier.close()
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def dismiss(self) -> None:
        """End after the batch in hand, whatever else waits, and let the model go; from any thread."""
        self._dismissed = True
        self.mailbox.close()

    @property
    def idle(self) -> bool:
        """Whether every segment was classified and its findings passed on, or the thread has ended."""
        waiting = self.mailbox.figures()
        done = self._segments + self._failures
        return not self.is_alive() or (waiting.waiting == 0 and done >= waiting.taken)

    def figures(self) -> WorkerFigures:
        """A snapshot for the health message; from any thread."""
        began_s = self._began_s
        recent_s = list(self._recent_s)
        return WorkerFigures(
            segments=self._segments,
            failures=self._failures,
            busy_s=self._busy_s,
            median_ms=1000 * median(recent_s) if recent_s else 0.0,
            busy_since_s=self._clock.monotonic_s() - began_s if began_s is not None else 0.0,
            withheld=self._withheld(),
            failing=self._failing,
        )

    def _classify(self, segments: list[Segment]) -> None:
        self._began_s = self._clock.monotonic_s()
        began_s = time.perf_counter()
        try:
            detections = judged(self.classifier, segments)
        except ClassifyError as error:
            self._passed_over(segments, error)
            return
        finally:
            took_s = time.perf_counter() - began_s
            self._busy_s += took_s
            self._recent_s.append(took_s)
            self._began_s = None
        self._recovered()
        self._judged(segments, detections, took_s)
        self._segments += len(segments)

    def _passed_over(self, segments: list[Segment], error: ClassifyError) -> None:
        """One segment that cannot be judged must not cost the others of its batch."""
        if len(segments) > 1:
            for segment in segments:
                self._classify([segment])
            return
        self._failures += 1
        self._failing = why = str(error)
        # A server that is down all night is logged once, and again when it is back.
        write = log.debug if why in self._reasons else log.error
        write("could not classify", classifier=self.classifier.name, segment=segments[0].id, error=why)
        if why not in self._reasons:
            self._reasons.append(why)

    def _recovered(self) -> None:
        if self._failing is not None:
            log.info("classifying again", classifier=self.classifier.name, failures=self._failures)
            self._reasons.clear()
        self._failing = None
