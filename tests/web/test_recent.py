"""What was just read of the keys is not read again for each of a crowd's requests."""

import pytest

from monitor.web.access.recent import FRESH_S, NotAtOnce, Recent
from testkit.fakes import FakeClock


def test_a_value_is_read_once_while_it_is_fresh():
    """Then anew, since somebody may have replaced the file."""
    clock, reads = FakeClock(), iter(["one", "two"])
    recent = Recent(clock)
    read = lambda: next(reads)  # noqa: E731
    assert [recent.get("word", read, at_once=False) for _ in range(3)] == ["one"] * 3
    clock.advance(FRESH_S)
    assert recent.get("word", read, at_once=False) == "two"


def test_whoever_cannot_wait_learns_so():
    """Until somebody else has read it."""
    recent = Recent(FakeClock())
    with pytest.raises(NotAtOnce):
        recent.get("word", lambda: "one", at_once=True)
    recent.get("word", lambda: "one", at_once=False)
    assert recent.get("word", lambda: "two", at_once=True) == "one"


def test_what_was_read_before_a_change_is_not_kept_after_it():
    """A session that ends while another request reads it lets nobody in any more."""
    recent = Recent(FakeClock())

    def ends_meanwhile() -> str:
        recent.forget()
        return "open"

    recent.get("session", ends_meanwhile, at_once=False)
    with pytest.raises(NotAtOnce):
        recent.get("session", lambda: "", at_once=True)


def test_what_is_not_there_is_not_kept():
    """Guessed keys would push out those that are."""
    recent = Recent(FakeClock())
    assert recent.get("guess", lambda: None, at_once=False) is None
    with pytest.raises(NotAtOnce):
        recent.get("guess", lambda: None, at_once=True)
