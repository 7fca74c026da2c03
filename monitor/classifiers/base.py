"""What a classifier promises."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from monitor.audio import Audio
from monitor.errors import ClassifyError
from monitor.types import Detection, Segment


class Classifier(Protocol):
    """Says what a segment is. One thread calls it."""

    @property
    def name(self) -> str:
        """Names it in events, logs and the configuration."""

    @property
    def labels(self) -> frozenset[str]:
        """What it can hear; known without loading. ModelError when even that cannot be read."""

    @property
    def window_s(self) -> float:
        """The length of sound that it judges best, for cutting long files."""

    @property
    def hop_s(self) -> float:
        """From one such window to the next."""

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """Label to `{"onset": score}` and the like, for this model's own scores, as `labels:` has them."""

    @property
    def second_look(self) -> Mapping[str, tuple[float, float]]:
        """Label to the lowest and highest score between which a large model is worth asking."""

    @property
    def dates(self) -> bool:
        """Whether it measures when in a segment a sound began and how long it lasted (`Detection.dated`)."""

    @property
    def trouble(self) -> str | None:
        """Why it cannot classify now, where `load` found out without failing; None when all is well."""

    def load(self) -> None:
        """Bring the model into memory. Raises ModelError with the fix."""

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Every segment of the batch: one detection for every label of `labels` that it could judge, with its
        `segment_id`, however low the score; of a label that is left out nothing is known. Every number is
        finite. Raises ClassifyError when the batch cannot be judged."""

    def close(self) -> None:
        """Let the model go; `load` may follow again."""


class ClassifierDefaults:
    """The parts of `Classifier` that most do not have: inherit it and override what yours has."""

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """None of its own: the table of defaults holds."""
        return {}

    @property
    def second_look(self) -> Mapping[str, tuple[float, float]]:
        """No bands of its own: the cascade's `unsure` holds."""
        return {}

    @property
    def dates(self) -> bool:
        """Somewhere in the window that it judged."""
        return False

    @property
    def trouble(self) -> str | None:
        """All is well."""
        return None


class Wants(Protocol):
    """Decides whether a large model hears a segment too."""

    @property
    def withheld(self) -> int:
        """Segments that the large model was not allowed to hear."""

    def wants(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        """Whether the large model hears the segment, which a small one has judged as `detections`."""

    def narrowed(self, segment: Segment, detections: Sequence[Detection]) -> Segment:
        """The segment as the large model gets it: with the labels that it is asked about."""


def judged(classifier: Classifier, segments: Sequence[Segment]) -> list[Detection]:
    """What the classifier finds in the batch. A score that is not a finite number (a half-precision model
    overflows, a server sends NaN) is an error of the whole batch: it compares with no threshold. Raises
    ClassifyError."""
    found = classifier.classify(segments)
    for one in found:
        if math.isfinite(one.score) and not one.emotion:
            continue
        scores = {one.label: one.score, **(one.emotion or {})}
        for label, score in scores.items():
            if not math.isfinite(score):
                raise ClassifyError(
                    f"{classifier.name}: its score of {label} is {score}, no number between 0 and 1; the "
                    "model is broken or overflows: try it in float32 (`dtype`), or leave it out"
                )
    return found


def judged_each(classifier: Classifier, segments: Sequence[Segment]) -> list[list[Detection]]:
    """What the classifier finds in each segment of the batch, in which looks at one sound, of one id, may
    stand side by side. Raises ClassifyError."""
    found: list[list[Detection]] = [[] for _ in segments]
    for numbers in _of_one_id_each(segments):
        own = {segments[number].id: found[number] for number in numbers}
        for one in judged(classifier, [segments[number] for number in numbers]):
            own[one.segment_id or ""].append(one)
    return found


def _of_one_id_each(segments: Sequence[Segment]) -> list[list[int]]:
    """Numbers of segments: the first look at every sound, the second looks, and so on. First looks are of one
    length, so that a model has many windows at once; to give each look an id of its own for a while, and each
    detection the old one again, took as long as a tenth of the model."""
    groups: list[list[int]] = []
    looks: Counter[str] = Counter()
    for number, segment in enumerate(segments):
        if looks[segment.id] == len(groups):
            groups.append([])
        groups[looks[segment.id]].append(number)
        looks[segment.id] += 1
    return groups


@runtime_checkable
class Describer(Protocol):
    """A classifier that can also put into words what it hears. One thread calls it. Its words are shown,
    never acted on."""

    @property
    def longest_s(self) -> float:
        """How much sound it hears at once; known once it is loaded."""

    def describe(self, audio: Audio) -> str:
        """One sentence about at most `longest_s` of sound. Raises ClassifyError."""

    def ask(self, audio: Audio, question: str = "") -> str:
        """Its own words about at most `longest_s` of sound; without a question, an answer to what is said in
        it. Raises ClassifyError."""

    def write_down(self, audio: Audio, language: str | None = None, translate_to: str | None = None) -> str:
        """What is said in at most `longest_s` of sound, in its own words for that request; the languages by
        their English names. Raises ClassifyError."""

    def summarize(self, words: str) -> str | None:
        """Its own words about words; None where it cannot be talked to. Raises ClassifyError."""
