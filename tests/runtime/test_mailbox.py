"""The bounded mailbox."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from monitor.runtime.mailbox import Mailbox
from testkit.fakes import FakeClock


def mailbox(capacity: int, clock: FakeClock | None = None) -> Mailbox[str]:
    return Mailbox("test", capacity, clock or FakeClock())


def test_first_in_first_out_whatever_the_urgency():
    """Urgency decides who is dropped, not who overtakes: events of a source stay in order."""
    box = mailbox(10)
    box.put("a", urgency=0)
    box.put("b", urgency=2)
    assert box.take(10) == ["a", "b"]


def _put() -> st.SearchStrategy[tuple[int, int]]:
    """Urgency, and whom it overtakes."""
    return st.integers(0, 3).flatmap(lambda urgency: st.tuples(st.just(urgency), st.integers(0, urgency)))


@given(st.lists(_put(), min_size=1, max_size=30))
def test_what_may_overtake_goes_before_the_less_urgent_only(puts):
    """Among those that are as urgent everyone keeps their turn, and so do those that do not overtake."""
    box: Mailbox[int] = Mailbox("test", 100, FakeClock())
    for number, (urgency, overtaking) in enumerate(puts):
        box.put(number, urgency, overtaking=overtaking)
    taken = box.take(100)
    for place, number in enumerate(taken):
        urgency, overtaking = puts[number]
        overtaken = [behind for behind in taken[place + 1 :] if behind < number]
        assert not overtaken or overtaking
        assert all(puts[behind][0] < overtaking <= urgency for behind in overtaken)
        assert not (overtaking and place and puts[taken[place - 1]][0] < overtaking)


def test_of_what_is_about_the_same_only_the_newest_waits():
    """It takes the place of the one before, and once that is taken or dropped it waits as any other."""
    box = mailbox(2)
    for item, about in [("mute", "kitchen"), ("smoke", None), ("unmute", "kitchen")]:
        assert box.put(item, about=about)
    assert box.take(10) == ["unmute", "smoke"]

    box.put("mute", about="kitchen")
    assert not all([box.put("smoke", urgency=1), box.put("glass", urgency=1)])
    box.put("unmute", urgency=1, about="kitchen")
    assert box.take(10) == ["glass", "unmute"]


def test_a_full_mailbox_drops_the_oldest_of_the_least_urgent():
    """What matters more stays, and what is newer stays."""
    box = mailbox(3)
    for item, urgency in [("alarm", 2), ("old", 0), ("new", 0)]:
        assert box.put(item, urgency)
    assert not box.put("glass", 1)
    assert box.take(10) == ["alarm", "new", "glass"]
    assert box.figures().dropped == 1


def test_the_age_of_the_first_in_line_is_known():
    """The watchdog must see a consumer that has stopped taking."""
    clock = FakeClock()
    box = mailbox(3, clock)
    assert box.figures().oldest_s == 0
    box.put("a")
    clock.advance(7)
    box.put("b")
    assert box.figures().oldest_s == 7


def test_a_waiting_consumer_wakes_for_an_item():
    """`take` returns what another thread puts."""
    box = mailbox(3)
    taken: list[str] = []
    consumer = threading.Thread(target=lambda: taken.extend(box.take(5, timeout_s=10)))
    consumer.start()
    box.put("a")
    consumer.join(60)
    assert taken == ["a"]


def test_closing_wakes_the_consumer_and_keeps_what_is_left():
    """An orderly stop loses nothing that was put before it."""
    box = mailbox(3)
    box.put("a")
    box.close()
    assert not box.finished
    assert box.take(5, timeout_s=10) == ["a"]
    assert box.take(5, timeout_s=10) == []
    assert box.finished


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 8))
def test_nothing_urgent_goes_while_something_less_urgent_stays(urgencies: list[int], capacity: int):
    """Whatever the order, the survivors are the most urgent, and all is accounted for."""
    box: Mailbox[int] = Mailbox("test", capacity, FakeClock())
    for urgency in urgencies:
        box.put(urgency, urgency)
    left = box.take(100, timeout_s=0)
    assert sorted(left, reverse=True) == sorted(urgencies, reverse=True)[:capacity]
    figures = box.figures()
    assert figures.taken + figures.dropped == len(urgencies)


def test_what_was_taken_is_unfinished_until_more_is_taken():
    """Whoever asks how far things have come must not miss what is in somebody's hand."""
    box: Mailbox[str] = Mailbox("test", 10, FakeClock())
    for letter in "abc":
        box.put(letter)

    assert box.take(2) == ["a", "b"]
    assert box.unfinished() == ["a", "b", "c"]
    assert box.take(2) == ["c"]
    assert box.unfinished() == ["c"]
    box.close()
    assert box.take(2) == []
    assert box.unfinished() == []
