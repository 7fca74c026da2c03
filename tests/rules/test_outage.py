"""A source that is lost for long is an alert."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitor.rules.outage import RULE, SourceOutage
from monitor.types import Alert, EventEnd, Problem, ProblemKind, SourceStatus
from testkit.builders import START

News = SourceStatus | Problem


def status(*, online: bool, ended_by: EventEnd = "source_lost") -> SourceStatus:
    return SourceStatus("porch", online, START, "" if online else "no route to the camera", ended_by)


def sound(*kinds: ProblemKind) -> Problem:
    return Problem("porch", START, kinds)


LOST, BACK = status(online=False), status(online=True)


def course(outage: SourceOutage, news: Sequence[tuple[float, News]], until_min: float) -> list[Alert]:
    """The alerts of a course of (minute, news), with a tick every second."""
    raised: list[Alert] = []
    waiting = list(news)
    for second in range(round(60 * until_min) + 1):
        while waiting and 60 * waiting[0][0] <= second:
            outage.note(waiting.pop(0)[1], second)
        raised += outage.due(START + timedelta(seconds=second), second)
    return raised


def test_a_long_loss_and_its_end_are_alerted_once_each() -> None:
    """To every notifier, with the reason; attempts to open it again change nothing."""
    alerts = course(SourceOutage(300, ["phone"]), [(0, LOST), (4, LOST), (60, BACK)], 70)

    assert [alert.severity for alert in alerts] == ["warning", "info"]
    assert {alert.rule for alert in alerts} == {RULE}
    assert {alert.notify for alert in alerts} == {("phone",)}
    assert alerts[0].message == "porch has not been listened to for 5 minutes: no route to the camera"
    assert alerts[0].raised_at == START + timedelta(minutes=5)
    assert alerts[1].message == "porch is being listened to again"
    assert alerts[1].why["lost_for_s"] == 3600


def test_a_loss_that_is_alerted_after_seconds_is_told_in_seconds() -> None:
    """A house that wants to know after 20 s is not told of 0 minutes."""
    (alert,) = course(SourceOutage(20, ["phone"]), [(0, LOST)], 1)

    assert alert.message == "porch has not been listened to for 20 seconds: no route to the camera"


def test_a_short_loss_is_weather() -> None:
    """A camera that starts anew every few minutes calls nobody."""
    news = [(minute + part, what) for minute in range(0, 60, 4) for part, what in ((0, LOST), (2, BACK))]

    assert course(SourceOutage(300, ["phone"]), news, 60) == []


def test_a_camera_that_keeps_breaking_off_is_an_alert() -> None:
    """A second of sound in every ten, all night: as good as lost, and one alert, not one a minute."""
    news: list[tuple[float, News]] = [
        (second / 60, what)
        for start in range(0, 3600, 10)
        for second, what in ((start, LOST), (start + 9, BACK))
    ]

    (alert,) = course(SourceOutage(300, ["phone"]), news, 60)

    assert alert.message.startswith("porch has broken off 31 times, now for 5 minutes: no route")


@pytest.mark.parametrize("kind", ["digital_silence", "frozen", "dead", "hum_only"])
def test_a_source_whose_sound_is_dead_is_an_alert(kind: ProblemKind) -> None:
    """Its connection is well, and it hears nothing: the quietest way to lose a house."""
    deaf, alive = course(SourceOutage(300, ["phone"]), [(0, sound(kind)), (10, sound())], 20)

    assert "porch has not been listened to for 5 minutes: it delivers" in deaf.message
    assert alive.severity == "info"


def test_a_camera_that_sends_zeros_while_it_is_quiet_is_not_dead() -> None:
    """It was heard to come to life by itself; its quiet nights call nobody. A lost connection still does."""
    news: list[tuple[float, News]] = [
        (0, sound("digital_silence")),
        (1, sound()),
        (10, sound("digital_silence")),
    ]

    assert course(SourceOutage(300, ["phone"]), [*news, (500, LOST), (504, BACK)], 600) == []
    assert len(course(SourceOutage(300, ["phone"]), [*news, (500, LOST)], 600)) == 1


def test_a_camera_that_returns_with_dead_sound_is_not_back() -> None:
    """The connection is only one of the reasons."""
    news: list[tuple[float, News]] = [(0, sound("digital_silence")), (10, LOST), (11, BACK), (20, sound())]
    deaf, alive = course(SourceOutage(300, ["phone"]), news, 30)

    assert (deaf.raised_at, alive.raised_at) == (START + timedelta(minutes=5), START + timedelta(minutes=21))


def test_a_loud_microphone_is_not_deaf() -> None:
    """Clipping and an offset are troubles, and it hears all the same."""
    assert course(SourceOutage(300, ["phone"]), [(0, sound("clipping", "dc_offset"))], 20) == []


def test_the_time_of_day_does_not_matter() -> None:
    """A clock that is set after a power cut makes nothing long, and one set back nothing short."""
    outage = SourceOutage(300, ["phone"])
    outage.note(LOST, 0.0)

    assert outage.due(START + timedelta(hours=9), 5.0) == []
    assert len(outage.due(START - timedelta(days=2), 300.0)) == 1


@pytest.mark.parametrize("ended_by", ["quiet", "shutdown"])
def test_what_came_to_its_end_is_not_missed(ended_by: EventEnd) -> None:
    """A recording that is over, a daemon that stops."""
    assert course(SourceOutage(300, ["phone"]), [(0, status(online=False, ended_by=ended_by))], 60) == []


def test_it_can_be_switched_off() -> None:
    """0 raises nothing, neither of the loss nor of the return."""
    assert course(SourceOutage(0, ["phone"]), [(0, LOST), (60, BACK)], 70) == []


@pytest.mark.parametrize("kind", ["frozen", "dead", "hum_only"])
def test_an_excuse_is_for_digital_silence_alone(kind: ProblemKind) -> None:
    """A camera that came to life from zeros by itself, and then breaks in another way."""
    news: list[tuple[float, News]] = [(0, sound("digital_silence")), (1, sound()), (60, sound(kind))]
    [alert] = course(SourceOutage(300, ["phone"]), news, 70)
    assert alert.raised_at == START + timedelta(minutes=65)
    # What came to life from another dead sound is excused of nothing, digital silence included.
    again: list[tuple[float, News]] = [(0, sound(kind)), (1, sound()), (60, sound("digital_silence"))]
    assert len(course(SourceOutage(300, ["phone"]), again, 70)) == 1


def raised_at_days(outage: SourceOutage, news: Sequence[tuple[float, News]], days: float) -> list[float]:
    """When something is raised in a course of (day, news), with a tick every minute."""
    waiting, raised = list(news), []
    for minute in range(round(days * 1440)):
        while waiting and waiting[0][0] * 1440 <= minute:
            outage.note(waiting.pop(0)[1], minute * 60)
        raised += [minute / 1440] * len(outage.due(START, minute * 60))
    return raised


def test_an_excuse_expires() -> None:
    """After 14 days without such a spell; and in a spell that lasts longer than any camera is quiet."""
    spell: list[tuple[float, News]] = [(0.0, sound("digital_silence")), (0.001, sound())]
    silent = sound("digital_silence")
    assert raised_at_days(SourceOutage(300, ["phone"]), [*spell, (15, silent)], 16) == pytest.approx(
        [15.0035], abs=0.01
    )
    assert raised_at_days(SourceOutage(300, ["phone"]), [*spell, (5, silent)], 7) == pytest.approx(
        [6.004], abs=0.01
    )
    weekend = [*spell, (1, silent), (3, sound())]
    assert raised_at_days(SourceOutage(300, ["phone"]), [*weekend, (5, silent), (8, sound())], 9) == (
        pytest.approx([2.004, 3.001], abs=0.01)
    )


def test_sound_that_a_reconnect_brought_excuses_nothing() -> None:
    """The camera was restarted: it did not come to life by itself."""
    news: list[tuple[float, News]] = [
        (0, sound("digital_silence")),
        (2, LOST),
        (3, BACK),
        (4, sound()),
        (60, sound("digital_silence")),
    ]
    assert len(course(SourceOutage(300, ["phone"]), news, 70)) == 1
