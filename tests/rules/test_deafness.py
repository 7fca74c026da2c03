"""A source that is lost for long is an alert."""

from datetime import timedelta

import pytest

from monitor.rules.deafness import RULE, Deafness
from monitor.types import Alert, EventEnd, SourceStatus
from tests.builders import START


def status(*, online: bool, ended_by: EventEnd = "source_lost") -> SourceStatus:
    return SourceStatus("porch", online, START, "" if online else "no route to the camera", ended_by)


def course(deafness: Deafness, *steps: tuple[float, SourceStatus | None]) -> list[Alert]:
    """What is said of a course of (minute, status or just time that passes)."""
    told: list[Alert] = []
    for minute, said in steps:
        now = START + timedelta(minutes=minute)
        told += deafness.note(said, now) if said else deafness.due(now)
    return told


def test_a_long_loss_and_its_end_are_told_once_each() -> None:
    """To every notifier, with the reason; attempts to open it again change nothing."""
    lost, back = status(online=False), status(online=True)
    alerts = course(
        Deafness(300, ["phone"]), (0, lost), (4, lost), (4.9, None), (5, None), (9, None), (60, back)
    )
    assert [alert.severity for alert in alerts] == ["warning", "info"]
    assert {alert.rule for alert in alerts} == {RULE}
    assert {alert.notify for alert in alerts} == {("phone",)}
    assert alerts[0].message == "porch has not been listened to for 5 min: no route to the camera"
    assert alerts[1].why["lost_for_s"] == 3600


def test_a_short_loss_is_weather() -> None:
    """A camera that starts anew every few minutes calls nobody."""
    lost, back = status(online=False), status(online=True)
    assert course(Deafness(300, ["phone"]), (0, lost), (4, back), (4.5, lost), (9, None), (9.4, back)) == []


@pytest.mark.parametrize("ended_by", ["quiet", "shutdown"])
def test_what_came_to_its_end_is_not_missed(ended_by: EventEnd) -> None:
    """A recording that is over, a daemon that stops."""
    ended = status(online=False, ended_by=ended_by)
    assert course(Deafness(300, ["phone"]), (0, ended), (60, None)) == []


def test_it_can_be_switched_off() -> None:
    """0 tells nothing, neither of the loss nor of the return."""
    assert (
        course(Deafness(0, ["phone"]), (0, status(online=False)), (60, None), (61, status(online=True))) == []
    )
