"""A rule as people write it."""

import math
from collections.abc import Collection
from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from monitor.clock import time_of_day
from monitor.labels import SEVERITIES, VOICED, Severity, check_emotion, vocabulary
from monitor.schema import (
    Block,
    OneLine,
    PlainWord,
    Score,
    Seconds,
    Slug,
    SoundLabel,
    SpanOfDay,
    Switched,
    TimeOfDay,
    plain_text,
)
from monitor.types import Certainty

LIFE_SAFETY_COOLDOWN_S = 120.0
"""A longer `cooldown_s` is cut to this for smoke, CO and fire alarms: a fire must not wait behind toast."""
SAME_MOMENT_S = 1.0
"""Sounds that begin closer together than this are one: heard by two microphones, or by two names."""

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _not_a_word(value: Any) -> Any:
    if isinstance(value, str):
        raise ValueError(f"write a list: [{value}]")
    return value


def _plain_conditions(value: Any) -> Any:
    """Each value as a list of words: `away`, `[away, night]` and `true` may be written."""
    if not isinstance(value, dict):
        return value
    return {
        name: [plain_text(each) for each in (words if isinstance(words, list | tuple) else [words])]
        for name, words in value.items()
    }


Conditions = Annotated[
    dict[Slug, Annotated[tuple[str, ...], Field(min_length=1)]],
    BeforeValidator(_plain_conditions, json_schema_input_type=dict[str, PlainWord | list[PlainWord]]),
]
Phrases = Annotated[tuple[str, ...], BeforeValidator(_not_a_word)]
Sounds = Annotated[tuple[SoundLabel, ...], BeforeValidator(_not_a_word)]
Emotions = Annotated[tuple[Annotated[str, AfterValidator(check_emotion)], ...], BeforeValidator(_not_a_word)]
WithinSeconds = Annotated[Seconds, Field(gt=0, le=3600)]


class Then(Block):
    """The second sound of a sequence."""

    hear: Annotated[Sounds, Field(min_length=1)]
    """Labels. One of them is enough."""
    within_s: WithinSeconds
    """Time from the beginning of the first sound to the beginning of this one."""


class Clause(Block):
    """What must be heard. All the given keys must be true."""

    hear: Annotated[Sounds, Field(min_length=1)]
    """Labels. One of them is enough."""
    min_score: Score = 0.0
    """The lowest score of the event. It has an effect only above the label's onset."""
    certainty: Certainty = "suspected"
    """`confirmed`: ignore events that are only suspected."""
    emotion: Emotions = ()
    """Emotions of the voice. One of them is enough."""
    min_emotion_score: Score = 0.5
    say: Phrases = ()
    """Words or phrases. One of them must be in the transcript."""
    count: Annotated[int, Field(ge=1, le=100)] = 1
    """How many times it must be heard. Each time must come a second or more after the one before."""
    within_s: WithinSeconds | None = None
    """The time for `count`."""
    then: Then | None = None
    """A second sound that must follow."""
    lasts_s: Annotated[Seconds, Field(le=3600)] = 0.0
    """How long the sound must have lasted. Pauses shorter than the label's `hold_s` are part of it."""

    @model_validator(mode="after")
    def _voiced(self) -> Self:
        if self.emotion and self.hear and not VOICED & set(self.hear):
            raise ValueError(f"only {', '.join(sorted(VOICED))} have an emotion; hear one of these")
        return self

    @model_validator(mode="after")
    def _lasting(self) -> Self:
        if self.lasts_s and (self.count > 1 or self.then):
            raise ValueError("lasts_s is about one sound; it goes with neither `count` nor `then`")
        return self

    @model_validator(mode="after")
    def _countable(self) -> Self:
        if self.count > 1 and self.within_s is None:
            raise ValueError(f"count {self.count} needs `within_s`, for example 30")
        if self.count == 1 and self.within_s is not None:
            raise ValueError(
                "within_s goes with `count: 2` or more; for a second sound write it inside `then`"
            )
        if self.within_s is not None and self.within_s < (self.count - 1) * SAME_MOMENT_S:
            raise ValueError(
                f"{self.count} times do not fit into within_s {self.within_s}; allow 1 s for each"
            )
        return self


class UnlessHeard(Block):
    """An alert that something was not heard. It is no care alarm: a person can be in need of help while
    the water runs."""

    model_config = ConfigDict(serialize_by_alias=True)

    hear: Annotated[Sounds, Field(min_length=1)]
    """Labels. One of them is enough."""
    from_: Annotated[TimeOfDay, Field(alias="from")]
    """Local time of day from which the sound is expected: `05:30`."""
    by: TimeOfDay
    """Time of day by which it must have been heard. If it is not later than `from`, it is on the next day."""

    @property
    def times(self) -> tuple[time, time]:
        """Begin and end."""
        return time_of_day(self.from_), time_of_day(self.by)

    @property
    def span(self) -> str:
        """`not from 05:30 to 10:00`"""
        return f"not from {self.from_} to {self.by}"


class LevelAbove(Block):
    """An alert that it has been loud for some time, whatever the sound is. This is no certified sound
    level meter."""

    above_dba: Annotated[float, Field(ge=30, le=130)]
    """A minute is loud from this LAeq on, in dB(A). The source must be calibrated."""
    for_s: Annotated[Seconds, Field(ge=60, le=14_400)]
    """For how long, in whole minutes. One minute in ten can be quieter."""

    @property
    def minutes(self) -> int:
        """The same in minutes."""
        return math.ceil(self.for_s / 60)


class Rule(Clause, Switched):
    """Which events matter. A rule has one of four forms: `hear` with its keys; several such ways under
    `any`; `unless_heard`, for an alert that nothing was heard; or `level`, for an alert that it is loud
    for long."""

    name: Annotated[OneLine, Field(min_length=1, max_length=80)]
    hear: Sounds = ()
    """Labels. One of them is enough."""
    any: tuple[Clause, ...] = ()
    """Several ways to match. One of them is enough. Each has the keys `hear` to `then`."""
    unless_heard: UnlessHeard | None = None
    """Raise the alert if none of these was heard in time."""
    level: LevelAbove | None = None
    """Raise the alert if a room is this loud for this long."""
    sources: Annotated[tuple[Slug, ...], BeforeValidator(_not_a_word)] = ()
    """Only sounds of these sources. Empty: all sources."""
    severity: Severity | None = None
    """By default the severity of the label."""
    cooldown_s: Annotated[Seconds, Field(le=86_400)] = 60.0
    """After an alert the rule raises no other for this time. For smoke, CO and fire the time counts
    separately for each danger and room, and is at most 120 s."""
    between: SpanOfDay | None = None
    """Time of day, in local time: `22:00-07:00`."""
    weekdays: Annotated[tuple[Weekday, ...], BeforeValidator(_not_a_word)] = ()
    """The days on which the time of `between` begins. Empty: all days."""
    when: Conditions = {}
    """Values of `house:` that the rule needs. Each must be one of the listed ones. An unknown value never
    stops the rule."""
    unless: Conditions = {}
    """Values of `house:` that stop the rule. One of them is enough. An unknown value does not stop it."""
    demote_while: Conditions = {}
    """Values of `house:` that lower the alert by one severity, and make it suspected. One of them is
    enough."""
    notify: Phrases = ()
    """Names of the notifiers that get the alert. `[]` means nobody. By default all that take its severity,
    and nobody if the rule only informs."""
    escalate_after_s: Annotated[Seconds, Field(gt=0, le=86_400)] | None = None
    """If nobody acknowledges the alert for this time, the next notifier gets it."""
    stale_after_s: Annotated[Seconds, Field(gt=0, le=604_800)] | None = None
    """An alert that is delivered later than this only informs, and does not ring."""
    wait_for_verify_s: Annotated[Seconds, Field(le=60)] = 0.0
    """Wait this long for the large model. It can cancel the alert. Smoke, CO and fire never wait."""

    @model_validator(mode="after")
    def _one_way_or_several(self) -> Self:
        own = [key for key in Clause.model_fields if getattr(self, key) != Rule.model_fields[key].default]
        if self.level is not None:
            if also := [*own, *(key for key in _NOT_OF_LEVELS if getattr(self, key) != _default(key))]:
                raise ValueError(f"`level` and `{also[0]}` exclude each other; make two rules of them")
            return self
        if self.unless_heard is not None:
            if also := [*own, *(key for key in _OF_SOUNDS if getattr(self, key) != _default(key))]:
                raise ValueError(f"`unless_heard` and `{also[0]}` exclude each other; make two rules of them")
            return self
        if not self.any and not self.hear:
            raise ValueError("a rule needs `hear`, for example [smoke_alarm]")
        if self.any and own:
            raise ValueError(
                f"`any` and `{own[0]}` exclude each other; put `{own[0]}` into each item of `any`"
            )
        return self

    @model_validator(mode="after")
    def _loud_is_no_danger(self) -> Self:
        if self.level is not None and self.severity == "critical":
            raise ValueError(
                "a `level` says how loud it is and not what sounds; critical is for sounds that have a name: "
                "write severity: warning, or a rule that hears what you fear"
            )
        return self

    @model_validator(mode="after")
    def _escalates_to_somebody(self) -> Self:
        if self.escalate_after_s is not None and not self.notify:
            raise ValueError(
                "escalate_after_s calls nobody without `notify`; list whom to notify, in their order"
            )
        return self

    def notifying_all_but(self, gone: Collection[str]) -> Self:
        """The same without these notifiers; where nobody is left, it is escalated to nobody."""
        left = tuple(name for name in self.notify if name not in gone)
        if left == self.notify:
            return self
        return self.model_copy(update={"notify": left} | ({} if left else {"escalate_after_s": None}))

    @property
    def ways(self) -> tuple[Clause, ...]:
        """The clauses, any of which makes the rule come true; none where it is about what is not heard, or
        about how loud it is."""
        return () if self.unless_heard is not None or self.level is not None else self.any or (self,)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that it asks for, each once."""
        clauses = [each for way in self.ways for each in (way, way.then) if each]
        asked = [label for clause in clauses for label in clause.hear]
        return tuple(dict.fromkeys([*asked, *(self.unless_heard.hear if self.unless_heard else ())]))

    @property
    def gravest_severity(self) -> Severity:
        """The highest severity that an alert of this rule can have."""
        if self.unless_heard is not None or self.level is not None:
            return self.severity or "warning"
        if self.severity is not None:
            return self.severity
        return max((vocabulary()[one].severity_default for one in self.labels), key=SEVERITIES.index)


_OF_SOUNDS = ("any", "between", "cooldown_s", "demote_while", "wait_for_verify_s")
"""Keys that need a sound to be about."""
_NOT_OF_LEVELS = ("any", "unless_heard", "demote_while", "wait_for_verify_s")
"""Keys that need a sound with a name."""


def _default(key: str) -> object:
    return Rule.model_fields[key].default
