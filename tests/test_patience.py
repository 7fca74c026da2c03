"""Waiting, but not for ever."""

import queue
import threading
from functools import partial

import pytest

from monitor.patience import Patience, Silent


def test_what_answers_in_time_is_as_if_it_had_been_called() -> None:
    """Its value, or what it raises."""
    patience = Patience("disk", 10.0)

    assert patience.do(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        patience.do(lambda: 1 // 0)
    assert patience.do(lambda: 8) == 8


def test_what_hangs_is_left_and_not_piled_up() -> None:
    """One thread hangs however often it is tried; what it raises in the end goes to whoever asked for it."""
    answered, late = threading.Event(), queue.Queue[BaseException]()
    patience = Patience("disk", 0.01)

    def work() -> None:
        answered.wait()
        raise OSError("at last")

    with pytest.raises(Silent):
        patience.do(work, late.put)
    before = threading.active_count()
    for _ in range(3):
        with pytest.raises(Silent):
            patience.do(lambda: None)
    assert threading.active_count() == before
    answered.set()

    assert str(late.get(timeout=10)) == "at last"


def test_work_may_follow_work_at_once() -> None:
    """The thread of what is done lives on for a moment; that is not a disk that hangs."""
    patience = Patience("disk", 10.0)

    assert [patience.do(partial(abs, n)) for n in range(2000)] == list(range(2000))
