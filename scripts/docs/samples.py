"""Writes the output that the README and the evidence guide print: `python -m scripts.docs.samples`."""

import io
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from monitor.classifiers.base import judged
from monitor.config.loading import check_document, default_config
from monitor.config.model import Config
from monitor.config.yaml_document import parse_document
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.pipeline.build import build_decision_engine, build_front_end, load_classifiers
from monitor.publishers.terminal.console import ConsolePublisher
from monitor.synthesis.scene import SCENE_S
from monitor.types import Alert, Findings, Message, SoundEvent, SourceStatus
from testkit.fakes import FakeClock

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md", r"\d\d:\d\d:\d\d  demo ")
EVIDENCE = (ROOT / "docs" / "guides" / "evidence.md", "event ")
"""A page, and how its block of output begins."""
PATIENCE_S = 60
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_DOORS = """
sources: [{type: demo, name: hall, realtime: false, loop: false}]
rules:
  - {name: Visitors at night, hear: [doorbell], min_score: 0.9999}
  - {name: Smoke, hear: [smoke_alarm]}
  - {name: Glass, hear: [glass_break]}
"""


def demo_lines() -> list[str]:
    """What `earwitness demo` shows of its scene, up to the alarm that is confirmed."""
    config = default_config([{"type": "demo", "name": "demo", "realtime": False, "loop": False}])
    shown = io.StringIO()
    with ConsolePublisher(console=Console(file=shown, soft_wrap=True)) as publisher:
        _show(publisher, SourceStatus("demo", online=True, at=FakeClock().now()))
        for message in (one for _, messages in _heard(config) for one in messages):
            if isinstance(message, SoundEvent | Alert):
                _show(publisher, message)
    lines = [line.rstrip() for line in shown.getvalue().splitlines()]
    last = next(i for i, line in enumerate(lines) if "ALERT Smoke alarm" in line)
    return lines[: last + 1]


def explain_lines() -> list[str]:
    """What `earwitness explain` prints, in UTC, of a bell that rang and of a rule that asked for more."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "earwitness.yaml"
        path.write_text(f"{_DOORS}state_dir: {folder}\n")
        bell = _kept(path)["doorbell"]
        command = [sys.executable, "-m", "monitor", "explain", "--config", str(path), bell]
        in_utc = {**os.environ, "TZ": "UTC"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=in_utc)
        return done.stdout.splitlines()


def sample(page: Path, first_words: str) -> list[str]:
    """The lines of a page's block of output that begins so."""
    blocks = _BLOCK.findall(page.read_text(encoding="utf-8"))
    [found] = [str(block) for kind, block in blocks if not kind and re.match(first_words, block)]
    return found.splitlines()


def _heard(config: Config) -> Iterator[tuple[Findings, Sequence[Message]]]:
    """The first source, heard to its end by the daemon's own parts, one after the other: nothing depends on
    how busy the machine is. It begins at the fake clock's first moment."""
    classifiers = load_classifiers(config)
    ears = build_front_end(config, config.sources[0], classifiers)
    engine = build_decision_engine(config, classifiers)
    clock = FakeClock()
    clock.advance(SCENE_S)  # what is heard as fast as can be began as long ago as it lasts
    with config.sources[0].build(clock) as source:
        for frame in source.frames():
            heard = ears.push(frame) or Findings(source.name, frame.ends_at)
            named = [
                one for model in classifiers.first for cut in heard.segments for one in judged(model, [cut])
            ]
            found = replace(heard, detections=(*heard.detections, *named))
            yield found, engine.decide(found.detections, frame.ends_at)


def _show(publisher: ConsolePublisher, message: Message) -> None:
    """And wait until it stands there."""
    printed = threading.Event()
    publisher.publish(message, lambda _: printed.set())
    if not printed.wait(PATIENCE_S):
        raise TimeoutError(f"not shown within {PATIENCE_S} s: {message}")


def _kept(path: Path) -> dict[str, str]:
    """Hears the scene of a configuration and keeps its scores: each label with the id of its last event."""
    config = check_document(parse_document(path.read_bytes(), path.name, {}))
    store, ids = ScoreStore(config.state_folder() / SCORES, FakeClock()), dict[str, str]()
    for found, messages in _heard(config):
        store.hear(found, found.until)
        for message in messages:
            if isinstance(message, SoundEvent | Alert):
                store.post(message, found.until)
            if isinstance(message, SoundEvent):
                ids[message.label] = message.id
    with store:
        return ids


def _write(page: Path, first_words: str, lines: Sequence[str]) -> None:
    old, new = "\n".join(sample(page, first_words)), "\n".join(lines)
    page.write_text(page.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


if __name__ == "__main__":
    _write(*README, demo_lines())
    _write(*EVIDENCE, explain_lines())
