"""Alarms that may save a life and that no rule takes, or none at every time."""

from collections.abc import Iterator, Mapping, Sequence

from monitor.labels import LIFE_SAFETY
from monitor.rules.model import WEEKDAYS, Clause, Rule

SOON_S = 60.0
"""An alarm that must last longer than this before a rule takes it is warned of. Chosen: shorter would warn of
rules that wait for a second cycle to be sure, longer would pass a rule that costs minutes in a fire."""
_ADD = "add it to the `hear` of a rule"


def uncovered(
    rules: Sequence[Rule], heard: Mapping[str, frozenset[str]], off: Sequence[Rule] = ()
) -> Iterator[str]:
    """A text with its fix for each such alarm. `heard` has the labels of each enabled source, by its name;
    `off` are rules that are switched off."""
    if not rules:
        fix = "each is off (enabled: false)" if off else "config/minimal.yaml has some to begin with"
        yield f"rules: there is none, so nothing raises an alert; {fix}"
        return
    for label in sorted(LIFE_SAFETY):
        rooms = [name for name, labels in heard.items() if label in labels]
        asking = [rule for rule in rules if label in _heard(rule)]
        if rooms and not asking:
            asleep = [repr(rule.name) for rule in off if label in _heard(rule)]
            fix = f"{' and '.join(asleep)} would: write enabled: true" if asleep else _ADD
            yield f"no rule hears {label}, so that alarm raises no alert; {fix}"
        elif bare := [room for room in rooms if not any(_takes(rule, label, room) for rule in asking)]:
            yield _half_taken(label, bare, asking)


def _heard(rule: Rule) -> frozenset[str]:
    return frozenset(label for way in rule.ways for label in way.hear)


def _takes(rule: Rule, label: str, room: str) -> bool:
    """Whether that sound alone raises this rule's alert there, at any time."""
    if rule.sources and room not in rule.sources:
        return False
    return not _limits(rule) and any(label in way.hear and not _demands(way) for way in rule.ways)


def _half_taken(label: str, rooms: list[str], rules: list[Rule]) -> str:
    why = []
    for rule in rules:
        demands = [each for way in rule.ways if label in way.hear for each in _demands(way)]
        elsewhere = [] if set(rooms) <= set(rule.sources or rooms) else [f"only in {', '.join(rule.sources)}"]
        why.append(f"rule {rule.name!r} takes it {', '.join([*elsewhere, *_limits(rule), *demands])}")
    text = f"{label} in {', '.join(rooms)} raises no alert at some times: {'; '.join(why)}"
    return f"{text}. Add a rule that takes it at once, at any time, as warning or critical"


def _limits(rule: Rule) -> list[str]:
    found = [f"only from {rule.between.replace('-', ' to ')}"] if rule.between else []
    if rule.weekdays and set(rule.weekdays) != set(WEEKDAYS):
        found.append(f"only on {', '.join(rule.weekdays)}")
    return [*found, "only as info"] if rule.severity == "info" else found


def _demands(way: Clause) -> list[str]:
    found = [f"only after {way.lasts_s:g} s"] if way.lasts_s > SOON_S else []
    if way.count > 1:
        found.append(f"only the {way.count}. time")
    if way.then is not None:
        found.append(f"only before {', '.join(way.then.hear)}")
    if way.emotion or way.say:
        found.append("only with a voice")
    return found
