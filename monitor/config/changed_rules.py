"""Rules that people change, add or switch off without editing the configuration, and what is wrong with one:
found by the same checks as `earwitness check`.

A rule of the configuration that hears a smoke, fire or CO alarm stays as it is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from monitor.config.capabilities import rule_findings
from monitor.config.mistakes.plain_words import plain_words
from monitor.config.model import Config, notifying
from monitor.labels import LIFE_SAFETY
from monitor.rules.model import Rule

PREFIX = "rules."
OFF = False
"""The value of a rule that is switched off."""


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """One thing that is wrong with a rule, or hardly meant."""

    slot: str
    """The key where it is, such as `between`; empty: the rule as a whole."""
    text: str
    fatal: bool


def name_in(place: str) -> str | None:
    """The rule that a place `rules.NAME` is about; None: it is about something else."""
    return place.removeprefix(PREFIX) if place.startswith(PREFIX) else None


def named(config: Config, name: str) -> Rule | None:
    """The rule of that name."""
    return next((rule for rule in config.rules if rule.name == name), None)


def plain_rule(rule: Rule) -> dict[str, Any]:
    """As it is written and kept."""
    found: dict[str, Any] = rule.model_dump(mode="json", exclude_unset=True)
    return found


def as_configured(config: Config, place: str) -> Any:
    """What the configuration has at `rules.NAME`; None: nothing."""
    rule = named(config, name_in(place) or "")
    return None if rule is None else plain_rule(rule)


def is_guarded(rule: Rule | None) -> bool:
    """Whether a life may hang on it."""
    return rule is not None and not LIFE_SAFETY.isdisjoint(label for way in rule.ways for label in way.hear)


def problems(config: Config, place: str, value: Any) -> Iterator[str]:
    """What is wrong with having this value at `rules.NAME`; None is as the file has it."""
    name = name_in(place) or ""
    if is_guarded(named(config, name)):
        yield f"{place}: a rule that hears a smoke, fire or CO alarm is changed in the configuration alone"
    elif value is not None and value is not OFF:
        if not isinstance(value, Mapping) or value.get("name") != name:
            yield f"{place}: a rule has keys, and the name that its place has"
            return
        found = findings(config, value, replaces=name)
        yield from (f"{place}: {one.slot}: {one.text}".replace(": : ", ": ") for one in found if one.fatal)


def findings(config: Config, value: Mapping[str, Any], replaces: str | None) -> list[RuleFinding]:
    """Everything about a rule that would stand in place of the one named `replaces`, or beside all others."""
    try:
        rule = Rule.model_validate(dict(value))
    except ValidationError as error:
        return [
            RuleFinding(_slot(one["loc"]), plain_words(one, one["input"]), True) for one in error.errors()
        ]
    others = [one for one in config.rules if one.name != replaces]
    if any(one.name == rule.name for one in others):
        return [RuleFinding("name", f"there is a rule {rule.name!r}; give this one its own name", True)]
    number = len(others)
    whole = config.model_copy(update={"rules": notifying([*others, rule], config.notifiers)})
    return [
        RuleFinding(_slot(one.place[2:]), one.text, one.fatal)
        for one in rule_findings(whole)
        if one.place[:2] == ("rules", number)
    ]


def _slot(place: Sequence[str | int]) -> str:
    """`between`, or `any[0].hear`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.lstrip(".")


def laid_over(config: Config, values: Mapping[str, Any]) -> Config:
    """The configuration with these rules in place of its own, each where the one of its name stood; what is
    off, or None, is left out. Raises pydantic's ValidationError."""
    wanted = {name_in(place): value for place, value in values.items()}
    fresh = {name: Rule.model_validate(value) for name, value in wanted.items() if isinstance(value, Mapping)}
    kept = [
        fresh.pop(rule.name, rule) for rule in config.rules if rule.name not in wanted or rule.name in fresh
    ]
    rules = notifying([*kept, *fresh.values()], config.notifiers)
    return config.model_copy(update={"rules": rules}).switched()


def is_in_force(config: Config, place: str, value: Any) -> bool:
    """Whether the configuration has this value there."""
    found = as_configured(config, place)
    return found is None if value is OFF else bool(found == value)
