"""Where the score that a sound needs comes from."""

from monitor.config.capabilities import onset_origins
from monitor.config.model import Config


def test_each_onset_has_an_origin() -> None:
    """A source's own goes before what holds everywhere; what was changed elsewhere is named."""
    hall = {"type": "demo", "name": "hall", "labels": {"dog_bark": {"onset": 0.9}, "cat": {"hits": 3}}}
    config = Config.model_validate(
        {
            "sources": [{"type": "demo", "name": "kitchen"}, hall],
            "labels": {"knock": {"onset": 0.4}, "dog_bark": {"onset": 0.7}},
        }
    )
    found = onset_origins(config, {"labels.dog_bark.onset"})
    assert [found[name]["dog_bark"] for name in ("kitchen", "hall")] == ["set", "source"]
    assert [found[name]["knock"] for name in ("kitchen", "hall")] == ["file", "file"]
    assert [found["hall"][label] for label in ("cat", "unknown_alarm")] == ["model", "table"]
    assert onset_origins(config, {"sources.hall.labels.dog_bark.onset"})["hall"]["dog_bark"] == "set"
