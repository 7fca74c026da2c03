"""Short ways to give a rule what happened."""

from dataclasses import replace
from datetime import datetime, timedelta

from monitor.rules.engine import RuleEngine
from monitor.rules.model import Rule
from monitor.types import SoundEvent
from testkit.builders import START, event


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sound(label: str, s: float = 0.0, source: str = "kitchen", **more: object) -> SoundEvent:
    """An event that starts at `s`, with an id of its own by label, source and time."""
    id = more.pop("id", f"{label}/{source}/{s:g}")
    return replace(event(label, str(id), at(s), source=source), **more)  # type: ignore[arg-type]


def rule(name: str = "Rule", **keys: object) -> Rule:
    """A rule without cool-down unless `keys` say otherwise."""
    return Rule.model_validate({"name": name, "cooldown_s": 0} | keys)


def engine(*rules: Rule, **settings: object) -> RuleEngine:
    return RuleEngine(rules, **settings)  # type: ignore[arg-type]
