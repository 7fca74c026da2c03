"""Work shared by two threads."""

import threading

import pytest

from monitor.classifiers.taggers.sharing import SecondThread


def test_two_threads_are_at_work_at_once() -> None:
    """Each of two items waits until the other is begun."""
    threads, both = SecondThread(processors=2), threading.Barrier(2, timeout=30)
    done: list[int] = []

    def do(item: int) -> None:
        both.wait()
        done.append(item)

    threads.share(do, [1, 2])
    threads.close()

    assert sorted(done) == [1, 2]


@pytest.mark.parametrize(("processors", "alone"), [(1, False), (2, True), (2, False)])
def test_everything_is_done_once(processors: int, alone: bool) -> None:
    """Alone or together; where nobody shares, in the caller's thread and in order."""
    threads, done, names = SecondThread(processors), list[int](), set[str]()

    def do(item: int) -> None:
        done.append(item)
        names.add(threading.current_thread().name)

    threads.share(do, range(200), alone=alone)
    threads.close()

    assert sorted(done) == list(range(200))
    if alone or processors == 1:
        assert done == list(range(200))
        assert names == {threading.current_thread().name}


def test_what_goes_wrong_in_the_other_thread_reaches_the_caller() -> None:
    """After both have stopped."""
    threads, both, caller = (
        SecondThread(processors=2),
        threading.Barrier(2, timeout=30),
        threading.get_ident(),
    )

    def do(item: int) -> None:
        both.wait()
        if threading.get_ident() != caller:
            raise ValueError(f"item {item}")

    with pytest.raises(ValueError, match="item"):
        threads.share(do, [1, 2])
    threads.close()
