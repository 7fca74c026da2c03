"""Rules that are changed without editing the configuration: checked as it is, and never against a life."""

from pathlib import Path
from typing import Any

import pytest

from monitor.config.changed_rules import findings
from monitor.config.loading import as_configured, load_config
from monitor.config.overrides import apply, read_steps, undo, without
from monitor.errors import ConfigError
from testkit.builders import START

HOUSE = """
state_dir: {folder}
sources: [{{type: demo, name: hall}}]
rules:
  - {{name: Smoke, hear: [smoke_alarm]}}
  - {{name: Dog, hear: [dog_bark], cooldown_s: 300}}
  - {{name: Door, hear: [knock]}}
"""


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Path:
    path = tmp_path / "house.yaml"
    path.write_text(HOUSE.format(folder=tmp_path))
    return path


def change(house: Path, values: dict[str, Any]) -> None:
    apply(as_configured(house), values, by="test", at=START)


def rules(house: Path) -> dict[str, float]:
    return {rule.name: rule.cooldown_s for rule in load_config(house).rules}


def test_a_rule_is_changed_added_and_switched_off_step_by_step(house: Path):
    """It stays at its place; an undo takes the last step back, and the file is as it was."""
    before = house.read_text()
    change(house, {"rules.Dog": {"name": "Dog", "hear": ["dog_bark"], "cooldown_s": 600}})
    assert rules(house) == {"Smoke": 60, "Dog": 600, "Door": 60}
    change(house, {"rules.Cat": {"name": "Cat", "hear": ["cat"]}})
    change(house, {"rules.Dog": False})
    assert rules(house) == {"Smoke": 60, "Door": 60, "Cat": 60}
    written = without(load_config(house), read_steps(house.parent))
    assert sorted(rule.name for rule in written.rules) == ["Dog", "Door", "Smoke"]
    undo(house.parent)
    undo(house.parent)
    assert rules(house) == {"Smoke": 60, "Dog": 600, "Door": 60}
    undo(house.parent)
    assert (rules(house)["Dog"], house.read_text()) == (300, before)


def test_what_its_author_writes_later_holds(house: Path):
    """A change ends where the file has another rule than it had when the change was made."""
    change(house, {"rules.Dog": {"name": "Dog", "hear": ["dog_bark"], "cooldown_s": 600}})
    house.write_text(house.read_text().replace("cooldown_s: 300", "cooldown_s: 30"))
    assert rules(house)["Dog"] == 30


@pytest.mark.parametrize("value", [False, {"name": "Smoke", "hear": ["smoke_alarm"], "severity": "info"}])
def test_a_rule_for_a_life_stays_as_it_is_written(house: Path, value: Any):
    """Neither switched off nor changed; one more may be added."""
    with pytest.raises(ConfigError, match="configuration alone"):
        change(house, {"rules.Smoke": value})
    change(house, {"rules.More smoke": {"name": "More smoke", "hear": ["smoke_alarm"]}})
    assert set(rules(house)) == {"Smoke", "Dog", "Door", "More smoke"}


@pytest.mark.parametrize(
    ("keys", "slot", "text"),
    [
        ({"between": "25-7"}, "between", "is not a time of day"),
        ({"hear": ["dog_brak"]}, "hear[0]", "did you mean 'dog_bark'"),
        ({"notify": ["anna"]}, "notify", "no notifier is named 'anna'"),
        ({"sources": ["hal"]}, "sources", "did you mean 'hall'"),
        ({"count": 2}, "", "needs `within_s`"),
        ({"loud": True}, "loud", "there is no such key"),
        ({"name": "Door"}, "name", "its own name"),
    ],
)
def test_what_is_wrong_stands_at_its_slot(house: Path, keys: dict[str, Any], slot: str, text: str):
    """As `earwitness check` says it."""
    config = load_config(house)
    found = findings(config, {"name": "New", "hear": ["cat"], **keys}, replaces=None)
    assert [(one.slot, one.fatal) for one in found] == [(slot, True)]
    assert text in found[0].text
