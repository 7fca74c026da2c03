"""A classifier that gives embeddings, and what a house has taught on them: a dot product a sound and look."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from monitor.classifiers.base import Classifier
from monitor.classifiers.taught.sound import SideBySide, TaughtSound, unpacked
from monitor.classifiers.taught.veto import VetoBook
from monitor.types import Detection, Segment

NAME = "taught"
"""Names it in events, logs and the history."""
NEVER = (1.0, 0.0)
"""No score lies between these: a large model knows no sound that only this house has taught."""


class TaughtClassifier:
    """The classifier `model` as it is, and the sounds that were taught on its embedding with it. One thread
    at a time, but for `take`."""

    def __init__(
        self,
        model: Classifier,
        embedding_id: str,
        sounds: Sequence[TaughtSound],
        vetoes: VetoBook | None = None,
    ) -> None:
        """`embedding_id`: SHA-256 of the model that the embedding was first of."""
        self._vetoes = vetoes or VetoBook()
        self._model = model
        self._embedding_id = embedding_id
        self._taught_here = SideBySide(())
        self.take(sounds)

    def take(self, sounds: Sequence[TaughtSound]) -> None:
        """From the next look on hear these, and no others; those of another model are not heard. From any
        thread."""
        self._taught_here = SideBySide([one for one in sounds if one.model == self._embedding_id])

    @property
    def name(self) -> str:
        """The model's own."""
        return self._model.name

    @property
    def labels(self) -> frozenset[str]:
        """What the model can hear, and what was taught."""
        return self._model.labels | {one.label for one in self._taught_here.sounds}

    @property
    def window_s(self) -> float:
        """The model's own."""
        return self._model.window_s

    @property
    def hop_s(self) -> float:
        """The model's own."""
        return self._model.hop_s

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """Those of the model; a taught sound brings its own (`TaughtHere.thresholds`)."""
        return self._model.thresholds

    @property
    def second_look(self) -> Mapping[str, tuple[float, float]]:
        """Those of the model; a taught sound needs none."""
        return {**self._model.second_look, **{one.label: NEVER for one in self._taught_here.sounds}}

    @property
    def dates(self) -> bool:
        """Whether the model does; taught sounds are somewhere in their look."""
        return self._model.dates

    @property
    def trouble(self) -> str | None:
        """The model's own."""
        return self._model.trouble

    def load(self) -> None:
        """Load the model. Raises ModelError."""
        self._model.load()

    def close(self) -> None:
        """Let the model go."""
        self._model.close()

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """What the model finds, with the vetoes as evidence, and a detection of each taught sound. Raises
        ClassifyError."""
        found = self._model.classify(segments)
        # A look and its segment may share a batch, and an id: the model has them in the order of the batch.
        first = found[0].label if found else ""
        embeddings = [one.embedding for one in found if one.label == first]
        return self._vetoes.noted(found) + [
            detection
            for segment, embedding in zip(segments, embeddings, strict=False)
            if embedding is not None
            for detection in self._taught(segment, embedding)
        ]

    def _taught(self, segment: Segment, embedding: bytes) -> list[Detection]:
        heard = unpacked(embedding)
        if not np.isfinite(heard).all():
            return []
        here = self._taught_here
        started_at = segment.started_at + timedelta(seconds=segment.onset_s)
        return [
            Detection(
                label=one.label,
                score=one.score(float(likeness)),
                classifier=NAME,
                source=segment.source,
                started_at=started_at,
                duration_s=max(0.0, segment.audio.duration_s - segment.onset_s),
                segment_id=segment.id,
                evidence={"learning": True} if one.is_learning(started_at) else {},
                embedding=embedding,
            )
            for one, likeness in zip(here.sounds, here.likeness(heard), strict=True)
        ]
