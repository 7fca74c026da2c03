"""A person is notified once, and then how often."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery.base import Entry
from monitor.delivery.coalescer import LONGEST_PAUSE_S, Coalescer
from monitor.types import Alert
from testkit.builders import START, alert, event

numbers = count(1)


def waiting(label: str, at_s: float = 0.0, **more: object) -> Entry:
    number = next(numbers)
    at = START + timedelta(seconds=at_s)
    message = alert(label, id=f"a{number}", at=at, **more)
    return Entry(number, "phone", message, at, False, 0.0, label in {"smoke_alarm", "co_alarm"})


def send(storms: Coalescer, entries: list[Entry], now_s: float) -> list[str]:
    """What goes out now; delivered at once and taken off `entries`."""
    sent = []
    while batches := storms.batches(entries, now_s):
        (batch,) = batches
        assert isinstance(batch.message, Alert)
        sent.append(batch.message.message)
        storms.delivered(batch, now_s)
        for entry in batch.entries:
            entries.remove(entry)
    return sent


def test_the_first_alert_goes_at_once() -> None:
    """Nothing is held for company that may never come."""
    entries = [waiting("glass_break"), waiting("dog_bark")]

    assert send(Coalescer(), entries, 0.0) == ["glass_break in the kitchen", "dog_bark in the kitchen"]


def test_a_test_holds_back_no_real_alarm() -> None:
    """The alert after somebody pressed the test button goes at once."""
    storms = Coalescer(pause_s=60)
    pressed = waiting("dog_bark")
    assert isinstance(pressed.message, Alert)
    test = replace(pressed, message=replace(pressed.message, test=True))
    send(storms, [test], 0.0)

    assert send(storms, [waiting("dog_bark", 1)], 1.0) == ["dog_bark in the kitchen"]


def test_tests_come_last_and_use_nothing_up() -> None:
    """Tests that wait for a telephone go as one message, after the real alert that came later, and do not
    count towards its limit."""
    storms = Coalescer(per_minute=1)
    entries = [waiting("smoke_alarm", at_s, test=True) for at_s in range(3)] + [waiting("dog_bark", 3)]

    (first,) = storms.batches(entries, 10.0)
    storms.delivered(first, 10.0)
    (rest,) = storms.batches(entries[:3], 70.0)
    storms.delivered(rest, 70.0)

    assert isinstance(first.message, Alert)
    assert first.message.message == "dog_bark in the kitchen"
    assert [entry.number for entry in rest.entries] == [entry.number for entry in entries[:3]]
    assert send(storms, [waiting("knock", 71)], 71.0) == ["knock in the kitchen"]


def test_another_danger_never_waits_for_company() -> None:
    """One rule hears smoke and CO: CO five seconds after smoke goes out at once."""
    storms = Coalescer()
    send(storms, [waiting("smoke_alarm", rule="Alarms")], 0.0)

    assert send(storms, [waiting("smoke_alarm", 4, rule="Alarms")], 4.0) == []
    assert send(storms, [waiting("co_alarm", 5, rule="Alarms")], 5.0) == ["co_alarm in the kitchen"]


def test_an_update_rings_when_it_speaks_for_an_alert_that_has_not_rung() -> None:
    """A further room alone does not ring; together with the alert that waited beside it, it does."""
    room = waiting("smoke_alarm", update=True)
    batches = [Coalescer().batches(entries, 0.0)[0] for entries in ([room], [waiting("smoke_alarm"), room])]

    assert [isinstance(b.message, Alert) and b.message.update for b in batches] == [True, False]


def test_a_storm_is_one_message_with_a_number() -> None:
    """After the first, alerts of the same rule are collected for a minute and sent as one."""
    storms = Coalescer(pause_s=60)
    send(storms, [waiting("dog_bark")], 0.0)
    entries = [waiting("dog_bark", at_s) for at_s in range(1, 15)]

    assert send(storms, entries, 59.0) == []
    (sent,) = send(storms, entries, 60.0)

    assert sent.startswith("dog_bark in the kitchen (14 times since ")
    assert entries == []


def test_the_same_alert_again_is_not_counted_twice() -> None:
    """An alert that another microphone corroborated is one alert."""
    first = waiting("glass_break")
    again = Entry(first.number + 10_000, "phone", first.message, START, False, 0.0, False)

    assert send(Coalescer(), [first, again], 0.0) == ["glass_break in the kitchen"]


def test_all_sources_of_a_storm_are_named() -> None:
    """The collapsed alert carries the newest state of every event in it."""
    entries = [
        waiting("dog_bark", events=(event("dog_bark", id=source, source=source),))
        for source in ("hall", "porch")
    ]

    (batch,) = Coalescer().batches(entries, 0.0)

    assert isinstance(batch.message, Alert)
    assert [event.source for event in batch.message.events] == ["hall", "porch"]


def test_every_room_of_a_storm_is_named() -> None:
    """Three cameras of one switch are lost together: whoever reads it knows which."""
    entries = [
        waiting(
            "lost", at_s, rule="Not listening", events=(), why={"source": room}, message=f"{room} is lost"
        )
        for at_s, room in enumerate(("porch", "nursery", "cellar", "porch"))
    ]

    (sent,) = send(Coalescer(), entries, 0.0)

    assert sent.startswith("porch is lost\ncellar is lost\nnursery is lost\n(4 times since ")


def test_a_long_list_is_cut_and_counted() -> None:
    """A message to a telephone has its limits."""
    entries = [waiting(f"sound {n}", rule="Any") for n in range(8)]

    (sent,) = send(Coalescer(), entries, 0.0)

    assert sent.count("in the kitchen") == 5
    assert "; and 3 more (8 times" in sent


def test_an_alarm_is_no_company_for_other_sounds() -> None:
    """A rule hears screams, breaking glass and smoke: what came before or after the smoke neither hides nor
    delays it."""
    storms = Coalescer(pause_s=60)
    send(storms, [waiting("scream", rule="Danger")], 0.0)
    entries = [waiting("scream", 1, rule="Danger"), waiting("smoke_alarm", 2, rule="Danger")]
    entries.append(waiting("glass_break", 3, rule="Danger"))

    assert send(storms, entries, 3.0) == ["smoke_alarm in the kitchen"]
    (rest,) = send(storms, entries, 60.0)
    assert rest.startswith("glass_break in the kitchen; scream in the kitchen (2 times since ")


def test_a_lasting_storm_is_sent_less_and_less() -> None:
    """While it goes on the pause doubles, to 15 minutes; after a calm it is short again."""
    storms, sent_at_s = Coalescer(pause_s=60), []
    entries: list[Entry] = []
    for now_s in range(0, 6000, 10):
        entries.append(waiting("dog_bark"))
        if send(storms, entries, now_s):
            sent_at_s.append(now_s)
    assert sent_at_s == [0, 60, 180, 420, 900, 1800, 2700, 3600, 4500, 5400]
    send(storms, entries, 5400 + 2 * LONGEST_PAUSE_S)

    assert send(storms, [waiting("dog_bark")], 5460 + 2 * LONGEST_PAUSE_S)


def test_an_alarm_overtakes_and_is_never_limited() -> None:
    """Smoke goes before a backlog of barking, although the messages of this minute are used up."""
    storms = Coalescer(pause_s=60, per_minute=2)
    entries = [waiting(label) for label in ("dog_bark", "knock", "cat", "rain", "smoke_alarm", "co_alarm")]

    sent = send(storms, entries, 0.0)

    assert sent == ["smoke_alarm in the kitchen", "co_alarm in the kitchen"]
    assert len(send(storms, entries, 60.0)) == 2


def test_an_alarm_that_goes_on_is_sent_every_twenty_seconds() -> None:
    """The pause of an alarm does not grow."""
    storms, sent_at_s = Coalescer(), []
    entries: list[Entry] = []
    for now_s in range(0, 200, 5):
        entries.append(waiting("smoke_alarm"))
        if send(storms, entries, now_s):
            sent_at_s.append(now_s)

    assert sent_at_s == list(range(0, 200, 20))


def test_a_change_of_severity_is_news() -> None:
    """A critical alert does not hide in the storm of an informing one of the same rule."""
    storms = Coalescer()
    send(storms, [waiting("dog_bark", severity="info")], 0.0)

    assert len(send(storms, [waiting("dog_bark", severity="critical")], 1.0)) == 1


@given(
    arrivals=st.lists(
        st.tuples(st.sampled_from(["dog_bark", "knock", "smoke_alarm"]), st.floats(0, 300)), max_size=60
    ),
    per_minute=st.integers(1, 5),
)
def test_everything_is_sent_in_the_end(arrivals: list[tuple[str, float]], per_minute: int) -> None:
    """Whatever comes, every alert is in exactly one message, and others than alarms keep to the rate."""
    storms = Coalescer(pause_s=30, per_minute=per_minute)
    left = sorted(arrivals, key=lambda arrival: arrival[1])
    entries: list[Entry] = []
    sent: list[int] = []
    calm_at_s: list[float] = []
    for now_s in range(4000):
        while left and left[0][1] <= now_s:
            entries.append(waiting(left.pop(0)[0]))
        for batch in storms.batches(entries, now_s):
            storms.delivered(batch, now_s)
            sent += [entry.number for entry in batch.entries]
            entries = [entry for entry in entries if entry not in batch.entries]
            calm_at_s += [] if batch.entries[0].urgent else [now_s]

    assert len(sent) == len(set(sent)) == len(arrivals)
    assert all(sum(now_s - 60 < at_s <= now_s for at_s in calm_at_s) <= per_minute for now_s in calm_at_s)
