"""What a configuration can hear."""

from pathlib import Path

import pytest

from monitor.config.capabilities import warnings
from monitor.config.model import Config
from testkit.tagger_models import class_list


def house(early_look_s: float, tagger: dict[str, object] | None = None, **more: object) -> Config:
    return Config.model_validate(
        {
            "node": "home",
            "sources": [{"type": "demo", "name": "hall", "gate": {"early_look_s": early_look_s}}],
            "classifiers": [tagger or {"type": "embedded"}],
            "rules": [{"name": "R", "hear": ["siren", "smoke_alarm", "doorbell"], "severity": "warning"}],
            **more,
        }
    )


def foreign_tagger(folder: Path) -> dict[str, object]:
    """One that judges whole windows, and does not measure how long a sound in them lasted."""
    classes = class_list(folder, ["Siren", "Doorbell", "Smoke detector, smoke alarm"])
    return {"type": "onnx", "model": "tagger.onnx", "classes": classes}


@pytest.mark.parametrize(
    ("early_look_s", "looks"), [(0.0, 1), (0.5, None), (1.0, None), (1.5, 3), (3.0, 2), (5.0, 1)]
)
def test_a_sound_that_is_looked_at_too_seldom_is_warned_of(
    tmp_path: Path, early_look_s: float, looks: int | None
) -> None:
    """A siren needs four hits within 4 s; alarms are followed by their rhythm, and a doorbell needs one."""
    said = warnings(house(early_look_s, foreign_tagger(tmp_path)))
    if looks is None:
        assert said == []
    else:
        [text] = said
        assert text.startswith("rule 'R': no siren event ever begins at hall: it needs 4 hits within 4 s")
        assert f"looked at {looks} times" in text


def test_more_hits_than_looks_are_warned_of(tmp_path: Path) -> None:
    """The owner's own number of hits, too."""
    labels = {"doorbell": {"hits": 3, "within_s": 3}, "siren": {"hits": 1}}
    [text] = warnings(house(2.0, foreign_tagger(tmp_path), labels=labels))
    assert "no doorbell event" in text


def test_one_look_is_enough_for_a_classifier_that_measures_how_long_a_sound_lasted() -> None:
    """Two seconds of siren in one look are its four hits."""
    assert warnings(house(5.0)) == []
