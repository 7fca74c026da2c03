"""Scenes through the whole pipeline, as `earwitness analyze` runs it, with a trace of what every part did."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from monitor.audio import SAMPLE_RATE_HZ
from monitor.clock import BEGINNING
from monitor.config.model import Config
from monitor.pipeline.build import LoadedClassifiers
from monitor.recordings.analysis import SOURCE, analyze
from monitor.recordings.rows import ResultRow
from monitor.types import Detection, Findings, Frame, Segment
from scripts.scenes.composing import Bed, Placed, Scene
from scripts.scenes.recordings import audio, write_wav

TRACE_SCORE = 0.02
"""Lower scores of a classifier are left out of the trace: no threshold comes near them."""
AROUND_S = 0.3
"""How much before and after a sound is cut out with it, when it is cut by hand."""


@dataclass(frozen=True, slots=True)
class Span:
    """A segment, or an early look at one; times in seconds of the scene."""

    id: str
    start_s: float
    end_s: float
    whole: bool


@dataclass
class Trace:
    """What gate and classifiers made of a scene, in its order: enough to decide again in other ways."""

    spans: list[Span] = field(default_factory=list)
    steps: list[tuple[float, list[Detection]]] = field(default_factory=list)
    """Until where the scene had been heard, and the detections that came then."""

    def watch(self, frame: Frame, heard: Findings | None, detections: list[Detection]) -> None:
        """Take in one frame of `analyze`."""
        self.spans += [_span(segment) for segment in heard.segments] if heard else []
        if kept := [one for one in detections if one.certainty or one.score >= TRACE_SCORE]:
            self.steps.append(((frame.ends_at - BEGINNING).total_seconds(), kept))


@dataclass
class Hearing:
    """A scene's truth, and what was heard in it. Without its sound."""

    name: str
    duration_s: float
    placed: tuple[Placed, ...]
    beds: tuple[Bed, ...]
    room: bool
    line: bool
    kind: str
    rows: list[ResultRow]
    """Events and alerts as `earwitness analyze` prints them."""
    trace: Trace
    by_hand: list[dict[str, float]]
    """For every placed sound the scores of the sound cut out by hand, whatever gate and looks did."""


def hear(scene: Scene, config: Config, classifiers: LoadedClassifiers) -> Hearing:
    """Analyse a scene from a file, and judge each placed sound once more by itself."""
    trace = Trace()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{scene.name}.wav"
        write_wav(path, scene.samples)
        analysis = analyze(path, config, classifiers, watch=trace.watch)
    if analysis.error:
        raise RuntimeError(analysis.error)
    return Hearing(
        scene.name,
        scene.duration_s,
        scene.placed,
        scene.beds,
        scene.room,
        scene.line,
        scene.kind,
        analysis.rows,
        trace,
        [_by_hand(scene, one, classifiers) for one in scene.placed],
    )


def _span(segment: Segment) -> Span:
    start_s = (segment.started_at - BEGINNING).total_seconds()
    return Span(segment.id, start_s, start_s + segment.audio.duration_s, segment.ended_by != "open")


def _by_hand(scene: Scene, placed: Placed, classifiers: LoadedClassifiers) -> dict[str, float]:
    start_s = max(0.0, placed.start_s - AROUND_S)
    first, last = (round(at_s * SAMPLE_RATE_HZ) for at_s in (start_s, placed.end_s + AROUND_S))
    cut = audio(scene.samples[first:last])
    segment = Segment("by hand", SOURCE, BEGINNING, cut, AROUND_S, -60.0, -20.0, 0.0, "silence")
    scores: dict[str, float] = {}
    for classifier in classifiers.first:
        for found in classifier.classify([segment]):
            scores[found.label] = max(found.score, scores.get(found.label, 0.0))
    return scores
