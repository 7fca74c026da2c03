"""The support bundle: canaries planted wherever a person can write something never appear in it."""

import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.config.model import Config
from monitor.config.overrides import apply
from monitor.logs import configure_logging, get_logger, recent_lines
from monitor.support.bundle import bundle_files, log_line, zipped
from monitor.support.plain import TEXT, known_words, plain

CANARY = "canary7f3a"


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Config:
    """A house in which every text that a person can write is a canary."""
    url = f"rtsp://{CANARY}:{CANARY}@{CANARY}.lan/{CANARY}"
    say = {"name": f"{CANARY} {CANARY}", "hear": ["speech"], "say": [CANARY], "between": "22:00-07:00"}
    broker = {"host": f"{CANARY}.lan", "username": CANARY, "password": CANARY}
    large = {"name": "large", "url": f"http://{CANARY}.lan/v1", "model": CANARY, "api_key": CANARY}
    return Config.model_validate(
        {
            "node": CANARY,
            "state_dir": tmp_path / CANARY,
            "sources": [
                {"type": "stream", "name": "porch", "url": url, "area": CANARY},
                {"type": "file", "name": "attic", "path": f"/home/{CANARY}/{CANARY}.wav"},
            ],
            "labels": {"dog_bark": {"onset": 0.7}},
            "classifiers": [{"type": "embedded"}, {"type": "remote", **large}],
            "rules": [{**say, "notify": ["phone"]}],
            "publishers": [
                {"type": "mqtt", **broker},
                {"type": "jsonl", "name": "lines", "path": f"/srv/{CANARY}/lines.jsonl"},
            ],
            "notifiers": [
                {"type": "notify", "name": "phone", "urls": [f"ntfys://{CANARY}@ntfy.sh/{CANARY}"]}
            ],
            "web": {"password": CANARY, "viewer_password": CANARY},
        }
    )


def bundle(config: Config, log: list[dict[str, Any]] | None = None, health: Any = None) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(zipped(bundle_files(config, health, log or [])))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_no_canary_of_the_configuration_appears(config: Config) -> None:
    """And what helps is there: kinds, thresholds, the shape of the rules, the names of sources."""
    apply(config, {"labels.dog_bark.onset": 0.9}, by=CANARY, at=datetime.now(UTC), why=CANARY)
    files = bundle(config)
    assert CANARY not in "".join(files.values())
    assert not [name for name in files if CANARY in name]
    text = files["earwitness-support/configuration.yaml"]
    for word in (
        "porch",
        "attic",
        "type: stream",
        "type: mqtt",
        "onset: 0.7",
        "speech",
        "22:00-07:00",
        "phone",
    ):
        assert word in text
    assert "labels.dog_bark.onset" in files["earwitness-support/changes.json"]


def test_no_canary_of_the_log_appears(config: Config) -> None:
    """Neither of a value, a sentence that came from elsewhere, nor of an error's message."""
    words = known_words(config)
    configure_logging(level="info", json=True)
    log = get_logger()
    try:
        raise ValueError(CANARY)
    except ValueError:
        log.exception("the page has stopped; everything else goes on", why=CANARY, source="porch", n=3)
    log.warning(CANARY, reason=f"no route to {CANARY}")
    lines = [log_line(line, words) for line in recent_lines()[-2:]]
    assert CANARY not in json.dumps(lines)
    first, second = lines
    assert first["event"] == "the page has stopped; everything else goes on"
    assert (first["source"], first["n"], first["why"]) == ("porch", 3, TEXT)
    assert first["exception"][-1] == "ValueError"
    assert (second["event"], second["reason"]) == (TEXT, TEXT)


def test_no_canary_of_health_appears(config: Config) -> None:
    """Figures stay, reasons go."""
    health = {
        "uptime_s": 3.0,
        "sources": {"porch": {"online": False, "reason": CANARY}},
        "notes": {"large": CANARY},
    }
    text = bundle(config, health=health)["earwitness-support/health.json"]
    assert json.loads(text)["sources"]["porch"] == {"online": False, "reason": TEXT}
    assert CANARY not in text


def test_what_is_not_known_is_taken_out() -> None:
    """By what may stay, at any depth."""
    words = frozenset({"dog_bark", "porch"})
    found = plain({"labels": {"dog_bark": [1, "x"], "anna": "porch"}}, words)
    assert found == {"labels": {"dog_bark": [1, TEXT], TEXT: "porch"}}


def test_a_sentence_of_ours_stays_wherever_it_is_logged(config: Config) -> None:
    """What a store logs when it fails, and what stands in two lines of the code, help most."""
    for text in (
        "scores are not being kept: explain and replay will have a gap",
        "history is not being kept: events and alerts wait in memory and are still delivered; "
        "free space or repair the disk, and keeping goes on by itself",
    ):
        files = bundle_files(config, log=[{"event": text}])
        assert text in files["log.jsonl"]
