"""Words as a classifier of their own: what a transcriber writes down goes the way of every second opinion."""

from collections.abc import Callable, Container, Sequence
from datetime import datetime

from monitor.classifiers.audio_llm.transcribers.base import Transcriber
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.cascade import has_voice
from monitor.types import Detection, Segment

NAME = "transcripts"
LOOK_EVERY_S = 0.9
"""Early looks that are transcribed begin at least so far apart. One holds three seconds, so that a phrase of
two is whole in one of them; each costs a transcriber as much as a segment."""


class TranscriptClassifier(ClassifierDefaults):
    """A `Classifier` without labels: its detections carry the transcript of a segment, for rules with
    `say`. The tracker gives it to the voiced events of that segment; it is never published or stored.

    `awaited` is whether a rule waits for something in these words. Of an early look nothing else matters: its
    words are dropped unless something in them is awaited, for the finished segment brings them all.
    """

    name = NAME
    labels: frozenset[str] = frozenset()
    window_s = 30.0
    hop_s = 30.0

    def __init__(self, transcriber: Transcriber, awaited: Callable[[str], bool]) -> None:
        self._transcriber = transcriber
        self._awaited = awaited

    def load(self) -> None:
        """See `Classifier`."""
        self._transcriber.load()

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """One detection for each finished segment, and for each look with awaited words. Raises
        ClassifyError."""
        written = self._transcriber.transcribe([segment.audio for segment in segments])
        return [
            self._written(segment, words.text)
            for segment, words in zip(segments, written, strict=True)
            if segment.ended_by != "open" or self._awaited(words.text)
        ]

    def close(self) -> None:
        """See `Classifier`."""
        self._transcriber.close()

    def _written(self, segment: Segment, text: str) -> Detection:
        return Detection(
            label="speech",
            score=0.0,
            classifier=self.name,
            source=segment.source,
            started_at=segment.started_at,
            duration_s=segment.audio.duration_s,
            segment_id=segment.id,
            transcript=text,
        )


class Voices:
    """Sends the transcriber whole segments with a voice in them, from sources whose words a rule asks for,
    and `while_speaking` early looks about a second apart; nothing else."""

    def __init__(self, sources: Container[str], *, while_speaking: bool = True) -> None:
        self._sources = sources
        self._while_speaking = while_speaking
        self._looked_at: dict[str, datetime] = {}
        """By source, the end of the last look that was sent."""

    @property
    def withheld(self) -> int:
        """None: what is not a voice was never asked about."""
        return 0

    def wants(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        """See `Cascade.wants`."""
        if segment.source not in self._sources or not has_voice(segment, detections):
            return False
        return segment.ended_by != "open" or self._is_due(segment)

    def narrowed(self, segment: Segment, detections: Sequence[Detection]) -> Segment:
        """See `Cascade.narrowed`: words are no labels."""
        return segment

    def _is_due(self, look: Segment) -> bool:
        if not self._while_speaking:
            return False
        last = self._looked_at.get(look.source)
        # A clock that was set back leaves a time in the future: it must not silence the looks until then.
        if last is not None and 0 <= (look.ends_at - last).total_seconds() < LOOK_EVERY_S:
            return False
        self._looked_at[look.source] = look.ends_at
        return True
