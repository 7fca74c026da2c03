"""What the guides print as output, held against what the commands print."""

import io
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from monitor.classifiers.base import judged
from monitor.config.loading import check_document, default_config
from monitor.config.model import Config
from monitor.config.yaml_document import parse_document
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.pipeline.build import build_decision_engine, build_front_end, load_classifiers
from monitor.publishers.terminal.console import ConsolePublisher
from monitor.types import Alert, Findings, Message, SoundEvent, SourceStatus
from testkit.fakes import FakeClock

ROOT = Path(__file__).parent.parent
EVIDENCE = ROOT / "docs" / "guides" / "evidence.md"
SCENE = {"type": "demo", "realtime": False, "loop": False}
DOORS = """
sources: [{type: demo, name: hall, realtime: false, loop: false}]
rules:
  - {name: Doors at night, hear: [door_slam], min_score: 0.999}
  - {name: Smoke, hear: [smoke_alarm]}
  - {name: Glass, hear: [glass_break]}
"""
PATIENCE_S = 60
ID = re.compile(r"\b(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{6}(?:[0-9a-f]{6})?\b|(?<=  )\d{6}$")
Heard = Iterator[tuple[Findings, Sequence[Message]]]


def listen(config: Config) -> Heard:
    """The first source, heard to its end by the daemon's own parts, one after the other: nothing depends on
    how busy the machine is."""
    listeners = load_classifiers(config)
    ears = build_front_end(config, config.sources[0], listeners)
    engine = build_decision_engine(config, listeners)
    with config.sources[0].build(FakeClock()) as source:
        for frame in source.frames():
            heard = ears.push(frame) or Findings(source.name, frame.ends_at)
            named = [
                one for model in listeners.first for cut in heard.segments for one in judged(model, [cut])
            ]
            found = replace(heard, detections=(*heard.detections, *named))
            yield found, engine.decide(found.detections, frame.ends_at)


def show(publisher: ConsolePublisher, message: Message) -> None:
    """And wait until it stands there."""
    printed = threading.Event()
    publisher.publish(message, lambda _: printed.set())
    assert printed.wait(PATIENCE_S)


def sample(page: Path, first_words: str) -> list[str]:
    """The lines of a page's block of output that begins so."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    [found] = [block for kind, block in blocks if not kind and re.match(first_words, block)]
    return str(found).splitlines()


def seconds(line: str) -> int:
    hours, minutes, rest = line[:8].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def unnamed(lines: Iterable[str]) -> list[str]:
    """Every id, which is another one each time, by the order in which it first stands there."""
    known: dict[str, str] = {}
    return [ID.sub(lambda found: known.setdefault(found[0], f"id{len(known)}"), line) for line in lines]


def test_the_readme_shows_what_the_demo_prints() -> None:
    """Line by line, score by score; its times are those of some evening."""
    config = default_config([{**SCENE, "name": "demo"}])
    shown = io.StringIO()
    with ConsolePublisher(console=Console(file=shown, soft_wrap=True)) as publisher:
        show(publisher, SourceStatus("demo", online=True, at=FakeClock().now()))
        for message in (one for _, messages in listen(config) for one in messages):
            if isinstance(message, SoundEvent | Alert):
                show(publisher, message)
    promised = sample(ROOT / "README.md", r"\d\d:\d\d:\d\d  demo ")
    printed = shown.getvalue().splitlines()[: len(promised)]
    begins, began = seconds(promised[0]), seconds(printed[0])
    pairs = zip(promised, printed, strict=True)
    apart_s = [seconds(one) - begins - seconds(other) + began for one, other in pairs]

    assert [line[8:] for line in unnamed(promised)] == [line[8:] for line in unnamed(printed)]
    assert all(abs(one) <= 1 for one in apart_s)


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> tuple[Path, str]:
    """A configuration whose daemon has heard the scene and kept its scores, and the door slam's id."""
    ids: dict[str, str] = {}
    path = tmp_path / "earwitness.yaml"
    path.write_text(f"{DOORS}state_dir: {tmp_path}\n")
    config = check_document(parse_document(path.read_bytes(), path.name, {}))
    store = ScoreStore(tmp_path / SCORES, FakeClock())
    for found, messages in listen(config):
        store.hear(found, found.until)
        for message in messages:
            if isinstance(message, SoundEvent | Alert):
                store.tell(message, found.until)
            if isinstance(message, SoundEvent):
                ids[message.label] = message.id
    with store:
        return path, ids["door_slam"]


def test_the_guide_shows_what_explain_prints(house: tuple[Path, str]) -> None:
    """Of a door that slammed, and of a rule that asked for more."""
    path, door_slam = house
    command = [sys.executable, "-m", "monitor", "explain", "--config", str(path), door_slam]
    in_utc = {**os.environ, "TZ": "UTC"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=in_utc)

    assert unnamed(done.stdout.splitlines()) == unnamed(sample(EVIDENCE, "event "))
