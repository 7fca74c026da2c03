"""The guide to rules says what is true."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from monitor.config.yaml_document import parse_document
from monitor.events.settings import LABELS
from monitor.rules.engine import RuleEngine
from monitor.rules.model import Clause, Rule
from tests.rules.stories import at, sound

GUIDE = (Path(__file__).parents[2] / "docs/guides/rules.md").read_text(encoding="utf-8")
BLOCKS: list[Mapping[str, Any]] = [
    parse_document(text.encode(), "rules.md").values
    for text in re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
]
RULES = {rule["name"]: Rule.model_validate(rule) for block in BLOCKS for rule in block.get("rules", [])}


def test_every_example_is_understood() -> None:
    """Each block of YAML has rules, thresholds or sources, and they are valid."""
    written = [labels for block in BLOCKS for labels in [block.get("labels", {})]]
    written += [source.get("labels", {}) for block in BLOCKS for source in block.get("sources", [])]

    assert len(BLOCKS) >= 9
    assert sum(len(LABELS.validate_python(labels)) for labels in written) == 5
    assert all({"rules", "labels", "sources"} & set(block) for block in BLOCKS)


@pytest.mark.parametrize("name", RULES)
def test_every_example_can_fire(name: str) -> None:
    """Each rule of the guide passes its own test alert."""
    assert RuleEngine([RULES[name]]).test(at(0)).rule == name


def test_every_key_of_a_rule_is_in_the_table() -> None:
    """No key is missing from the guide, and the defaults are those of the code."""
    table = GUIDE[GUIDE.index("| key | default |") : GUIDE.index("An event raises one alert per rule")]
    keys = set(re.findall(r"`(\w+)`", "\n".join(row.split("|")[1] for row in table.splitlines() if row)))

    assert keys == set(Rule.model_fields)
    assert Rule.model_fields["cooldown_s"].default == 60
    assert Clause.model_fields["min_emotion_score"].default == 0.5


def test_distress_is_two_ways() -> None:
    """Scream, shout, crying or groan repeated within 30 s; or fearful speech."""

    def raised(*events: Any) -> int:
        engine = RuleEngine([RULES["Distress"]])
        return sum(len(engine.decide(event)) for event in events)

    assert raised(sound("scream")) == 0
    assert raised(sound("shout")) == 0
    assert raised(sound("shout"), sound("groan", 20)) == 1
    assert raised(sound("crying"), sound("crying", 31)) == 0
    assert raised(sound("speech")) == 0
    assert raised(sound("speech", emotion={"fearful": 0.7})) == 1


def test_a_break_in_needs_its_order() -> None:
    """Glass and then footsteps at night raise the alert; footsteps before the glass do not."""
    night = RULES["Break-in"].model_copy(update={"between": None})

    forwards, backwards = RuleEngine([night]), RuleEngine([night])
    forwards.decide(sound("glass_break"))
    backwards.decide(sound("footsteps"))

    assert len(forwards.decide(sound("footsteps", 12, source="porch"))) == 1
    assert backwards.decide(sound("glass_break", 12)) == []
