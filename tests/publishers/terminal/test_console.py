"""Lines for people."""

import io
import os
import pty
import termios
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import TextIO

import pytest
from rich.console import Console

from monitor.publishers.base import Failed, PublishOutcome
from monitor.publishers.terminal.console import WAITING, ConsolePublisher, screen
from monitor.types import Health, Level, Message, Problem, SourceStatus
from testkit.builders import START, alert, event
from tests.publishers.conftest import Lines

AT = f"{START.astimezone():%H:%M:%S}"


def shown(*messages: Message, late: bool = False) -> list[str]:
    """What the terminal shows."""
    screen = io.StringIO()
    with ConsolePublisher(console=Console(file=screen, width=200)) as publisher:
        for message in messages:
            publisher.publish(message, late=late)
    return screen.getvalue().splitlines()


def test_an_event_is_a_line_with_its_score():
    """When, where, what, how sure, and who says so; in local time."""
    (line,) = shown(event("smoke_alarm", score=0.82, certainty="suspected", classifier="rhythm"))

    assert line.split() == [
        AT, "kitchen", "smoke", "alarm", "████████░░", "0.82", "suspected,", "by", "rhythm", "e00000",
    ]  # fmt: skip


def test_its_end_says_how_long_it_was():
    """From its start to its end."""
    (line,) = shown(event(state="ended", ended_at=START + timedelta(seconds=12.34), ended_by="quiet"))

    assert line.endswith("dog bark ended after 12.3 s  e00000")


def test_an_update_is_no_line():
    """A dog that goes on barking is not news."""
    assert len(shown(event(), event(state="updated"), event(state="updated"))) == 1


def test_what_settles_a_suspicion_is_a_line():
    """Who waits for the second cycle of a smoke alarm sees it come, once."""
    suspected = event("smoke_alarm", certainty="suspected")
    confirmed = event("smoke_alarm", state="updated", certainty="confirmed", confirmed_by=("rhythm",))
    lines = shown(suspected, confirmed, confirmed)
    assert len(lines) == 2
    assert "confirmed, by embedded and rhythm" in lines[1]


def test_an_alert_says_its_rule_and_its_message():
    """And that it is late, if it is; with as much of its id as `earwitness explain` needs."""
    (_, line) = shown(alert(rule="Glass"), late=True)

    assert line.endswith("ALERT Glass: glass_break in the kitchen  a00000 (late)")


def test_what_led_to_an_alert_stands_before_it():
    """An alert overtakes its events on the way to the terminal; each of them is one line all the same."""
    later = alert(at=START + timedelta(seconds=3), events=(event("glass_break"), event("shout", "e2")))
    lines = shown(event("glass_break"), later, event("shout", "e2"), event("shout", "e2", state="updated"))

    assert [line.split()[2:4] for line in lines] == [
        ["glass", "break"], ["shout", "█████████░"], ["ALERT", "glass_break:"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (SourceStatus("kitchen", True, START), "listening"),
        (SourceStatus("kitchen", False, START, "no device"), "not listening: no device"),
        (
            SourceStatus("kitchen", False, START, "kitchen: no device"),
            "kitchen      not listening: no device",
        ),
        (Problem("kitchen", START, ("digital_silence",)), "microphone trouble: digital silence"),
        (Problem("kitchen", START, ()), "microphone well again"),
    ],
)
def test_sources_say_how_they_are(message, words):
    """What the owner might act on is on the screen too."""
    (line,) = shown(message)
    assert line.endswith(words)


def test_an_alarm_is_printed_in_colour():
    """Only the time is: a critical alert stands out, in colour."""
    screen = io.StringIO()
    with ConsolePublisher(console=Console(file=screen, width=200, force_terminal=True)) as publisher:
        publisher.publish(alert(rule="Glass"))
    time, _, rest = screen.getvalue().partition("kitchen")
    assert "\x1b[2m" in time
    assert "\x1b[1;37;41mALERT Glass" in rest


def test_levels_and_health_are_no_lines():
    """They would scroll the events away."""
    assert shown(Level("kitchen", START, -40.0, -60.0), Health(START, {})) == []


def test_words_from_outside_cannot_steer_the_terminal():
    """Neither by escape sequences nor by the console's own markup."""
    (_, line) = shown(alert(message="\x1b[2J[red]boo[/red]\n\x9b31m"))

    assert "\x1b" not in line
    assert "\x9b" not in line
    assert "[red]boo[/red]" in line


def test_it_acknowledges_what_was_written():
    """Whatever comes of it later, it was on the screen."""
    delivered: list[bool] = []
    with ConsolePublisher(console=Console(file=io.StringIO())) as publisher:
        publisher.publish(event(), lambda _: delivered.append(True))
    assert delivered == [True]


class Terminal:
    """A real terminal, and the other end of its line."""

    def __init__(self) -> None:
        self._line, inside = pty.openpty()
        self.out: TextIO = os.fdopen(inside, "w")
        self._text = ""

    def hold(self) -> None:
        """Ctrl-S."""
        termios.tcflow(self.out.fileno(), termios.TCOOFF)

    def let_go(self) -> None:
        """Ctrl-Q."""
        termios.tcflow(self.out.fileno(), termios.TCOON)

    def read_until(self, words: str) -> str:
        """What it shows, up to these words."""
        while words not in self._text:
            self._text += os.read(self._line, 4096).decode()
        return self._text

    def close(self) -> None:
        self.out.close()
        os.close(self._line)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    opened = Terminal()
    yield opened
    opened.close()


def printing(terminal: Terminal) -> ConsolePublisher:
    return ConsolePublisher(console=Console(file=screen(terminal.out), width=200))


def test_a_held_terminal_held_up_the_alarms(terminal: Terminal):
    """Ctrl-S: whoever decides goes on, events stay in the outbox, and all is shown when it is let go."""
    called = threading.Event()
    with printing(terminal) as publisher:
        publisher.on_ready = called.set
        terminal.hold()
        for _ in range(WAITING + 10):
            publisher.publish(SourceStatus("kitchen", True, START))
        assert not publisher.ready()
        outcomes: list[PublishOutcome] = []
        publisher.publish(alert(rule="Glass"), outcomes.append)
        assert outcomes == [Failed("the terminal is held and takes no more lines")]
        terminal.let_go()
        terminal.read_until("were not shown")
        assert called.wait(30)
        publisher.publish(alert(rule="Glass"))
        shown = terminal.read_until("ALERT Glass")
    assert shown.count("listening") >= WAITING


def test_leaving_a_held_terminal_is_possible(terminal: Terminal):
    """The thread that hangs in it is left behind."""
    publisher = printing(terminal)
    with publisher:
        terminal.hold()
        publisher.publish(SourceStatus("kitchen", True, START))
    terminal.let_go()
    assert "kitchen" in terminal.read_until("listening")


def test_a_pipe_that_nobody_reads_ends_only_its_publisher(lines: Lines):
    """`earwitness run | head -1`: alerts and events go out all the same, and the log has one line of it."""
    reading, writing = os.pipe()
    os.close(reading)
    delivered: list[bool] = []
    with os.fdopen(writing, "w") as out, ConsolePublisher(console=Console(file=screen(out))) as publisher:
        for _ in range(3):
            publisher.publish(event(), lambda _: delivered.append(True))
    assert delivered == [True] * 3
    assert lines.warnings() == ["standard output accepts no lines; alerts and events are still sent"]


def after(minutes: float, **values: object) -> Health:
    return Health(START + timedelta(minutes=minutes), values)


def test_a_source_that_does_not_listen_is_said_again():
    """After a minute, then ever more seldom, with the reason, until it is back: silence looked like peace."""
    lost = SourceStatus("kitchen", False, START, "no input device")
    back = SourceStatus("kitchen", True, START + timedelta(hours=2))
    every_minute = [after(minute) for minute in range(1, 60)]
    lines = shown(lost, *every_minute, back, after(180))

    assert [line[10:] for line in lines[1:-1]] == [
        "kitchen      still not listening, for 1 minute: no input device",
        "kitchen      still not listening, for 3 minutes: no input device",
        "kitchen      still not listening, for 7 minutes: no input device",
        "kitchen      still not listening, for 15 minutes: no input device",
        "kitchen      still not listening, for 31 minutes: no input device",
    ]
    assert lines[-1].endswith("listening")


def test_a_recording_that_has_ended_is_no_trouble():
    """It was heard to its end."""
    ended = SourceStatus("tape", False, START, "it has ended", ended_by="quiet")
    assert len(shown(ended, after(60))) == 1


def test_what_nobody_takes_is_said():
    """Messages that wait for a receiver for more than a minute; never those that wait for this terminal."""
    waiting = {"waiting": {"mqtt": 3, "console": 40, "phones": 0}}
    (line,) = shown(*(after(minutes, delivery=waiting) for minutes in (0, 0.5, 1)))
    assert "mqtt         3 messages are kept until it takes them, over MQTT until somebody subscribes" in line
    assert line.endswith("; for 1 minute now")


def test_an_alert_that_nobody_acknowledged_counts_as_delivered():
    """What waits for a person is no fault of a receiver, and is said as what it is."""
    waiting = {"waiting": {"escalation": 1}}
    (line,) = shown(*(after(minutes, delivery=waiting) for minutes in (0, 0.5, 1)))
    assert line.endswith("escalation   an alert waits for an acknowledgement, for 1 minute")
