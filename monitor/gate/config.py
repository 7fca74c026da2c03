"""The gate's options, as they are written under `gate:`."""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from monitor.schema import Block, Dbfs, Decibels, Seconds

_FORMER_NAMES = {"hang_over_s": "hangover_s"}
"""Options that were renamed: the old spelling stays valid."""


def current_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with every former name of an option replaced. Raises ValueError where both are written."""
    for former, name in _FORMER_NAMES.items():
        if former in values and name in values:
            raise ValueError(f"{former} is the former name of {name}; write only {name}")
    return {_FORMER_NAMES.get(key, key): value for key, value in values.items()}


class GateConfig(Block):
    """When a sound is worth hearing, and where it is cut. Times are rounded up to whole frames of 30 ms."""

    open_above_floor_db: Annotated[Decibels, Field(ge=1)] = 9.0
    """A frame this far above the room's own noise floor opens a segment."""
    close_above_floor_db: Decibels = 6.0
    """The sound lasts as long as frames are this far above the floor. At most `open_above_floor_db`."""
    pre_roll_s: Annotated[Seconds, Field(le=5)] = 0.5
    """How much of the time before the sound is part of the segment."""
    hangover_s: Annotated[Seconds, Field(gt=0, le=10)] = 0.8
    """A segment ends after this time of quiet (the hangover). Shorter pauses are part of the sound."""
    early_look_s: Annotated[Seconds, Field(le=10)] = 0.5
    """While a sound lasts, the classifiers get it again after each such time (an early look). 0: only when
    it has ended."""
    look_length_s: Annotated[Seconds, Field(ge=1, le=30)] = 3.0
    """An early look has at most the latest part of the sound, of this length. So looks stay cheap for long
    sounds."""
    max_length_s: Annotated[Seconds, Field(ge=2, le=30)] = 10.0
    """A longer sound is cut into segments of this length. Some models hear no more than 30 s."""
    overlap_s: Seconds = 1.0
    """The next segment repeats this much of the previous one, so that the cut splits no sound."""
    loud_noise_above_floor_db: Decibels = 40.0
    """A frame this far above the floor is a `loud_noise`, whatever made it. At least
    `open_above_floor_db`. If the floor is too high for this, -12 dBFS is enough."""
    quietest_floor_dbfs: Dbfs = -80.0
    """A lower floor counts as this one. Some cameras remove all noise, and then the slightest sound would
    stand out."""
    level_every_s: Annotated[Seconds, Field(ge=1)] = 10.0
    """How often level and floor are reported."""

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, values: Any) -> Any:
        return current_names(values) if isinstance(values, Mapping) else values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.close_above_floor_db > self.open_above_floor_db:
            raise ValueError("close_above_floor_db must not exceed open_above_floor_db")
        if self.loud_noise_above_floor_db < self.open_above_floor_db:
            raise ValueError("loud_noise_above_floor_db must be at least open_above_floor_db")
        if max(self.pre_roll_s, self.overlap_s) > self.max_length_s / 2:
            raise ValueError("pre_roll_s and overlap_s must not exceed half of max_length_s")
        return self
