"""When a refused topic is tried again."""

import itertools
from datetime import UTC, datetime

from monitor.delivery.base import Entry
from monitor.delivery.refused_topics import RefusedTopics
from testkit.builders import alert, event

AT = datetime(2026, 1, 2, tzinfo=UTC)
EVENTS = "kitchen/event"


def entry(number: int, message_id: str = "e") -> Entry:
    return Entry(
        number, "mqtt", event(id=message_id, source="kitchen"), AT, late=False, waited_s=0.0, urgent=False
    )


def refusals(topics: RefusedTopics, until_s: float) -> list[float]:
    """The times at which a topic that stays refused is tried."""
    topics.refused(entry(1), 0.0)
    tried_s = []
    while (due_s := topics.next_due_s()) is not None and due_s < until_s:
        assert topics.due(due_s) == [EVENTS]
        tried_s.append(due_s)
        topics.refused(entry(1), due_s)
    return tried_s


def test_a_refused_topic_is_tried_again_within_seconds() -> None:
    """Home Assistant comes back a moment after the broker, and after us: its alert waits for seconds only."""
    tried_s = refusals(RefusedTopics(), 20.0)

    assert 0.8 <= tried_s[0] <= 1.2
    assert len(tried_s) >= 3


def test_a_topic_that_stays_refused_is_tried_once_a_minute() -> None:
    """An access list is changed by a person; until then a broker need not be asked every second."""
    tried_s = refusals(RefusedTopics(), 3600.0)
    waits_s = [late_s - early_s for early_s, late_s in itertools.pairwise(tried_s)]

    assert all(48.0 <= wait_s <= 72.0 for wait_s in waits_s[8:])
    assert len(tried_s) < 90


def test_many_messages_refused_together_count_as_one_refusal() -> None:
    """A window of forty that comes back at once does not make the topic wait a minute."""
    topics = RefusedTopics()
    for number in range(40):
        topics.refused(entry(number), 0.0)

    due_s = topics.next_due_s()
    assert due_s is not None
    assert due_s <= 1.2


def test_a_topic_that_was_taken_begins_anew() -> None:
    """What it had to wait for before does not count the next time."""
    topics = RefusedTopics()
    refusals(topics, 600.0)
    topics.taken(entry(1).message)

    assert topics.next_due_s() is None
    assert refusals(topics, 2.0) != []


def test_alerts_are_passed_over_up_to_the_refused_one() -> None:
    """A newer alert is tried at once; events wait behind those before them."""
    topics = RefusedTopics()
    topics.refused(Entry(7, "mqtt", alert(id="a"), AT, late=False, waited_s=0.0, urgent=False), 0.0)

    assert topics.passed_over() == {"alert": 7}
