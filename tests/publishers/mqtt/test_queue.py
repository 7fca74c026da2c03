"""What is still to be published."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.publishers.base import ignore
from monitor.publishers.mqtt.queue import WINDOW, Publication, PublishQueue, Rank
from testkit.builders import START, alert, event


def publication(id: str) -> Publication:
    """An event on its way."""
    return Publication(event(id=id), ignore, 0.0, late=False)


def states(outgoing: PublishQueue) -> list[tuple[str, bytes]]:
    """Everything that is to be published now."""
    found = []
    while state := outgoing.next_state():
        found.append((state.topic, state.payload))
    return found


def ids(outgoing: PublishQueue) -> list[str]:
    """Every publication that waits, in order."""
    found = []
    while waiting := outgoing.next_publication():
        found.append(waiting.message.id)
    return found


def test_an_alert_that_is_sent_again_is_a_repeat(outgoing):
    """The connection broke before the broker acknowledged it: whoever got it the first time has its id."""
    waiting = Publication(replace(alert(), sequence=2), ignore, 0.0, late=False)
    outgoing.put(waiting)
    for sends in range(2):
        assert outgoing.next_publication() is waiting
        [document] = (json.loads(each) for each in list(waiting.payloads(START, 0.0))[:1])
        assert (document["sequence"], document["late"]) == (2 + sends, sends > 0)
        outgoing.sent(1, waiting)
        outgoing.take_back()


@pytest.fixture
def outgoing() -> PublishQueue:
    return PublishQueue()


def test_only_the_latest_state_is_said(outgoing):
    """A level that changed twice while nobody listened is published once."""
    outgoing.remember("level", b"-40", Rank.STATE)
    outgoing.remember("level", b"-20", Rank.STATE)

    assert states(outgoing) == [("level", b"-20")]


def test_what_is_known_is_not_said_again(outgoing):
    """The same state twice is one message."""
    outgoing.remember("door", b"OFF", Rank.STATE)
    states(outgoing)
    outgoing.remember("door", b"OFF", Rank.STATE)

    assert states(outgoing) == []


def test_a_newcomer_hears_what_exists_before_how_it_is(outgoing):
    """Documents first, then states, then that the sources live, last that we do."""
    outgoing.remember("status", b"online", Rank.NODE_STATUS)
    outgoing.remember("kitchen", b"online", Rank.SOURCE_STATUS)
    outgoing.remember("smoke", b"OFF", Rank.STATE)
    outgoing.remember("config", b"{}", Rank.DOCUMENT)
    states(outgoing)

    outgoing.publish_again()

    assert [topic for topic, _ in states(outgoing)] == ["config", "smoke", "kitchen", "status"]


def test_a_forgotten_topic_is_cleared_and_stays_so(outgoing):
    """An empty payload takes it off the broker, also when the connection is lost before."""
    outgoing.remember("smoke", b"ON", Rank.STATE)
    outgoing.forget("smoke")
    outgoing.publish_again()

    assert states(outgoing) == [("smoke", b"")]
    outgoing.publish_again()
    assert states(outgoing) == []


def test_what_is_said_before_is_followed_by_what_is_remembered(outgoing):
    """A tombstone goes out first, then the document without it."""
    outgoing.remember("config", b"new", Rank.DOCUMENT)
    states(outgoing)

    outgoing.publish_before("config", b"tombstone")

    assert states(outgoing) == [("config", b"tombstone"), ("config", b"new")]


def test_a_full_window_is_full_until_an_acknowledgement(outgoing):
    """What is on its way counts too."""
    for number in range(WINDOW):
        outgoing.put(publication(str(number)))
    outgoing.sent(7, outgoing.next_publication())
    assert outgoing.full()

    outgoing.done(7)
    assert not outgoing.full()


def test_what_is_taken_out_and_not_yet_sent_uses_up_the_window(outgoing):
    """Whoever asks in that moment would hand over one too many."""
    for number in range(WINDOW):
        outgoing.put(publication(str(number)))
    outgoing.next_publication()
    assert outgoing.full()

    outgoing.settled()
    assert not outgoing.full()


def test_a_connection_lost_while_one_is_in_hand_keeps_it(outgoing):
    """It was taken out and not sent: it goes out first on the next connection."""
    outgoing.put(publication("a"))
    outgoing.put(publication("b"))
    outgoing.next_publication()

    outgoing.take_back()

    assert ids(outgoing) == ["a", "b"]


def test_a_lost_tombstone_goes_out_again(outgoing):
    """Home Assistant would keep a sensor that is gone, since only the document is said again by itself."""
    outgoing.remember("config", b"new", Rank.DOCUMENT)
    states(outgoing)
    outgoing.publish_before("config", b"tombstone")
    outgoing.state_sent(1, outgoing.next_state())

    outgoing.take_back()
    outgoing.publish_again()

    assert states(outgoing) == [("config", b"tombstone"), ("config", b"new")]


def test_a_lost_removal_goes_out_again_unless_the_state_is_back(outgoing):
    """A topic that was cleared on a connection that broke is cleared on the next."""
    for number, topic in enumerate(("smoke", "glass")):
        outgoing.remember(topic, b"ON", Rank.STATE)
        states(outgoing)
        outgoing.forget(topic)
        outgoing.state_sent(number, outgoing.next_state())
    outgoing.remember("glass", b"OFF", Rank.STATE)

    outgoing.take_back()
    outgoing.publish_again()

    assert states(outgoing) == [("smoke", b""), ("glass", b"OFF")]


@given(st.lists(st.sampled_from(["put", "send", "acknowledge", "lose"]), max_size=60))
def test_no_publication_is_lost_and_none_overtakes(steps):
    """Whatever the network does: what has not been acknowledged is still there, in its order."""
    outgoing, sent, numbers = PublishQueue(), {}, iter(range(1000))
    unacknowledged: list[str] = []
    for step in steps:
        if step == "put":
            unacknowledged.append(str(next(numbers)))
            outgoing.put(publication(unacknowledged[-1]))
        elif step == "send" and (waiting := outgoing.next_publication()):
            number = next(numbers)
            outgoing.sent(number, waiting)
            sent[number] = waiting
        elif step == "acknowledge" and sent:
            number = min(sent)
            unacknowledged.remove(sent.pop(number).message.id)
            assert outgoing.done(number) is not None
        elif step == "lose":
            sent.clear()
            outgoing.take_back()
    outgoing.take_back()

    assert ids(outgoing) == unacknowledged
