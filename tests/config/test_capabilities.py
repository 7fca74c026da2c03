"""What a configuration can hear."""

import pytest

from monitor.config.capabilities import warnings
from monitor.config.model import Config


def house(early_look_s: float, **more: object) -> Config:
    return Config.model_validate(
        {
            "node": "home",
            "sources": [{"type": "demo", "name": "hall", "gate": {"early_look_s": early_look_s}}],
            "classifiers": [{"type": "embedded"}],
            "rules": [{"name": "R", "hear": ["siren", "smoke_alarm", "doorbell"], "severity": "warning"}],
            **more,
        }
    )


@pytest.mark.parametrize(
    ("early_look_s", "looks"), [(0.0, 1), (0.5, None), (1.0, None), (1.5, 3), (3.0, 2), (5.0, 1)]
)
def test_a_sound_that_is_looked_at_too_seldom_is_warned_of(early_look_s: float, looks: int | None) -> None:
    """A siren needs four hits within 4 s; alarms are followed by their rhythm, and a doorbell needs one."""
    said = warnings(house(early_look_s))
    if looks is None:
        assert said == []
    else:
        [text] = said
        assert text.startswith("rule 'R': no siren event ever begins at hall: it needs 4 hits within 4 s")
        assert f"looked at {looks} times" in text


def test_more_hits_than_looks_are_warned_of() -> None:
    """The owner's own number of hits, too."""
    [text] = warnings(house(2.0, labels={"doorbell": {"hits": 3, "within_s": 3}, "siren": {"hits": 1}}))
    assert "no doorbell event" in text
