"""What is wrong with what rules ask of the house."""

from collections.abc import Iterator, Mapping

from monitor.labels import LIFE_SAFETY, did_you_mean
from monitor.rules.house import HouseConfig
from monitor.rules.model import Rule

KEYS = ("when", "unless", "demote_while")
DEMOTED_RATHER = frozenset({"scream", "glass_break"})
"""What television and music are taken for, and what must be known all the same."""


def condition_problems(rule: Rule, house: Mapping[str, HouseConfig]) -> Iterator[tuple[bool, str, str]]:
    """Whether it is an error, the key, and the text."""
    given = {key: getattr(rule, key) for key in KEYS if getattr(rule, key)}
    labels = {label for clause in rule.ways for label in clause.hear}
    dangers = sorted(labels & LIFE_SAFETY)
    for key, conditions in given.items():
        if dangers:
            text = f"{', '.join(dangers)} may save a life in every state of the house; leave `{key}` out"
            yield True, key, f"rule {rule.name!r}: {text}, or give them a rule of their own"
        for name, words in conditions.items():
            yield from ((True, key, f"rule {rule.name!r}: {text}") for text in _unknown(name, words, house))
    for name, words in given.get("when", {}).items():
        if never := sorted(set(words) & set(given.get("unless", {}).get(name, ()))):
            both = f"`when` and `unless` both name {name}: {', '.join(never)}"
            yield (
                False,
                "unless",
                f"rule {rule.name!r}: {both}, which then always stops it; leave one of them out",
            )
    for label in sorted(labels & DEMOTED_RATHER) if "unless" in given else ():
        text = f"rule {rule.name!r}: `unless` hides a real {label} too; `demote_while` only lowers its alert"
        yield False, "unless", text


def _unknown(name: str, words: tuple[str, ...], house: Mapping[str, HouseConfig]) -> Iterator[str]:
    if name not in house:
        yield f"`house:` has no {name!r}{did_you_mean(name, house)}"
        return
    options = house[name].options
    for word in words:
        if options and word not in options:
            yield f"{name!r} is never {word!r}; it is one of {', '.join(options)}"
