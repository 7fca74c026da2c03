"""The whole loop over recordings, without threads, faster than real time."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from monitor.audio import Piece
from monitor.classifiers.base import Classifier, judged_each
from monitor.clock import BEGINNING, TICK_S, SystemClock
from monitor.config.model import Config
from monitor.errors import ClassifierError, ClassifyError, SourceError
from monitor.logs import configure_logging
from monitor.pipeline.build import LoadedClassifiers, build_decision_engine, build_front_end, load_classifiers
from monitor.recordings.rows import AnalysisResults, ResultRow
from monitor.recordings.soundness import Soundness
from monitor.sources.file import FileConfig
from monitor.types import Detection, Findings, Frame, Segment

SOURCE = "file"
"""The name that a recording's source has in events and rules."""

TICK = timedelta(seconds=TICK_S)
MOST_LOOKS_AHEAD, MOST_PIECES_AHEAD = 32, 120
"""Looks that are judged at once, and the pieces of half a second in which they are gathered: some 6 MB of
sound."""

Watch = Callable[[Frame, Findings | None, list[Detection]], None]
"""Shown every frame with what front end and classifiers made of it."""


@dataclass
class Analysis:
    """What was heard in one recording."""

    file: str
    rows: list[ResultRow] = field(default_factory=list)
    """Events and alerts as printed, by their start."""
    duration_s: float = 0.0
    error: str | None = None
    """Why it could not be read, or not to its end."""
    faults: list[str] = field(default_factory=list)
    """What is wrong with its sound throughout, as of a microphone that is dead."""


def analyze(
    path: Path,
    config: Config,
    classifiers: LoadedClassifiers,
    source: str = SOURCE,
    watch: Watch | None = None,
) -> Analysis:
    """Run the whole loop over one recording, with the settings of the configured source of that name if
    there is one. Never raises for what is wrong with the file."""
    block = file_block(path, config, source)
    loop = _Loop(config, block, classifiers, watch)
    result = Analysis(str(path))
    recording = block.build(SystemClock())
    try:
        with recording:
            for piece in recording.pieces():
                loop.hear(piece)
    except SourceError as error:
        result.error = str(error)
    loop.finish()
    result.faults = loop.soundness.faults(recording.unreal_s)
    result.error = result.error or (f"{path}: {loop.unheard}" if loop.unheard else None)
    result.duration_s = loop.heard_s
    result.rows = list(loop.ledger.rows(result.file))
    return result


def analyze_all(
    paths: Iterable[Path], config: Config, source: str = SOURCE, workers: int | None = None
) -> Iterator[Analysis]:
    """Many recordings over the machine's cores, each whole on one; results in the order of `paths`. For the
    main thread. ClassifierError where a process was killed."""
    # Not forked: the parent's threads (onnxruntime's, the progress bar's) would leave their locks held.
    spawn = multiprocessing.get_context("spawn")
    count = workers or os.cpu_count()
    pool = ProcessPoolExecutor(count, spawn, initializer=_begin, initargs=(config, source))
    try:
        with _ctrl_c_is_ours():
            results = pool.map(_analyze_here, paths)
        yield from results
    except BrokenProcessPool:
        raise ClassifierError("a process of the analysis was killed; is the memory full? Try -j 1") from None
    finally:
        # Whoever stops early (Ctrl-C, `| head`) does not wait for the end of a long recording.
        for process in multiprocessing.active_children():
            process.terminate()
        pool.shutdown(cancel_futures=True)


def file_block(path: Path, config: Config, source: str) -> FileConfig:
    """A recording that stands for a source: named like it, with its gate, thresholds and demands."""
    like = next((block for block in config.sources if block.name == source), None)
    taken = like.model_dump(include={"require", "sensitivity", "labels", "gate"}) if like else {}
    return FileConfig(type="file", name=source, path=path, started_at=BEGINNING, **taken)


_here: tuple[Config, LoadedClassifiers, str] | None = None
"""In a worker process: what it was begun with; a model is loaded once per process."""


@contextmanager
def _ctrl_c_is_ours() -> Iterator[None]:
    """Processes that begin meanwhile ignore Ctrl-C, which goes to the whole group: the parent ends them.
    Otherwise they would print a traceback if it came while they still import."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _begin(config: Config, source: str) -> None:
    global _here
    # Where nothing is set up, structlog writes to standard output, into the results.
    configure_logging(level="warning", json=False)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _here = (config, load_classifiers(config), source)


def _end_with_parent() -> None:
    """Whoever is killed cannot end us; the recording in hand would be heard to its end for nobody."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _analyze_here(path: Path) -> Analysis:
    assert _here is not None
    return analyze(path, *_here)


class _Loop:
    """Front end, classifiers and decision engine for one recording. The front end hears some seconds ahead,
    so that the classifiers get several looks at once; everything is decided when and as it would be live."""

    def __init__(
        self, config: Config, block: FileConfig, classifiers: LoadedClassifiers, watch: Watch | None
    ) -> None:
        self._source = block.name
        self._front_end = build_front_end(config, block, classifiers)
        self._engine = build_decision_engine(config, classifiers)
        self._classifiers = classifiers
        self._watch = watch
        self._ahead: list[tuple[Piece, dict[datetime, Findings]]] = []
        self._looks_ahead: list[Segment] = []
        self._now = self._decided_at = BEGINNING
        self.ledger = AnalysisResults()
        self.soundness = Soundness()
        self.unheard = ""
        """Why a segment could not be classified, if one could not: the others are, as in the daemon."""

    @property
    def heard_s(self) -> float:
        return (self._now - BEGINNING).total_seconds()

    def hear(self, piece: Piece) -> None:
        brought = self._front_end.hear(piece)
        self.soundness.hear(piece, brought)
        self._ahead.append((piece, _by_time(brought)))
        self._looks_ahead += [segment for heard in brought for segment in heard.segments]
        if len(self._looks_ahead) >= MOST_LOOKS_AHEAD or len(self._ahead) >= MOST_PIECES_AHEAD:
            self._catch_up()

    def finish(self) -> None:
        rest = self._front_end.finish("shutdown")
        self._catch_up()
        if rest:
            self._decide([*rest.detections, *chain.from_iterable(self._classified(rest.segments))])
        self.ledger.note(self._engine.end_source(self._source, self._now, "quiet"), self.heard_s)

    def _catch_up(self) -> None:
        """Decide what follows from all that was heard."""
        found = iter(self._classified(self._looks_ahead))
        for piece, brought in self._ahead:
            for index in range(len(piece)):
                self._now = piece.until(index)
                heard = brought.get(self._now)
                looks = chain.from_iterable(next(found) for _ in heard.segments) if heard else ()
                detections = [*heard.detections, *looks] if heard else []
                if detections or self._now >= self._decided_at + TICK:
                    self._decide(detections)
                if self._watch:
                    self._watch(piece.frame(index), heard, detections)
        self._ahead.clear()
        self._looks_ahead.clear()

    def _decide(self, detections: list[Detection]) -> None:
        self._decided_at = self._now
        self.ledger.note(self._engine.decide(detections, self._now), self.heard_s)

    def _classified(self, segments: Sequence[Segment]) -> list[list[Detection]]:
        """What the classifiers find in each of the segments."""
        found: list[list[Detection]] = [[] for _ in segments]
        for classifier in self._classifiers.first:
            for own, more in zip(found, self._judged(classifier, segments), strict=True):
                own += more
        for classifier, cascade in self._classifiers.second:
            for own, segment in zip(found, segments, strict=True):
                if cascade.wants(segment, own):
                    own += self._judged(classifier, [cascade.narrowed(segment, own)])[0]
        return found

    def _judged(self, classifier: Classifier, segments: Sequence[Segment]) -> list[list[Detection]]:
        """What a classifier finds in each: one segment that cannot be judged does not cost the others."""
        try:
            return judged_each(classifier, segments)
        except ClassifyError as error:
            if len(segments) > 1:
                return [self._judged(classifier, [one])[0] for one in segments]
            self.unheard = self.unheard or str(error)
            return [[]]


def _by_time(brought: Iterable[Findings]) -> dict[datetime, Findings]:
    """Findings by how far the recording had been heard; a minute may end with the frame that ends a look."""
    found: dict[datetime, Findings] = {}
    for one in brought:
        before = found.get(one.until)
        found[one.until] = one if before is None else replace(before, notices=(*before.notices, *one.notices))
    return found
