"""Messages as lines of JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.publishers.base import DELIVERED, Failed, PublishOutcome
from monitor.publishers.jsonl import JsonlConfig, JsonlPublisher
from monitor.types import Command, Level, Message
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock
from tests.publishers.conftest import Lines


def writing(path: Path | None, *, everything: bool = False) -> JsonlPublisher:
    """A publisher to `path`."""
    return JsonlConfig(type="jsonl", path=path, everything=everything).build("home", _obey, FakeClock())


def read(path: Path) -> list[dict[str, object]]:
    """Every line."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_event_is_a_line(tmp_path):
    """With its type, its label, and when it was written; acknowledged once it is."""
    delivered: list[bool] = []
    with writing(tmp_path / "out") as publisher:
        publisher.publish(event("speech"), lambda _: delivered.append(True), late=True)

    (line,) = read(tmp_path / "out")
    assert (line["type"], line["label"], line["late"]) == ("event", "speech", True)
    assert delivered == [True]


@pytest.mark.parametrize(("everything", "kinds"), [(False, ["alert"]), (True, ["alert", "level"])])
def test_levels_only_by_request(tmp_path, everything, kinds):
    """Events and alerts, unless everything is asked for."""
    messages: list[Message] = [Level("kitchen", START, -40.0, -60.0), alert()]
    with writing(tmp_path / "out", everything=everything) as publisher:
        for message in messages:
            publisher.publish(message)

    assert sorted(str(line["type"]) for line in read(tmp_path / "out")) == kinds


def test_what_is_there_is_kept_and_a_torn_line_is_ended(tmp_path):
    """A line that a power cut left half does not swallow the next one."""
    path = tmp_path / "out"
    path.write_text('{"type": "event"}\n{"type": "al')
    with writing(path) as publisher:
        publisher.publish(event())

    lines = path.read_text().splitlines()
    assert lines[:2] == ['{"type": "event"}', '{"type": "al']
    assert json.loads(lines[2])["type"] == "event"


def test_only_its_owner_may_read_it(tmp_path):
    """What is heard in a home is nobody else's business."""
    with writing(tmp_path / "out") as publisher:
        publisher.publish(event())

    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_a_missing_folder_is_said_once_and_events_stay(tmp_path, lines: Lines):
    """Until the folder is there; then the same publisher writes."""
    path = tmp_path / "missing" / "out"
    with writing(path) as publisher:
        outcomes: list[PublishOutcome] = []
        for _ in range(3):
            publisher.publish(event(), outcomes.append)
        path.parent.mkdir()
        publisher.publish(event(), outcomes.append)

    *failed, delivered = outcomes
    assert all(isinstance(each, Failed) and "missing" in each.reason for each in failed)
    assert delivered == DELIVERED

    assert lines.warnings() == ["cannot write; make room or check path"]
    assert len(lines.events("what is published is written again")) == 1
    assert len(read(path)) == 1


def test_a_rotated_file_is_opened_anew(tmp_path):
    """logrotate renames it: what follows is in a new file of the old name, and no line is lost or split."""
    path, old = tmp_path / "out", tmp_path / "out.1"
    with writing(path) as publisher:
        publisher.publish(event(id="e00000000001"))
        path.rename(old)
        publisher.publish(event(id="e00000000002"))
        path.unlink()
        publisher.publish(event(id="e00000000003"))

    assert [line["id"] for line in read(old)] == ["e00000000001"]
    assert [line["id"] for line in read(path)] == ["e00000000003"]


def test_a_full_disk_takes_nothing():
    """The event is not acknowledged."""
    outcomes: list[PublishOutcome] = []
    with writing(Path("/dev/full")) as publisher:
        publisher.publish(event(), outcomes.append)
    (outcome,) = outcomes
    assert isinstance(outcome, Failed)
    assert "No space left" in outcome.reason


def test_without_a_path_it_is_standard_output():
    """For a pipe: each line is there as soon as it is written."""
    program = (
        "from monitor.clock import SystemClock; from monitor.publishers.jsonl import JsonlConfig\n"
        "from testkit.builders import event\n"
        "with JsonlConfig(type='jsonl').build('home', print, SystemClock()) as p: p.publish(event())"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, check=True)

    assert json.loads(done.stdout)["type"] == "event"


def _obey(command: Command) -> None:
    raise AssertionError(f"a file asks for nothing, not even {command}")


def test_a_pipe_is_no_file(tmp_path, lines: Lines):
    """It would take lines that nobody reads, and they would count as delivered: the reason names the fix."""
    os.mkfifo(tmp_path / "pipe")
    outcomes: list[PublishOutcome] = []
    with writing(tmp_path / "pipe") as publisher:
        publisher.publish(event(), outcomes.append)
    [outcome] = outcomes
    assert isinstance(outcome, Failed)
    assert outcome.reason.endswith(
        "is a pipe and no file; name a file, or leave `path` out for standard output"
    )
