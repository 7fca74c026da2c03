"""Every option of the configuration, written wrongly in every way that we know of."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from monitor.config.mistakes.plain_words import PATTERNS
from monitor.config.model import Config, json_schema
from monitor.config.problems import problem_lines
from monitor.config.yaml_document import parse_document

SCHEMA = json_schema()
WRONG: dict[str, Any] = {
    "nothing": None,
    "a truth": True,
    "a number": -7,
    "a huge number": 1e12,
    "a fraction": 0.123,
    "infinity": float("inf"),
    "a word": "no-such_Word!",
    "an empty text": "",
    "a long text": 400 * "x",
    "an empty list": [],
    "a list": [[]],
    "a long list": 70 * ["cat"],
    "a block": {"no such": {"key": 1}},
}
FOREIGN = ("Input should", "should be a valid", "Extra inputs", "Field required", "after validation",
           "less than", "greater than", "Value error", "match pattern", "valid dictionary", "instance of",
           "unable to", "Unable to", "String should", "List should", "Tuple should", "Assertion",
           "should look like")  # fmt: skip
"""Words of the library, none of which says what to write."""


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    return SCHEMA["$defs"][node["$ref"].rsplit("/", 1)[-1]] if "$ref" in node else node


def places(node: dict[str, Any], seen: set[str]) -> Iterator[list[Any]]:
    """The way to each option below a node, by the first place of its block: keys, `[]` for an item, and
    `type` for a variant."""
    if "$ref" in node:
        if node["$ref"] in seen:
            return
        seen.add(node["$ref"])
    node = resolved(node)
    for inner in [*node.get("anyOf", []), *([node["items"]] if "items" in node else [])]:
        step: list[Any] = [[]] if inner is node.get("items") else []
        yield from ([*step, *rest] for rest in places(inner, seen))
    for tag, ref in node.get("discriminator", {}).get("mapping", {}).items():
        yield from ([{"type": tag}, *rest] for rest in places({"$ref": ref}, seen))
    if isinstance(node.get("additionalProperties"), dict):
        yield from (["cat", *rest] for rest in places(node["additionalProperties"], seen))
    for key, inner in node.get("properties", {}).items():
        yield [key]
        yield from ([key, *rest] for rest in places(inner, seen))


def document(place: list[Any], wrong: Any) -> Any:
    """Nothing but that option, with that value."""
    if not place:
        return wrong
    step, *rest = place
    if step == []:
        return [document(rest, wrong)]
    if isinstance(step, dict):
        return step | document(rest, wrong)
    return {step: document(rest, wrong)}


PLACES = [place for place in places(SCHEMA, set()) if place[-1] != "type"]


def lines(values: Any) -> list[tuple[str, str]]:
    """What pydantic says, and what we say instead."""
    read = parse_document(yaml.safe_dump(values, allow_unicode=True).encode(), "house.yaml", {})
    try:
        Config.model_validate(read.values)
    except ValidationError as error:
        says = " | ".join(f"{one['type']}: {one['msg']}" for one in error.errors(include_url=False))
        return [(says, line) for line in problem_lines(error, read)]
    return []


@pytest.mark.parametrize("wrong", WRONG)
def test_no_option_is_answered_in_the_librarys_words(wrong: str) -> None:
    """Whatever is wrong with it, the line is ours, with the file and a line of it."""
    assert len(PLACES) > 400
    found = [(place, *line) for place in PLACES for line in lines(document(place, WRONG[wrong]))]
    assert found
    assert [each for each in found if any(words in each[2] for words in FOREIGN)] == []
    assert [each for each in found if not each[2].startswith("house.yaml:")] == []


def test_an_unknown_key_is_named_in_every_block() -> None:
    """Wherever it stands."""
    blocks = {str(place[:-1]): place[:-1] for place in PLACES}
    for place in blocks.values():
        found = [line for _, line in lines(document(place, {"colour": 1}))]
        assert any("unknown key 'colour'" in line for line in found), (place, found)


def test_every_pattern_has_words() -> None:
    """A text that looks wrong is answered with one that looks right."""
    wanted = {node["pattern"] for node in nodes(SCHEMA) if "pattern" in node}
    assert wanted
    assert wanted - PATTERNS.keys() == set()


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    if isinstance(node, dict) and isinstance(node.get("pattern"), str):
        yield node
    for each in inner:
        yield from nodes(each)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("web: {port: 99999}", "web.port: 99999 is too much; at most 65535"),
        ("web: {port: 0}", "web.port: 0 is too little; at least 1"),
        ("history_days: .inf", "history_days: has no end; write a number, such as 0.7"),
        ("log: {level: warn}", "log.level: should be 'debug', 'info', 'warning' or 'error', not 'warn'"),
        ("language: [de]", "language: should be 'en' or 'de'"),
        ("node: [home]", "node: is a list; write a single text"),
        ("node:", "node: nothing stands here; write a text, or leave the key out"),
        ("node: 2026-01-31", 'node: is a date to YAML; put it in quotes: "..."'),
        ("rules: [{name: A, any: [{hear: []}]}]", "rules[0].any[0].hear: is empty; write one at least"),
    ],
)
def test_a_value_is_answered_with_what_is_allowed(text: str, line: str) -> None:
    """The place, the value and the bound or an example."""
    read = parse_document(f"sources: [{{type: demo, name: demo}}]\n{text}\n".encode(), "house.yaml", {})
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(read.values)
    [found] = problem_lines(caught.value, read)
    assert found.startswith(f"house.yaml:2: {line}")
