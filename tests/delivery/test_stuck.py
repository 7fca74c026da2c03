"""A channel that no longer moves is an alert over the others."""

from collections.abc import Mapping

from monitor.delivery.stuck import BACK_S, DISK, STUCK_S, Standstill, Still, StuckChannels
from monitor.types import Alert
from testkit.fakes import FakeClock

NOTIFIERS = {"phone": ("phone", "phone#2"), "neighbour": ("neighbour",)}
STILL = {"mqtt": Still(STUCK_S)}


class Watch:
    """Looks with a clock of its own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.channels = StuckChannels(NOTIFIERS)

    def look(self, channels: Mapping[str, Still], after_s: float = 0.0) -> list[Alert]:
        self.clock.advance(after_s)
        return self.channels.look(channels, {"mqtt": 3}, self.clock.now(), self.clock.monotonic_s())


def test_a_minute_without_a_move_is_alerted_once() -> None:
    """Not before, and not again; health says it as long as it is so."""
    watch = Watch()
    assert watch.look({"mqtt": Still(STUCK_S - 1)}) == []
    assert watch.channels.texts == []
    [alert] = watch.look({"mqtt": Still(STUCK_S, "no route")})
    assert alert.message == "mqtt has taken nothing for 1 minute; 3 messages wait: no route"
    assert (alert.rule, alert.severity) == ("Not delivering", "warning")
    assert watch.channels.texts == [alert.message]
    assert watch.look({"mqtt": Still(2 * STUCK_S, "no route")}, STUCK_S) == []


def test_every_notifier_that_moves_is_notified() -> None:
    """One that has two channels moves while one of them does; one that is stuck does not report itself."""
    [alert] = Watch().look({"phone": Still(STUCK_S), "phone#2": Still()})
    assert alert.notify == ("phone", "neighbour")
    [alert] = Watch().look({"neighbour": Still(STUCK_S)})
    assert alert.notify == ("phone",)


def moves(delivered: int) -> dict[str, Still]:
    """The broker's channel moves, and has delivered so much since the start."""
    return {"mqtt": Still(delivered=delivered)}


def test_it_is_back_when_it_has_moved_for_a_minute() -> None:
    """One that comes and goes is alerted once, and its return once."""
    watch = Watch()
    assert len(watch.look(STILL)) == 1
    assert watch.look(moves(1), 10) == []
    assert watch.channels.texts == []
    assert watch.look({"mqtt": Still(20.0, delivered=1)}, 20) == []
    assert len(watch.channels.texts) == 1
    assert watch.look(moves(2), 10) == []
    assert watch.look(moves(2), BACK_S - 1) == []
    [alert] = watch.look(moves(2), 1)
    assert (alert.severity, alert.message) == ("info", "mqtt delivers again, after 2 minutes")
    assert watch.look(moves(2), BACK_S) == []
    assert len(watch.look(STILL)) == 1


def test_what_has_delivered_nothing_does_not_deliver_again() -> None:
    """The broker is back, and what waited was not taken: nobody is told that all is well."""
    watch = Watch()
    assert len(watch.look(STILL)) == 1
    assert watch.look(moves(0), BACK_S) == []
    assert watch.look(moves(0), 10 * BACK_S) == []
    assert len(watch.channels.texts) == 1
    assert watch.look(moves(1), 0) == []
    assert [each.severity for each in watch.look(moves(1), BACK_S)] == ["info"]


def test_the_disk_is_back_when_it_takes_again() -> None:
    """Nothing is delivered to it."""
    watch = Watch()
    assert len(watch.look({DISK: Still(STUCK_S)})) == 1
    assert watch.look({DISK: Still()}, 1) == []
    assert len(watch.look({DISK: Still()}, BACK_S)) == 1


def test_a_standstill_counts_from_what_waits_first() -> None:
    """What arrives ends it, or begins it anew where more is on its way."""
    clock = FakeClock()
    standstill = Standstill(clock)
    assert standstill.figures() == Still(0.0)
    standstill.begin()
    clock.advance(30)
    standstill.begin()
    standstill.because("busy")
    assert standstill.figures() == Still(30.0, "busy")
    standstill.end(more=True)
    clock.advance(5)
    assert standstill.figures() == Still(5.0)
    standstill.end()
    clock.advance(5)
    assert standstill.figures() == Still(0.0)
