"""Thresholds as they are written under `labels:`, and as they are in force for a source."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Self

from pydantic import AfterValidator, Field, TypeAdapter, model_validator

from monitor.events.defaults import Hysteresis, rows
from monitor.labels import LIFE_SAFETY
from monitor.schema import Block, Score, Seconds, SoundLabel

HIT_GAP_S = 0.45
"""Hits closer together than this are one. Chosen: looks come every 0.5 s, give or take a frame of 30 ms: with
more, two successive looks would not be two hits; with much less, two classifiers' answers to one look would
be."""
SENSITIVITY_LOGITS = 2.0
"""How far sensitivity 1 lowers an onset, in logits: 0.5 becomes 0.12, and -1 makes it 0.88. Chosen: with 4
the ends of the scale would be 0.02 and 0.98, everything and nothing; with 1 they would be 0.27 and 0.73,
hardly a change."""

_LEAST_SCORE = 1e-6
"""Scores are kept this far from 0 and 1, whose logits are infinite. Chosen: beyond 14 logits nothing
differs."""


class LabelSettings(Block):
    """Thresholds of one label. A key that you leave out keeps its value from the model or from the table
    of labels."""

    onset: Score | None = None
    """Score from which a look counts as a hit. `off` changes with it, unless you also set `off`."""
    hits: Annotated[int, Field(ge=1, le=20)] | None = None
    """How many hits begin an event. They must be half a second or more apart."""
    within_s: Seconds | None = None
    """The time in which those hits must fall."""
    hold_s: Annotated[Seconds, Field(le=3600)] | None = None
    """The event ends when the sound was not heard for this time. The rhythm of an alarm has a time of its
    own."""
    off: Score | None = None
    """Score from which an event goes on after it has begun."""
    heard: bool | None = None
    """false: this sound begins no event. Smoke, CO and fire alarms are always heard."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.onset is not None and self.off is not None and self.off > self.onset:
            raise ValueError(f"off {self.off} is above onset {self.onset}; an event would never stay on")
        if self.within_s is not None and self.within_s < ((self.hits or 1) - 1) * HIT_GAP_S:
            raise ValueError(
                f"{self.hits} hits do not fit into within_s {self.within_s}; they are 0.5 s apart"
            )
        return self


def _alarms_are_heard(labels: "dict[str, LabelSettings]") -> "dict[str, LabelSettings]":
    for label in LIFE_SAFETY & labels.keys():
        if labels[label].heard is False:
            raise ValueError(f"{label} is a matter of life and is always heard; remove `heard: false`")
    return labels


Labels = Annotated[dict[SoundLabel, LabelSettings], AfterValidator(_alarms_are_heard)]
"""The `labels:` of a configuration, of a source, or the thresholds that a model ships for its own scores."""
LABELS: TypeAdapter[Labels] = TypeAdapter(Labels)
"""Reads `Labels` from plain mappings (YAML, a model's JSON); raises pydantic's ValidationError."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Which thresholds hold where: the table, then the model's, then everyone's, then the source's own."""

    model: Labels = field(default_factory=dict)
    general: Labels = field(default_factory=dict)
    sources: Mapping[str, Labels] = field(default_factory=dict)

    def of(self, source: str) -> dict[str, Hysteresis]:
        """The thresholds in force for every sound at `source`, before its sensitivity."""
        layers = (self.model, self.general, self.sources.get(source, {}))
        return {
            label: _merged(row, [layer[label] for layer in layers if label in layer])
            for label, row in rows().items()
        }


def shifted(row: Hysteresis, sensitivity: float) -> Hysteresis:
    """`row` with onset and off moved by a sensitivity of -1..1, in logits."""
    if not sensitivity:
        return row
    by = -SENSITIVITY_LOGITS * sensitivity
    return replace(row, onset=_moved(row.onset, by), off=_moved(row.off, by))


def _merged(row: Hysteresis, layers: list[LabelSettings]) -> Hysteresis:
    for layer in layers:
        onset = row.onset if layer.onset is None else layer.onset
        off = _moved(row.off, _logit(onset) - _logit(row.onset)) if layer.off is None else layer.off
        hits = layer.hits or row.hits
        within_s = max(row.within_s, float(hits)) if layer.within_s is None else layer.within_s
        hold_s = row.hold_s if layer.hold_s is None else layer.hold_s
        # An `off` written for another onset must not keep an event from staying open.
        heard = row.heard if layer.heard is None else layer.heard
        row = Hysteresis(onset, min(off, onset), hits, within_s, hold_s, row.reason, heard)
    return row


def _moved(score: float, logits: float) -> float:
    return 1 / (1 + math.exp(-(_logit(score) + logits))) if logits else score


def _logit(score: float) -> float:
    clipped = min(max(score, _LEAST_SCORE), 1 - _LEAST_SCORE)
    return math.log(clipped / (1 - clipped))
