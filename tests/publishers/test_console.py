"""Lines for people."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from monitor.publishers.console import ConsolePublisher
from monitor.types import Health, Level, Message, Problem, SourceStatus
from tests.builders import START, alert, event

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
        AT, "kitchen", "smoke", "alarm", "████████░░", "0.82", "suspected,", "by", "rhythm",
    ]  # fmt: skip


def test_its_end_says_how_long_it_was():
    """From its start to its end."""
    (line,) = shown(event(state="ended", ended_at=START + timedelta(seconds=12.34), ended_by="quiet"))

    assert line.endswith("dog bark ended after 12.3 s")


def test_an_update_is_no_line():
    """A dog that goes on barking is not news."""
    assert len(shown(event(), event(state="updated"), event(state="updated"))) == 1


def test_what_settles_a_suspicion_is_a_line():
    """Who waits for the second cycle of a smoke alarm sees it come, once."""
    suspected = event("smoke_alarm", certainty="suspected")
    confirmed = event("smoke_alarm", state="updated", certainty="confirmed", confirmed_by=("rhythm",))
    lines = shown(suspected, confirmed, confirmed)
    assert len(lines) == 2
    assert lines[1].endswith("confirmed, by embedded and rhythm")


def test_an_alert_says_its_rule_and_its_message():
    """And that it is late, if it is."""
    (line,) = shown(alert(rule="Glass"), late=True)

    assert "ALERT Glass: glass_break in the kitchen (late)" in line


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (SourceStatus("kitchen", True, START), "listening"),
        (SourceStatus("kitchen", False, START, "no device"), "not listening: no device"),
        (Problem("kitchen", START, ("digital_silence",)), "microphone trouble: digital silence"),
        (Problem("kitchen", START, ()), "microphone well again"),
    ],
)
def test_sources_say_how_they_are(message, words):
    """What the owner might act on is on the screen too."""
    (line,) = shown(message)
    assert line.endswith(words)


def test_levels_and_health_are_no_lines():
    """They would scroll the events away."""
    assert shown(Level("kitchen", START, -40.0, -60.0), Health(START, {})) == []


def test_words_from_outside_cannot_steer_the_terminal():
    """Neither by escape sequences nor by the console's own markup."""
    (line,) = shown(alert(message="\x1b[2J[red]boo[/red]\n\x9b31m"))

    assert "\x1b" not in line
    assert "\x9b" not in line
    assert "[red]boo[/red]" in line


def test_it_acknowledges_at_once():
    """A terminal keeps nobody waiting."""
    delivered: list[bool] = []
    with ConsolePublisher(console=Console(file=io.StringIO())) as publisher:
        publisher.publish(event(), lambda: delivered.append(True))
    assert delivered == [True]
