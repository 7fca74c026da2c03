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
    """When a sound is worth hearing, and how it is cut out. Lengths of time are rounded up to whole frames
    of 30 ms."""

    open_above_floor_db: Annotated[Decibels, Field(ge=1)] = 9.0
    """A frame this far above the room's own noise floor opens a segment."""
    close_above_floor_db: Decibels = 6.0
    """The sound lasts as long as frames stay this far above the floor; at most `open_above_floor_db`."""
    pre_roll_s: Annotated[Seconds, Field(le=5)] = 0.5
    """How much from before the sound a segment begins with."""
    hangover_s: Annotated[Seconds, Field(gt=0, le=10)] = 0.8
    """A segment ends after this much quiet (the hangover); shorter pauses belong to the sound."""
    early_look_s: Annotated[Seconds, Field(le=10)] = 0.5
    """A sound that still lasts is shown to the classifiers every so often; 0: only when it has ended."""
    look_length_s: Annotated[Seconds, Field(ge=1, le=30)] = 3.0
    """An early look holds at most this much, the latest of the sound: looks stay cheap however long it is."""
    max_length_s: Annotated[Seconds, Field(ge=2, le=30)] = 10.0
    """A longer sound is cut into segments of this length; some models hear no more than 30 s."""
    overlap_s: Seconds = 1.0
    """How much of the previous piece the next one repeats, so that nothing is split by the cut."""
    loud_noise_above_floor_db: Decibels = 40.0
    """A frame this far above the floor is a `loud_noise`, whatever it was; at least `open_above_floor_db`.
    Where the floor is too high for that, -12 dBFS will do."""
    quietest_floor_dbfs: Dbfs = -80.0
    """The floor is never taken to be lower: some cameras suppress noise until nothing is left, and then the
    rustle of a leaf stands out."""
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
