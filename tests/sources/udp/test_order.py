"""Datagrams come in any order, twice, or not at all."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.udp.order import WINDOW, WINDOW_S, Order
from monitor.sources.udp.wire import SoundDatagram


def sound(sequence: int) -> SoundDatagram:
    return SoundDatagram(sequence, sequence * 320, b"")


@given(st.lists(st.integers(0, 60), max_size=120))
def test_each_is_heard_once_and_in_order_whatever_comes(sequences: list[int]) -> None:
    """And the count of lost ones is exactly the places that were never heard."""
    order = Order()
    heard = [one.sequence for sequence in sequences for one in order.push(sound(sequence), 0.0)]
    heard += [one.sequence for one in order.due(1.0)]
    assert heard == sorted(set(heard))
    assert set(heard) <= set(sequences)
    assert order.lost == (heard[-1] + 1 - len(heard) if heard else 0)
    assert len(heard) + order.repeated == len(sequences)


@given(st.permutations(range(WINDOW)), st.integers(0, 5))
def test_nothing_is_lost_within_the_window(block: list[int], blocks: int) -> None:
    """Datagrams that overtake one another by less than the window are all heard."""
    order = Order()
    arrived = [WINDOW * turn + one for turn in range(blocks + 1) for one in block]
    heard = [one.sequence for sequence in arrived for one in order.push(sound(sequence), 0.0)]
    assert heard == list(range(WINDOW * (blocks + 1)))
    assert order.lost == 0


def test_a_hole_is_given_up_after_a_quarter_of_a_second() -> None:
    """An alarm does not wait longer for what is lost anyway."""
    order = Order()
    assert list(order.push(sound(1), 10.0)) == []
    assert list(order.due(10.0 + WINDOW_S / 2)) == []
    assert [one.sequence for one in order.due(10.0 + WINDOW_S)] == [1]
    assert list(order.push(sound(0), 10.3)) == []
    assert (order.lost, order.repeated) == (1, 1)
