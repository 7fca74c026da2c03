"""Which large model the page may ask."""

from monitor.config.model import Config
from monitor.web.trying.asking import model_to_ask


def test_a_model_that_the_daemon_has_loaded_is_not_loaded_again() -> None:
    """A second of its size has no room: only one behind a server is asked."""
    config = {"sources": [{"type": "demo", "name": "hall"}], "classifiers": [{"type": "embedded"}]}
    assert model_to_ask(Config.model_validate(config)) is None
    config["classifiers"] += [{"type": "qwen", "model": "Qwen/Qwen2-Audio-7B-Instruct"}]
    assert model_to_ask(Config.model_validate(config)) is None
