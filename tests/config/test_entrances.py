"""Mistakes at sources that others publish for or connect to: `check` names the fix."""

import pytest

from monitor.config.loading import check_document
from monitor.config.yaml_document import parse_document
from monitor.errors import ConfigError

BROKER = "publishers:\n  - {type: mqtt, name: broker}\n"


def problems(source: str, more: str = BROKER, rules: str = "") -> str:
    text = f"node: home\nsources:\n  - {source}\n{more}{rules}"
    with pytest.raises(ConfigError) as found:
        check_document(parse_document(text.encode(), "house.yaml"))
    return "\n".join(found.value.problems)


def device(more: str) -> str:
    return f"{{type: external, name: porch, {more}}}"


@pytest.mark.parametrize(
    ("block", "fix"),
    [
        ("topic: a, label_map: {x: screem}", "did you mean 'scream'?"),
        ("topic: a, label_map: {}", "write one at least"),
        ("topic: 'a/#', label_map: {x: scream}", "{label} for the one that names the sound"),
        ("topic: 'a/x{label}', label_map: {x: scream}", "stands once, alone between two slashes"),
        ("topic: 'a/{label}', path: b, label_map: {x: scream}", "leave out one"),
        ("topic: a, min_score: 0.5, label_map: {x: scream}", "min_score needs score_path"),
        ("topic: a, sensitivity: 0.5, label_map: {x: scream}", "use min_score and where instead"),
        ("topic: a, broker: brooker, label_map: {x: scream}", "did you mean 'broker'?"),
        ("topic: earwitness/home/hall/event, path: label, label_map: {x: scream}", "again and again"),
    ],
)
def test_check_names_the_fix_of_an_external_device(block: str, fix: str) -> None:
    """Line, place and what to write."""
    assert fix in problems(device(block))


def test_an_external_device_needs_a_broker() -> None:
    """Its detections come over MQTT."""
    assert "add a publisher of `type: mqtt`" in problems(device("topic: a, label_map: {x: scream}"), more="")


def test_a_rule_for_what_the_device_never_reports_is_warned_of() -> None:
    """The label is known in the house, and not at that source."""
    from monitor.config.capabilities import warnings

    rules = "rules:\n  - {name: Glass, hear: [glass_break], sources: [porch]}\n"
    text = f"sources:\n  - {device('topic: a, label_map: {x: scream}')}\n{BROKER}{rules}"
    config = check_document(parse_document(text.encode(), "house.yaml"))
    assert any("the `label_map` of porch has no glass_break" in line for line in warnings(config))


def test_two_sources_cannot_wait_on_one_port() -> None:
    """The second is named, with the fix."""
    key = 32 * "5e"
    two = f"{{type: udp, name: one, key: '{key}'}}\n  - {{type: udp, name: two, key: '{key}'}}"
    assert "'one' uses port 47800; give each source its own `port`" in problems(two)
