"""Blocks that are switched off and kept in the file."""

from pathlib import Path

import pytest

from monitor.config.capabilities import gaps
from monitor.config.changed_rules import laid_over
from monitor.config.loading import check_document, examined
from monitor.config.model import Config
from monitor.config.yaml_document import parse_document
from monitor.history.replay import overridden
from monitor.pipeline.build import LoadedClassifiers, build_rules
from monitor.recordings.analysis import analyze
from monitor.synthesis.alarms import piezo, played, temporal_three
from testkit.wav import write_wav
from tests.cli.test_commands import earwitness
from tests.rules.stories import sound

HOUSE = """\
sources:
  - {type: demo, name: kitchen}
  - {type: demo, name: hall, enabled: false}
classifiers:
  - {type: embedded, name: old, enabled: false}
  - {type: embedded}
rules:
  - {name: Asleep, hear: [smoke_alarm], severity: critical, enabled: false}
  - {name: Awake, hear: [smoke_alarm], severity: critical, notify: [phone, neighbour], escalate_after_s: 60}
  - {name: Phone alone, hear: [cat], notify: [phone], escalate_after_s: 60, sources: [hall]}
publishers:
  - {type: mqtt, host: 127.0.0.1, enabled: false}
  - {type: command, argv: [/bin/echo], rules: [Asleep]}
notifiers:
  - {type: notify, name: phone, urls: ["json://127.0.0.1"], enabled: false}
  - {type: notify, name: neighbour, urls: ["json://127.0.0.1"]}
digest: {at: "20:00", notify: [phone, neighbour]}
"""


def house(text: str = HOUSE) -> Config:
    return check_document(parse_document(text.encode(), "house.yaml", {}))


def problems(text: str) -> list[str]:
    return examined(parse_document(text.encode(), "house.yaml", {}))[1]


def test_what_is_off_is_not_used() -> None:
    """Of each list the others are left, and who notifies does not wait for whom nobody notifies."""
    config = house()
    names = {part: [one.name for one in getattr(config, part)] for part in ("classifiers", "publishers")}
    assert names == {"classifiers": ["embedded"], "publishers": ["command"]}
    assert [one.name for one in config.notifiers] == ["neighbour"]
    assert config.digest is not None
    assert config.digest.notify == ("neighbour",)

    rules = build_rules(config, LoadedClassifiers())
    [alert] = rules.decide(sound("smoke_alarm"))
    assert (alert.rule, alert.notify, alert.escalate_after_s) == ("Awake", ("neighbour",), 60)
    [alone] = rules.decide(sound("cat", source="hall"))
    assert (alone.notify, alone.escalate_after_s) == ((), None)


def test_a_recording_raises_no_alert_of_a_rule_that_is_off(tmp_path: Path) -> None:
    """Through the whole loop; switched on again, the same rule rings."""
    write_wav(tmp_path / "smoke.wav", played(piezo(3100), temporal_three(4), 16_000))
    rules = "sources: [{type: demo, name: demo}]\nclassifiers: []\nrules:\n"
    rule = "  - {name: Smoke, hear: [smoke_alarm], enabled: %s}\n"
    heard = {
        word: [row["type"] for row in analyze(tmp_path / "smoke.wav", house(text), LoadedClassifiers()).rows]
        for word, text in {word: rules + rule % word for word in ("true", "false")}.items()
    }
    assert heard["true"].count("alert") == 1
    assert heard["false"] == ["event"]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("hear: [cat]", "hear: [catt]", "house.yaml:10: rules[2].hear[0]: unknown label 'catt'"),
        (
            "hear: [smoke_alarm], severity: critical, enabled",
            "hear: [smok], enabled",
            "house.yaml:8: rules[0].hear",
        ),
        ("neighbour, urls", "neighbour, pictures: true, urls", "house.yaml:16: notifiers[1].pictures: there"),
        (
            "[phone, neighbour], esc",
            "[fone, neighbour], esc",
            "house.yaml:9: rule 'Awake': no",
        ),
        ("rules: [Asleep]", "rules: [Of]", "house.yaml:13: publishers[1].rules: no rule is named 'Of'"),
    ],
)
def test_a_mistake_is_found_in_its_place(before: str, after: str, line: str) -> None:
    """In what is off as well, and behind it."""
    assert before in HOUSE
    [problem] = problems(HOUSE.replace(before, after))
    assert problem.startswith(line)


def test_check_says_what_is_off_and_what_that_costs(tmp_path: Path, capsys) -> None:
    """Under the list of what is on, and a warning for each rule that misses it; none of them is an error."""
    file = tmp_path / "earwitness.yaml"
    file.write_text(HOUSE)
    assert earwitness("check", "-c", file) == 0

    said = capsys.readouterr().err
    assert "switched off hall, old, Asleep, mqtt, phone" in said
    assert "rule 'Awake' names phone, switched off (enabled: false), and does not notify them" in said
    assert "rule 'Phone alone' names phone, switched off (enabled: false), and notifies nobody" in said
    assert "rule 'Phone alone' names hall, switched off (enabled: false), and hears nothing at all" in said


def test_the_only_rule_about_smoke_that_is_off_is_warned_of() -> None:
    """With its name, and how it is switched on."""
    text = HOUSE.replace("Awake, hear: [smoke_alarm]", "Awake, hear: [cat]")
    [found] = [each for each in gaps(house(text)) if "smoke_alarm" in each]
    assert found.endswith("so that alarm raises no alert; 'Asleep' would: write enabled: true")


def test_a_broker_that_is_off_is_named_to_who_needs_it() -> None:
    [problem] = problems(HOUSE + "web: {nodes: {}}\n")
    assert problem.endswith("other nodes are heard over MQTT; 'mqtt' is off: write enabled: true")


def test_a_rule_is_switched_off_in_every_way_that_changes_it() -> None:
    """On the page and in a replay, too."""
    off = {"name": "Phone alone", "hear": ["cat"], "enabled": False}
    assert "Phone alone" not in [rule.name for rule in laid_over(house(), {"rules.Phone alone": off}).rules]
    assert [rule.name for rule in overridden(house(), ["rules.Awake.enabled=false"]).rules] == ["Phone alone"]
