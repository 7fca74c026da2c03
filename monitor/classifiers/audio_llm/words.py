"""Words as a classifier of their own: what a transcriber writes down goes the way of every second opinion."""

from collections.abc import Container, Sequence

from monitor.classifiers.audio_llm.transcribe import Transcriber
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.cascade import has_voice
from monitor.types import Detection, Segment

NAME = "transcripts"


class WordListener(ClassifierDefaults):
    """A `Classifier` without labels: its detections carry the transcript of a segment, for rules with
    `say`. The tracker gives it to the voiced events of that segment; it is never published or stored."""

    name = NAME
    labels: frozenset[str] = frozenset()
    window_s = 30.0
    hop_s = 30.0

    def __init__(self, transcriber: Transcriber) -> None:
        self._transcriber = transcriber

    def load(self) -> None:
        """See `Classifier`."""
        self._transcriber.load()

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """One detection per segment. Raises ClassifyError."""
        return [self._written(segment) for segment in segments]

    def close(self) -> None:
        """See `Classifier`."""
        self._transcriber.close()

    def _written(self, segment: Segment) -> Detection:
        return Detection(
            label="speech",
            score=0.0,
            classifier=self.name,
            source=segment.source,
            started_at=segment.started_at,
            duration_s=segment.audio.duration_s,
            segment_id=segment.id,
            transcript=self._transcriber.transcribe(segment.audio).text,
        )


class Voices:
    """Sends the transcriber whole segments with a voice in them, from sources whose words a rule asks for,
    and nothing else."""

    def __init__(self, sources: Container[str]) -> None:
        self._sources = sources

    @property
    def withheld(self) -> int:
        """None: what is not a voice was never asked about."""
        return 0

    def wants(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        """See `Cascade.wants`."""
        return (
            segment.ended_by != "open" and segment.source in self._sources and has_voice(segment, detections)
        )

    def narrowed(self, segment: Segment, detections: Sequence[Detection]) -> Segment:
        """See `Cascade.narrowed`: words are no labels."""
        return segment
