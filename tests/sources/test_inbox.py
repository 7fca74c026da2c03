"""The inbox between two threads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import SourceLost
from monitor.sources.inbox import Inbox
from monitor.sources.timing.timekeeper import Instant
from testkit.builders import START

AT = Instant(5.0, START)


@given(st.lists(st.booleans(), max_size=60))
def test_nothing_is_dropped_uncounted(puts: list[bool]) -> None:
    """Whatever the order of putting and taking, blocks come in order, and each drop is counted and marked."""
    inbox: Inbox[int] = Inbox(3)
    taken, dropped, waiting = [], 0, 0
    for number, is_put in enumerate(puts):
        if is_put:
            inbox.put(number, AT, patience_s=0)
            dropped, waiting = (dropped + 1, waiting) if waiting == 3 else (dropped, waiting + 1)
        elif waiting:
            taken.append(inbox.get(0))
            waiting -= 1

    numbers = [arrival.block for arrival in taken if arrival]
    assert numbers == sorted(numbers)
    assert inbox.overflows == dropped


def test_the_block_after_a_drop_follows_a_gap() -> None:
    """One block found no room: the next that is kept says so, the one after does not."""
    inbox: Inbox[str] = Inbox(1)
    inbox.put("a", AT, 0)
    inbox.put("lost", AT, 0)
    marks = [inbox.get(0)]
    for block in "bc":
        inbox.put(block, AT, 0)
        marks.append(inbox.get(0))

    assert [(mark.block, mark.follows_gap) for mark in marks if mark] == [
        ("a", False),
        ("b", True),
        ("c", False),
    ]


def test_the_end_comes_after_the_last_block() -> None:
    """What had arrived before the loss is still heard; the first reason stands."""
    inbox: Inbox[str] = Inbox(5)
    inbox.put("a", AT, 0)
    inbox.end(SourceLost("unplugged"))
    inbox.end(SourceLost("later"))

    assert inbox.get(0)
    with pytest.raises(SourceLost, match="unplugged"):
        inbox.get(0)


def test_nobody_waits_for_ever() -> None:
    """An empty inbox times out, and a closed one gives None at once and takes nothing more."""
    inbox: Inbox[str] = Inbox(1)
    with pytest.raises(TimeoutError):
        inbox.get(0.01)
    inbox.close()
    inbox.put("a", AT, 0)
    assert inbox.get(60) is None
