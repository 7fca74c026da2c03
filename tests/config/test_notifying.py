"""Whom a rule notifies that names nobody."""

from typing import Any

import pytest

from monitor.config.capabilities import gaps
from monitor.config.changed_rules import laid_over, plain_rule
from monitor.config.model import Config

PHONE = {"type": "notify", "name": "phone", "urls": ["json://127.0.0.1"]}
SIREN = {"type": "notify", "name": "siren", "urls": ["json://127.0.0.1"], "min_severity": "critical"}


def house(
    *rules: dict[str, Any], notifiers: tuple[dict[str, Any], ...] = (PHONE, SIREN), **more: Any
) -> Config:
    return Config.model_validate(
        {
            "sources": [{"type": "demo", "name": "hall"}],
            "rules": list(rules),
            "notifiers": list(notifiers),
            "publishers": [{"type": "mqtt", "host": "127.0.0.1"}],
            **more,
        }
    )


@pytest.mark.parametrize(
    ("more", "notified"),
    [
        ({"severity": "critical"}, ("phone", "siren")),
        ({}, ("phone", "siren")),  # a smoke alarm's own severity
        ({"severity": "warning"}, ("phone",)),
        ({"severity": "info"}, ()),
        ({"severity": "critical", "notify": ["siren"]}, ("siren",)),
        ({"severity": "critical", "notify": []}, ()),
    ],
)
def test_a_rule_that_names_nobody_notifies_everybody_who_takes_it(
    more: dict[str, Any], notified: tuple[str, ...]
) -> None:
    rule = {"name": "Smoke", "hear": ["smoke_alarm"], **more}

    assert house(rule).rules[0].notify == notified
    assert house(rule, notifiers=()).rules[0].notify == tuple(more.get("notify", ()))


def test_a_rule_changed_on_the_page_notifies_the_same() -> None:
    """What is laid over the file's rules follows the same rule."""
    before = house({"name": "Dog", "hear": ["dog_bark"], "notify": []})
    after = laid_over(before, {"rules.Dog": {"name": "Dog", "hear": ["dog_bark"], "severity": "warning"}})

    assert [rule.notify for rule in after.rules] == [("phone",)]
    assert "notify" not in plain_rule(after.rules[0])  # kept as it was written


def test_a_notifier_that_no_rule_reaches_is_warned_of() -> None:
    alarms = {"name": "Alarms", "hear": ["smoke_alarm", "co_alarm", "fire_alarm"], "severity": "critical"}

    assert list(gaps(house(alarms))) == []
    [text] = gaps(house({**alarms, "notify": ["phone"]}))
    assert text.startswith("no rule's alerts reach notifier 'siren'")
    assert list(gaps(house({**alarms, "notify": ["phone"]}, digest={"notify": ["siren"]}))) == []
