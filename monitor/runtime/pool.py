"""Runs the classifiers: all segments go to the small ones, segments in doubt then to the large ones."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Self

from monitor.classifiers.base import Classifier, Wants
from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.runtime.mailbox import Mailbox
from monitor.runtime.threads import join_all
from monitor.runtime.worker import Worker
from monitor.types import Detection, Findings, Segment

log = get_logger()

WAITING = 64
"""Segments that may wait for a small model: about ten seconds of eight busy sources."""
WAITING_PER_SOURCE = 2
"""Of more than 32 sources: a slammed door is heard in every room at once, as a segment that ends and one that
begins. Chosen for memory: with 128 sources and 3 s each these are 50 MB, for a second."""
WAITING_AGAIN = 16
"""Segments that may wait for a large model; more than that would be answered too late to matter."""
NEW_S = 0.6
"""A sound is new until it has lasted so long: the look after 0.5 s is the first at it. Were the one after
0.84 s one too, new sounds would be judged no sooner, and what has ended later."""
FIRST = 2
"""Urgency of the first look at a sound. Reckoned for 64 busy rooms, a sixth more looks than can be judged:
95 % of new sounds are first judged within 0.37 s, not 0.59 s; what ended within 0.63 s, not 0.59 s."""
FINISH_S = 1.0
"""What the small models get, on an orderly stop, to judge what still waits. The large ones get less."""


class ClassifierPool:
    """One thread and one mailbox per classifier. Their findings go to `heard`, from their threads.

    A bug in a small model stops the daemon through `failed`. A large one that breaks is unloaded and logged:
    the alarms do not depend on it.
    """

    def __init__(
        self,
        first: Sequence[Classifier],
        second: Sequence[tuple[Classifier, Wants]],
        heard: Callable[[Findings], None],
        failed: Callable[[BaseException], None],
        clock: Clock,
        sources: int = 1,
    ) -> None:
        """`sources`: how many there are."""
        self._heard = heard
        waiting = max(WAITING, WAITING_PER_SOURCE * sources)
        self._first = [self._worker(each, waiting, self._judged, failed, clock) for each in first]
        self._second = [
            (
                self._worker(
                    each,
                    WAITING_AGAIN,
                    self._judged_again,
                    partial(self._retire, each.name),
                    clock,
                    partial(_withheld, cascade),
                ),
                cascade,
            )
            for each, cascade in second
        ]
        self.retired: dict[str, str] = {}
        """Large models that were unloaded, by name, with the reason."""

    @property
    def workers(self) -> list[Worker]:
        """All threads, small models first."""
        return [*self._first, *(worker for worker, _ in self._second)]

    @property
    def idle(self) -> bool:
        """Whether everything submitted has been judged, by the large models too."""
        return all(worker.idle for worker in self.workers)

    @property
    def vital(self) -> Mapping[str, Mailbox[Segment]]:
        """The mailboxes of the small models, by name: one that is stuck is an emergency."""
        return {worker.classifier.name: worker.mailbox for worker in self._first}

    @property
    def mailboxes(self) -> Mapping[str, Mailbox[Segment]]:
        """All mailboxes, by the name of their classifier."""
        return {worker.classifier.name: worker.mailbox for worker in self.workers}

    def __enter__(self) -> Self:
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Judge what waits, small models first, for the large ones may get the last of it."""
        _finish(self._first, FINISH_S)
        _finish([worker for worker, _ in self._second], FINISH_S / 4)

    def submit(self, segment: Segment) -> None:
        """A segment or an early look from any thread. The first look at a new sound goes before everything
        else. In a crowd, where not all can wait, looks are dropped, later ones first: the finished segment
        holds all that they held. A look that still waits when there is a newer one of its sound, or the
        finished segment, is not judged: what it held, that holds as well, in its place."""
        urgency, worth = _urgency_and_worth(segment)
        overtaking = FIRST if urgency == FIRST else 0
        for worker in self._first:
            worker.mailbox.put(segment, urgency, overtaking=overtaking, worth=worth, about=segment.id)
        if not self._first:
            self._pass_on(segment, [])

    def shed_large_models(self, why: str) -> bool:
        """Take the large models off, for they take more than there is: whether there were any."""
        spared = [worker for worker, _ in self._second if worker.classifier.name not in self.retired]
        for worker in spared:
            name = worker.classifier.name
            self.retired[name] = f"taken off: {why}"
            log.error("the large model is taken off; listening goes on without it", classifier=name, why=why)
            worker.dismiss()
        return bool(spared)

    def _judged(self, segments: Sequence[Segment], detections: Sequence[Detection], took_s: float) -> None:
        found: dict[str | None, list[Detection]] = defaultdict(list)
        for detection in detections:
            found[detection.segment_id].append(detection)
        for segment in segments:
            self._heard(Findings(segment.source, segment.ends_at, tuple(found[segment.id])))
            self._pass_on(segment, found[segment.id])
            if segment.ended_by != "open":
                _log(segment, found[segment.id], took_s)

    def _judged_again(
        self, segments: Sequence[Segment], detections: Sequence[Detection], took_s: float
    ) -> None:
        for segment in segments:
            found = tuple(each for each in detections if each.segment_id == segment.id)
            self._heard(Findings(segment.source, segment.ends_at, found))
            if segment.ended_by != "open":
                _log(segment, found, took_s)

    def _pass_on(self, segment: Segment, detections: Sequence[Detection]) -> None:
        urgency = 0 if segment.ended_by == "open" else 1
        for worker, cascade in self._second:
            if worker.classifier.name not in self.retired and cascade.wants(segment, detections):
                wanted = cascade.narrowed(segment, detections)
                # Of a sound that goes on, a slow model gets the newest look alone, or the finished segment.
                worker.mailbox.put(wanted, urgency, overtaking=urgency, about=segment.id)

    def _retire(self, name: str, error: BaseException) -> None:
        self.retired[name] = f"taken off after an error ({error!r})"
        log.error("the large model broke; listening goes on without it", classifier=name, exc_info=error)

    @staticmethod
    def _worker(
        classifier: Classifier,
        capacity: int,
        judged: Callable[[Sequence[Segment], Sequence[Detection], float], None],
        failed: Callable[[BaseException], None],
        clock: Clock,
        withheld: Callable[[], int] = lambda: 0,
    ) -> Worker:
        mailbox: Mailbox[Segment] = Mailbox(classifier.name, capacity, clock)
        return Worker(classifier, mailbox, judged, failed, clock=clock, withheld=withheld)


def _finish(workers: Sequence[Worker], patience_s: float) -> None:
    for worker in workers:
        worker.mailbox.close()
    join_all(workers, patience_s)


def _log(segment: Segment, detections: Sequence[Detection], took_s: float) -> None:
    """The log line of a segment."""
    best = sorted(detections, key=lambda each: each.score, reverse=True)[:3]
    log.info(
        "heard",
        segment=segment.id,
        source=segment.source,
        duration_s=round(segment.audio.duration_s, 2),
        peak_dbfs=round(segment.peak_dbfs, 1),
        floor_dbfs=round(segment.floor_dbfs, 1),
        speech_ratio=round(segment.speech_ratio, 2),
        labels=" ".join(f"{each.label}={each.score:.2f}" for each in best),
        by=best[0].classifier if best else None,
        took_ms=round(1000 * took_s, 1),
    )


def _urgency_and_worth(segment: Segment) -> tuple[int, int]:
    """Of a segment that small models are to judge: what goes first, and what is dropped last."""
    if segment.ended_by != "open":
        return 1, 2
    is_new = segment.audio.duration_s - segment.onset_s <= NEW_S
    return (FIRST, 1) if is_new else (0, 0)


def _withheld(cascade: Wants) -> int:
    return cascade.withheld
