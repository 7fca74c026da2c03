"""What rules know of the house beside its sounds: its mode, whether a television is on."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from monitor.rules.model import Rule
from monitor.rules.trace import ClauseResult
from monitor.schema import Block, PlainWord, Seconds, Slug, plain_text
from monitor.types import SoundEvent

CHANGES = 64
"""Remembered per value; what was before the first of them is unknown."""
SWITCH = ("on", "off")

HouseWords = Annotated[tuple[str, ...], Field(min_length=1)]


class SelectConfig(Block):
    """A choice with several options. You set it on the page, or in Home Assistant as an entity of
    earwitness."""

    type: Literal["select"]
    options: Annotated[HouseWords, Field(min_length=2)] = ("home", "away", "night", "vacation")
    """The options."""

    @field_validator("options", mode="before", json_schema_input_type=list[PlainWord])
    @classmethod
    def _plain(cls, value: object) -> object:
        return tuple(map(plain_text, value)) if isinstance(value, list | tuple) else value


class SwitchConfig(Block):
    """On or off. You set it on the page, or in Home Assistant as an entity of earwitness."""

    type: Literal["switch"]

    @property
    def options(self) -> HouseWords:
        """What it can be."""
        return SWITCH


def _name(name: str) -> str:
    if name in ("mute", "sensitivity"):
        raise ValueError(f"{name!r} is a setting of every source; choose another name")
    return name


HouseName = Annotated[Slug, AfterValidator(_name)]


def _topic(text: str) -> str:
    if set("+#\0") & set(text) or not text:
        raise ValueError(f"{text!r} is no topic; write one topic, without + and #")
    return text


class TopicConfig(Block):
    """A value that any device publishes on an MQTT topic."""

    type: Literal["topic"]
    topic: Annotated[str, AfterValidator(_topic), Field(max_length=256)]
    """Where it is published."""
    path: str = ""
    """The path to the value in its JSON, such as `state.occupancy`. Empty: the payload is the value."""
    on_values: tuple[str, ...] = ()
    """Values that count as on. All others are off. Without this key the published value itself is used."""
    unknown_after_s: Annotated[Seconds, Field(gt=0)] | None = None
    """If nothing new is published for this time, the value becomes unknown."""

    @field_validator("on_values", mode="before", json_schema_input_type=list[PlainWord])
    @classmethod
    def _plain(cls, value: object) -> object:
        return tuple(map(plain_text, value)) if isinstance(value, list | tuple) else value

    @property
    def options(self) -> tuple[str, ...]:
        """What it can be; empty for anything."""
        return SWITCH if self.on_values else ()


HouseConfig = Annotated[SelectConfig | SwitchConfig | TopicConfig, Field(discriminator="type")]


class HouseValues:
    """What each value was, and when: None is unknown. One thread calls it, in the order of time."""

    def __init__(self, blocks: Mapping[str, HouseConfig] | None = None) -> None:
        self._blocks = dict(blocks or {})
        self._changes: dict[str, deque[tuple[datetime, str | None]]] = {}

    def note(self, name: str, value: str | None, at: datetime) -> bool:
        """The value is this from now on: whether that is to be recorded. One that it cannot have is
        unknown."""
        block = self._blocks.get(name)
        if block is None:
            return False
        if value is not None and block.options and value not in block.options:
            value = None
        changes = self._changes.setdefault(name, deque(maxlen=CHANGES))
        while changes and changes[-1][0] > at:  # from before the clock was set back
            changes.pop()
        if not changes and value is None:
            return False
        if changes and changes[-1][1] == value and not self._grows_old(name, changes[-1][0], at):
            return False
        changes.append((at, value))
        return True

    def take_over(self, former: "HouseValues") -> None:
        """Go on with what is known."""
        self._changes |= {name: each for name, each in former._changes.items() if name in self._blocks}

    def during(self, name: str, begin: datetime, end: datetime) -> list[tuple[datetime | None, str | None]]:
        """What it was from `begin` to `end`, both included, and since when; the last of them at the end."""
        after = self._unknown_after(name)
        known: list[tuple[datetime | None, str | None]] = [(None, None)]
        for at, value in self._changes.get(name, ()):
            if at > end:
                break
            if at <= begin:
                known.clear()
            known.append((at, value))
            if after is not None and value is not None and max(at, begin) <= at + after < end:
                known.append((at + after, None))
        return [*known[:-1], self._as_of(known[-1], after, end)]

    def _as_of(
        self, last: tuple[datetime | None, str | None], after: timedelta | None, end: datetime
    ) -> tuple[datetime | None, str | None]:
        at, value = last
        return (at + after, None) if at and after and value is not None and at + after < end else last

    def _unknown_after(self, name: str) -> timedelta | None:
        block = self._blocks.get(name)
        seconds = block.unknown_after_s if isinstance(block, TopicConfig) else None
        return None if seconds is None else timedelta(seconds=seconds)

    def _grows_old(self, name: str, known_at: datetime, at: datetime) -> bool:
        after = self._unknown_after(name)
        return after is not None and at - known_at >= after / 2


def house_steps(
    rule: Rule, event: SoundEvent, house: HouseValues, zone: tzinfo | None
) -> Iterator[ClauseResult]:
    """Whether the house lets the rule be, at some moment of the sound. What is unknown never stops it."""
    return _steps(rule, lambda name: _during(house, name, event), zone)


def house_steps_at(
    rule: Rule, at: datetime, house: HouseValues, zone: tzinfo | None
) -> Iterator[ClauseResult]:
    """The same at one moment."""
    return _steps(rule, lambda name: house.during(name, at, at), zone)


def _steps(rule: Rule, during: Callable[[str], "FoundValues"], zone: tzinfo | None) -> Iterator[ClauseResult]:
    for clause, conditions, needed in (("when", rule.when, True), ("unless", rule.unless, False)):
        if conditions:
            found = {name: during(name) for name in conditions}
            passed = all(
                any(value is None or (value in wanted) is needed for _, value in found[name])
                for name, wanted in conditions.items()
            )
            yield ClauseResult(clause, passed, _wanted(conditions), _shown(found, zone))


def demotion(rule: Rule, event: SoundEvent, house: HouseValues, zone: tzinfo | None) -> ClauseResult | None:
    """What lowers the alert: the first of `demote_while` that held through the whole sound."""
    for name, wanted in rule.demote_while.items():
        found = _during(house, name, event)
        if all(value in wanted for _, value in found):
            return ClauseResult("demote_while", True, _wanted({name: wanted}), _shown({name: found}, zone))
    return None


FoundValues = Sequence[tuple[datetime | None, str | None]]


def _during(house: HouseValues, name: str, event: SoundEvent) -> FoundValues:
    repeated = event.evidence.get("last_began_at")
    began_at = datetime.fromisoformat(repeated) if repeated else event.started_at
    return house.during(name, min(began_at, event.at), event.ended_at or event.at)


def _wanted(conditions: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(words) for name, words in conditions.items()}


def _shown(found: Mapping[str, FoundValues], zone: tzinfo | None) -> dict[str, str]:
    """Each value as it was last, and since when: `away since 22:04`."""
    return {name: _words(*each[-1], zone) for name, each in found.items()}


def _words(since: datetime | None, value: str | None, zone: tzinfo | None) -> str:
    word = "unknown" if value is None else value
    return f"{word} since {since.astimezone(zone):%H:%M}" if since else word
