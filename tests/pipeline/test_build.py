"""From a configuration to the parts of the loop."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from monitor.config.house import build_house
from monitor.config.model import Config
from monitor.pipeline.build import (
    build_decision_engine,
    build_front_end,
    load_classifiers,
    only_decisions_differ,
)
from monitor.types import SoundEvent
from testkit.builders import START, frames, heard, noise


def config(**more: Any) -> Config:
    blocks = {"sources": [{"type": "demo", "name": "kitchen"}], "classifiers": []}
    return Config.model_validate({**blocks, **more})


def test_a_model_that_cannot_be_loaded_is_said_and_left_out(tmp_path: Path):
    """The alarms are heard by their rhythm, whatever happens to a model."""
    wrong = [
        {"type": "embedded", "name": "mine", "model": str(tmp_path / "nothing.onnx")},
        {"type": "embedded"},
    ]
    with capture_logs() as logs:
        listeners = load_classifiers(config(classifiers=wrong))
    assert [classifier.name for classifier in listeners.first] == ["embedded"]
    assert "nothing" in listeners.missing["mine"]
    assert [entry["classifier"] for entry in logs if entry["log_level"] == "error"] == ["mine"]
    listeners.close()


def test_the_gate_names_speech_only_where_no_model_does():
    """Two listeners for the same label would confirm each other with the same evidence."""
    voiced = load_classifiers(config(classifiers=[{"type": "embedded"}]))
    mute = load_classifiers(config())
    sound = np.concatenate([noise(2), noise(1, -20)])
    for listeners in (voiced, mute):
        ears = build_front_end(config(), config().sources[0], listeners)
        labels = {d.label for frame in frames(sound) if (h := ears.push(frame)) for d in h.detections}
        assert labels <= {"speech", "loud_noise"}
        assert listeners is mute or "speech" not in labels
    voiced.close()


def test_a_source_has_the_sensitivity_of_its_configuration():
    """From the first sound on, not from the first command."""
    keen = config(sources=[{"type": "demo", "name": "kitchen", "sensitivity": 1.0}])
    dull = config(sources=[{"type": "demo", "name": "kitchen", "sensitivity": -1.0}])
    bark = heard("dog_bark", 0.4)
    assert build_decision_engine(keen, load_classifiers(keen)).decide([bark], START) != []
    assert build_decision_engine(dull, load_classifiers(dull)).decide([bark], START) == []


def test_thresholds_of_a_source_win_over_those_of_the_house():
    """The kitchen's own word on dogs; the hall has the house's."""
    given = config(
        sources=[
            {"type": "demo", "name": "kitchen", "labels": {"dog_bark": {"onset": 0.99}}},
            {"type": "demo", "name": "hall"},
        ],
        labels={"dog_bark": {"onset": 0.3, "off": 0.2}},
    )
    engine = build_decision_engine(given, load_classifiers(given))
    posted = engine.decide([heard("dog_bark", 0.5), heard("dog_bark", 0.5, source="hall")], START)
    assert {event.source for event in posted if isinstance(event, SoundEvent)} == {"hall"}


def test_entities_are_what_rules_name_and_what_warns():
    """Only of what this house can hear: an entity that is never on would be a promise."""
    rule = {"name": "Loud", "hear": ["loud_noise"], "then": {"hear": ["speech"], "within_s": 5}}
    [room] = build_house(config(rules=[rule])).sources
    assert {"loud_noise", "speech", "smoke_alarm", "co_alarm"} <= set(room.labels)
    assert "glass_break" not in room.labels
    assert set(room.labels) <= set(room.event_labels)
    assert room.hidden.isdisjoint({"loud_noise", "speech"})
    assert {"smoke_alarm", "co_alarm"} <= room.hidden


def test_entities_that_are_listed_are_all_there_are():
    """The owner's list wins."""
    [room] = build_house(config(entities=["smoke_alarm"])).sources
    assert room.labels == ("smoke_alarm",)
    assert not room.hidden


@pytest.mark.parametrize(
    ("web", "address"),
    [
        ({}, None), ({"host": "0.0.0.0"}, None), ({"host": "::"}, None), ({"host": "localhost"}, None),
        ({"host": "10.0.0.7"}, "http://10.0.0.7:8199"), ({"host": "fd00::7"}, "http://[fd00::7]:8199"),
        ({"host": "nas.lan", "port": 80}, "http://nas.lan:80"),
        ({"host": "0.0.0.0", "url": "https://ears.example/page"}, "https://ears.example/page"),
        ({"host": "10.0.0.7", "enabled": False}, None),
    ],
)  # fmt: skip
def test_the_page_is_named_where_others_reach_it(web: dict[str, Any], address: str | None):
    """A link to 127.0.0.1 would lead a phone to itself."""
    assert build_house(config(web=web)).page == address


@pytest.mark.parametrize("url", ["ears.lan", "javascript:alert(1)", "http://", "http://a b/"])
def test_the_page_has_an_address_of_the_web(url: str):
    """Home Assistant refuses a whole device for an address that is none."""
    with pytest.raises(ValidationError):
        config(web={"url": url})


@pytest.mark.parametrize("enabled", [True, False])
def test_a_source_that_is_off_is_not_announced(enabled: bool):
    """Nobody sees a room that nobody listens to."""
    sources = [{"type": "demo", "name": "kitchen"}, {"type": "demo", "name": "hall", "enabled": enabled}]
    rooms = build_house(config(sources=sources)).sources
    assert [room.source for room in rooms] == (["kitchen", "hall"] if enabled else ["kitchen"])


def test_rules_alone_are_exchanged_where_nothing_else_has_to_know():
    """Other entities in Home Assistant, words that nobody wrote down so far, another gate: begin anew."""

    def with_rules(*rules: dict[str, Any], **more: Any) -> Config:
        return config(classifiers=[{"type": "embedded"}], rules=[smoke, *rules], **more)

    smoke = {"name": "Smoke", "hear": ["smoke_alarm"]}
    alike = {"name": "Other", "hear": ["smoke_alarm"], "severity": "critical"}
    door = {"name": "Door", "hear": ["doorbell"]}
    words = {"name": "Words", "hear": ["speech"], "say": ["help"]}
    shown = ["smoke_alarm"]
    assert only_decisions_differ(with_rules(), with_rules(alike))
    chirp = {"name": "Chirp", "hear": ["low_battery_chirp"]}
    assert not only_decisions_differ(with_rules(), with_rules(chirp))
    assert only_decisions_differ(with_rules(entities=shown), with_rules(door, entities=shown))
    assert not only_decisions_differ(with_rules(entities=shown), with_rules(words, entities=shown))
    assert not only_decisions_differ(with_rules(), with_rules(alike, not_listening_after_s=60))
    assert only_decisions_differ(with_rules(), with_rules(labels={"dog_bark": {"onset": 0.9}}))
