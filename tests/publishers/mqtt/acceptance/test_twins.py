"""Whether another daemon has our name, or the broker minds what we send."""

from monitor.publishers.mqtt.acceptance.twins import TWIN_LOSSES, TWIN_S, Twins
from monitor.publishers.mqtt.news import Ended

CUT = Ended("lost", "the connection broke")


def cut_off(twins: Twins, lasted_s: float = 1.0, *, idle: bool = True) -> str:
    """A connection that was taken and is cut off: the reason for the log."""
    return twins.ended(CUT, lasted_s, was_taken=True, was_idle=idle).reason


def test_connections_that_are_cut_off_with_nothing_on_their_way_have_a_twin():
    """Packets that are too large, between them, change nothing: both may be the case."""
    twins = Twins("earwitness-home")
    for _ in range(TWIN_LOSSES - 1):
        assert "another daemon" not in cut_off(twins)
        assert "another daemon" not in cut_off(twins, idle=False)

    assert "does another daemon use the client id earwitness-home?" in cut_off(twins)
    assert "give each its own `node`" in twins.note


def test_a_broker_that_minds_a_size_is_no_twin():
    """It hangs up on each packet until the limit is found."""
    twins = Twins("earwitness-home")

    assert all("another daemon" not in cut_off(twins, idle=False) for _ in range(20))
    assert twins.note == ""


def test_a_connection_that_lasts_has_no_twin():
    """The note goes while it lasts, and the count begins anew."""
    twins = Twins("earwitness-home")
    for _ in range(TWIN_LOSSES):
        cut_off(twins)
    twins.lasts(TWIN_S + 1)

    assert twins.note == ""
    assert "another daemon" not in cut_off(twins)


def test_a_broker_that_is_not_there_is_no_twin():
    """Nobody has taken us."""
    twins = Twins("earwitness-home")
    for _ in range(TWIN_LOSSES):
        twins.ended(CUT, 0.1, was_taken=False, was_idle=True)

    assert twins.note == ""
