"""A classifier that gives embeddings, and what a house has taught on them: a dot product a sound and look."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np

from monitor.audio import Audio
from monitor.classifiers.base import Classifier
from monitor.classifiers.taught.rhythm import FITS, heard_beeps
from monitor.classifiers.taught.sound import Floats, SideBySide, TaughtSound, unpacked
from monitor.classifiers.taught.veto import VetoBook
from monitor.types import Detection, Segment

NAME = "taught"
"""Names it in events, logs and the history."""
RHYTHM = "taught_rhythm"
"""Evidence: the share of the sound's rhythm that was heard, 0-1, of the looks at an event the highest."""
WITHIN = 0.03
"""So far below the bar of a sound with its rhythm the off score lies: from there on the rhythm is looked for.
By arithmetic: `STEEPNESS`."""
IsKept = Callable[[Segment, Sequence[Detection]], bool]
"""Whether anybody keeps what a sound that is over was like, of which the model has found this."""
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
        is_kept: IsKept = lambda whole, found: True,
    ) -> None:
        """`embedding_id`: SHA-256 of the model that the embedding was first of. `is_kept`: in other sounds
        there are no beeps to ask for."""
        self._vetoes = vetoes or VetoBook()
        self._is_kept = is_kept
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
        return self._vetoes.noted(self._with_beeps(found, segments)) + [
            detection
            for segment, embedding in zip(segments, embeddings, strict=False)
            if embedding is not None
            for detection in self._taught(segment, embedding)
        ]

    def _with_beeps(self, found: Sequence[Detection], segments: Sequence[Segment]) -> list[Detection]:
        """What the model finds; the first of a sound that is over and kept can be asked for its beeps, to
        teach from. To answer takes half as long as a look: nobody asks who waits for a verdict."""
        told = list(found)
        begins = [at for at, one in enumerate(found) if one.label == found[0].label]
        for segment, begin, end in zip(segments, begins, [*begins[1:], len(found)], strict=False):
            if segment.ended_by != "open" and self._is_kept(segment, found[begin:end]):
                told[begin] = replace(found[begin], beeps=partial(_packed_beeps, segment.audio))
        return told

    def _taught(self, segment: Segment, embedding: bytes) -> list[Detection]:
        heard = unpacked(embedding)
        if not np.isfinite(heard).all():
            return []
        here = self._taught_here
        started_at = segment.started_at + timedelta(seconds=segment.onset_s)
        likeness, far = here.likeness(heard)
        rhythms = _rhythms(segment, here.sounds, likeness)
        return [
            Detection(
                label=one.label,
                score=one.score(
                    float(own), in_rhythm=rhythms.get(one.label, 0.0) >= FITS, is_far=bool(is_far)
                ),
                classifier=NAME,
                source=segment.source,
                started_at=started_at,
                duration_s=max(0.0, segment.audio.duration_s - segment.onset_s),
                segment_id=segment.id,
                evidence=_evidence(one, started_at, rhythms.get(one.label)),
                embedding=embedding,
            )
            for one, own, is_far in zip(here.sounds, likeness, far, strict=True)
        ]


def _packed_beeps(sound: Audio) -> bytes:
    return heard_beeps(sound).packed()


def _rhythms(segment: Segment, sounds: Sequence[TaughtSound], likeness: Floats) -> dict[str, float]:
    """The share of each sound's rhythm that is in a look, 0-1: of those that it is enough like. The look is
    read for beeps only where there is such a sound."""
    asked = [
        (one.label, one.rhythm)
        for one, own in zip(sounds, likeness, strict=True)
        if one.rhythm is not None and own >= one.rhythm.bar - WITHIN
    ]
    if not asked:
        return {}
    beeps = heard_beeps(segment.audio)
    return {label: rhythm.fit(beeps) for label, rhythm in asked}


def _evidence(one: TaughtSound, at: datetime, rhythm: float | None) -> dict[str, Any]:
    learning = {"learning": True} if one.is_learning(at) else {}
    return learning if rhythm is None else {**learning, RHYTHM: round(rhythm, 2)}
