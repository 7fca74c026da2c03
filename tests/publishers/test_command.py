"""Alerts to a program of one's own: real programs, run."""

import json
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.publishers.base import DELIVERED, Failed, PublishOutcome
from monitor.publishers.command import CommandConfig, CommandPublisher, filled
from monitor.types import Command, Level, Message
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock

LONG_S = 60.0


def _obey(command: Command) -> None:
    raise AssertionError(f"a program asks for nothing: {command}")


def runs(program: str, *arguments: str, clock: FakeClock | None = None, **more: Any) -> CommandPublisher:
    """A publisher whose program is these lines of Python."""
    argv = [sys.executable, "-c", program, *arguments]
    config = CommandConfig.model_validate({"type": "command", "argv": argv, "timeout_s": LONG_S} | more)
    return config.build("home", _obey, clock or FakeClock())


def outcomes(publisher: CommandPublisher, *messages: Message, late: bool = False) -> list[PublishOutcome]:
    found: list[PublishOutcome] = []
    with publisher:
        for message in messages:
            publisher.publish(message, found.append, late=late)
    return found


WRITES = "import json, sys; json.dump([sys.argv[2:], json.load(sys.stdin)], open(sys.argv[1], 'w'))"


def test_the_program_gets_the_alert_in_its_arguments_and_as_json(tmp_path: Path) -> None:
    """Fields of the alert are put into arguments, and the whole alert comes on standard input."""
    file = tmp_path / "got.json"
    glass = alert("glass_break", rule="Glass; rm -rf $HOME `x`")
    program = runs(WRITES, str(file), "--say", "{severity}: {rule}", "{test}/{late}/{sources}")

    assert outcomes(program, glass, late=True) == [DELIVERED]

    arguments, given = json.loads(file.read_text())
    assert arguments == ["--say", "critical: Glass; rm -rf $HOME `x`", "false/true/kitchen"]
    assert (given["type"], given["node"], given["id"], given["late"]) == ("alert", "home", glass.id, True)


def test_a_full_disk_holds_up_no_alert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alert reaches the program through memory; there is no folder for temporary files here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "full"))
    assert outcomes(runs(WRITES, str(tmp_path / "got.json")), alert()) == [DELIVERED]
    assert json.loads((tmp_path / "got.json").read_text())[1]["id"] == alert().id


def test_what_is_put_in_is_not_looked_through_again() -> None:
    """A rule may be called like a field."""
    assert filled("{rule} {message} {json}", {"rule": "{message}", "message": "hm"}) == "{message} hm {json}"


def test_a_failure_is_tried_again_and_its_reason_kept() -> None:
    """Any exit code but 0: the alert stays in the outbox, and the next attempt comes later."""
    clock = FakeClock()
    program = runs("import sys; sys.exit('the relay is away')", clock=clock)

    [outcome] = outcomes(program, alert())

    assert isinstance(outcome, Failed)
    assert outcome.reason == "exit code 1: the relay is away"
    assert not program.ready()
    clock.advance(40)
    assert program.ready()


def test_a_program_that_is_not_there_is_a_failure() -> None:
    """No exception ends the sender."""
    config = CommandConfig.model_validate({"type": "command", "argv": ["/no/such/program"]})
    [outcome] = outcomes(config.build("home", _obey, FakeClock()), alert())
    assert outcome == Failed("cannot be started: No such file or directory")


def test_a_program_that_never_ends_is_killed() -> None:
    """With what it started: the sender's thread belongs to the next alert."""
    sleeps = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    [outcome] = outcomes(runs(sleeps, timeout_s=0.5), alert())
    assert outcome == Failed("not done within 0.5 s")


def test_leaving_kills_what_runs(tmp_path: Path) -> None:
    """A stop of the daemon waits for no program."""
    begun = tmp_path / "begun"
    program = runs(
        "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)", str(begun)
    )
    found: list[PublishOutcome] = []
    with program:
        thread = threading.Thread(target=program.publish, args=(alert(), found.append))
        thread.start()
        wait_for(begun.exists)
    thread.join(LONG_S)
    assert [type(each) for each in found] == [Failed]


def test_what_it_leaves_in_the_background_is_not_waited_for(tmp_path: Path) -> None:
    """A siren may go on after its switch has been thrown, and holds standard error."""
    leaves = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]])"
    lasts = f"import pathlib, time; time.sleep(0.2); pathlib.Path({str(tmp_path / 'rang')!r}).touch()"
    assert outcomes(runs(leaves, lasts), alert()) == [DELIVERED]
    wait_for((tmp_path / "rang").exists)


def test_a_program_may_complain_at_length() -> None:
    """Standard error is read, so that it does not fill up, and cut."""
    [outcome] = outcomes(runs("import sys; sys.stderr.write('no ' * 100_000); sys.exit(3)"), alert())
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("exit code 3: no no")
    assert len(outcome.reason) < 400


def test_the_daemons_keys_are_not_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment holds what `${NAME}` stands for; a program gets what the file gives it."""
    monkeypatch.setenv("BROKER_PASSWORD", "s3cret")
    file = tmp_path / "env.json"
    program = runs(
        "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'))",
        str(file),
        environment={"RELAY": "4"},
    )
    assert outcomes(program, alert()) == [DELIVERED]
    environment = json.loads(file.read_text())
    assert environment["RELAY"] == "4"
    assert "BROKER_PASSWORD" not in environment


def test_only_what_is_wanted_runs_it(tmp_path: Path) -> None:
    """By rule and severity; events and states never."""
    file = tmp_path / "got.json"
    wanted = runs(WRITES, str(file), rules=["Smoke"], min_severity="critical")
    others: list[Message] = [
        alert("glass_break", rule="Glass"), event("glass_break"), Level("kitchen", START, -40, -50),
    ]  # fmt: skip
    assert outcomes(wanted, *others) == [DELIVERED] * 3
    assert not file.exists()
    assert outcomes(wanted, alert("smoke_alarm", rule="Smoke")) == [DELIVERED]
    assert file.exists()


@pytest.mark.parametrize(
    ("argv", "fix"), [(["siren"], "whole path"), (["/bin/x", "{rules}"], "there are"), ([], "argv")]
)
def test_a_mistake_in_the_arguments_is_named(argv: list[str], fix: str) -> None:
    """Before the first alert."""
    with pytest.raises(ValidationError) as error:
        CommandConfig.model_validate({"type": "command", "argv": argv})
    assert fix in str(error.value)


def wait_for(fact: Callable[[], bool]) -> None:
    ticks = threading.Event()
    for _ in range(6000):
        if fact():
            return
        ticks.wait(0.01)
    raise AssertionError("waited 60 s in vain")
