"""Which sounds go on to a large model after a small one has judged them. No thread, no model.

Nothing waits for the large model's answer: events are published on the small one's word, and the answer
comes as detections with the same `segment_id`, which the tracker joins to the event, also when it has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from monitor.classifiers.audio_llm.phrases import hearable
from monitor.labels import VOICED, check_sound
from monitor.logs import get_logger
from monitor.schema import Block, Score, SoundLabel, Switched
from monitor.types import Detection, Segment

log = get_logger()
SPEECH_RATIO = 0.3
"""From this share of voiced frames on a segment counts as speech."""
VOICED_SCORE = 0.5
"""From this score on a voiced label counts as heard."""
PRIVATE_RATIO, PRIVATE_SCORE = 0.1, 0.2
"""The same where a mistake would give words away: rather too little is sent than too much."""


def _check_hearable(word: str) -> str:
    if check_sound(word) not in hearable():
        raise ValueError(f"{word!r} is found by its rhythm or its level; a large model cannot verify it")
    return word


class SecondLook(Switched):
    """Options of every large classifier: which segments it gets, and which labels it is asked about."""

    verify: list[SoundLabel] = []
    """Labels that this model checks each time the small model finds them likely."""
    verify_above: Score = 0.2
    """The score of the small model from which a label of `verify` is checked."""
    unsure: tuple[Score, Score] | None = (0.3, 0.7)
    """Between these two scores the small model is unsure. This model checks every label with such a score."""
    emotion: bool = False
    """true: ask for the emotion of every segment with a voice in it."""
    everything: bool = False
    """true: this model also hears every segment."""
    ask: Literal["doubts", "all"] = "doubts"
    """doubts: ask only about the labels that the small model leaves open. all: ask about every label each
    time. This takes about twice as long, and also finds what the small model missed."""
    describe: bool = False
    """true: also let the model describe each sound in a sentence. This takes a second or more for each."""

    def may_hear(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        """Whether the model may get this segment at all. Blocks that send audio away withhold some."""
        return True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.unsure is not None and self.unsure[0] > self.unsure[1]:
            raise ValueError(f"unsure: write the lower score first, not {list(self.unsure)}")
        return self


class LabelSubset(Block):
    """Labels a classifier is limited to."""

    labels: list[Annotated[str, AfterValidator(_check_hearable)]] = []
    """Ask only for these sounds. By default for all that the model knows."""


class Cascade:
    """Decides for each judged segment whether the large model hears it too. Called by the threads of the
    small models.

    `bands` are the small model's own: for some labels the scores between which it is unsure, in place of
    `unsure`.
    """

    def __init__(self, look: SecondLook, bands: Mapping[str, tuple[float, float]] | None = None) -> None:
        self.look = look
        self.withheld = 0
        """Segments that it would have been asked about, had it been allowed to hear them."""
        self._bands = bands or {}

    def wants(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        """Whether `segment`, judged by the small model as `detections`, goes on.

        Never an early look: the finished segment contains it, and the large model would hear all of it twice.
        """
        if segment.ended_by == "open" or not self._is_due(segment, detections):
            return False
        if self.look.may_hear(segment, detections):
            return True
        self.withheld += 1
        if self.withheld == 1:
            log.info("a segment with a voice was not sent; `send_speech: true` sends such segments")
        return False

    def narrowed(self, segment: Segment, detections: Sequence[Detection]) -> Segment:
        """`segment` with the labels that the large model is to be asked about."""
        if self.look.everything or self.look.ask == "all":
            return segment
        open_ones = frozenset(each.label for each in detections if self._wants(each))
        return replace(segment, about=open_ones)

    def _is_due(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        return (
            self.look.everything
            or (self.look.emotion and has_voice(segment, detections))
            or any(self._wants(detection) for detection in detections)
        )

    def _wants(self, detection: Detection) -> bool:
        if detection.label in self.look.verify and detection.score >= self.look.verify_above:
            return True
        band = self.look.unsure and self._bands.get(detection.label, self.look.unsure)
        return band is not None and band[0] <= detection.score <= band[1]


def has_voice(segment: Segment, detections: Sequence[Detection]) -> bool:
    """Whether there is a voice in the segment by the voice-activity detector or by the classifier."""
    return segment.speech_ratio >= SPEECH_RATIO or any(
        detection.label in VOICED and detection.score >= VOICED_SCORE for detection in detections
    )


def sounds_private(segment: Segment, detections: Sequence[Detection]) -> bool:
    """Whether there may be words in the segment, sung ones included."""
    return segment.speech_ratio >= PRIVATE_RATIO or any(
        detection.label in VOICED | {"singing"} and detection.score >= PRIVATE_SCORE
        for detection in detections
    )
