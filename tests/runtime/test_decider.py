"""The thread that decides, run to its end without one."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from structlog.testing import capture_logs

from monitor.events.tracker import Tracker
from monitor.pipeline.decisions import DecisionEngine
from monitor.rules.engine import RuleEngine
from monitor.rules.outage import RULE, SourceOutage
from monitor.runtime.decider import Announcement, Decider, Item, enqueue
from monitor.runtime.mailbox import Mailbox
from monitor.types import (
    Alert,
    Command,
    Findings,
    LabelState,
    Message,
    Problem,
    Setting,
    SoundEvent,
    SourceStatus,
)
from testkit.builders import event, heard
from testkit.fakes import FakeClock


class Diary:
    """Keeps what the decider records, with the time at which it was decided."""

    def __init__(self) -> None:
        self.heard_at: list[datetime] = []
        self.messages: list[Message] = []

    def heard(self, heard: Findings, now: datetime) -> None:
        self.heard_at.append(now)

    def decided(self, message: Message, now: datetime) -> None:
        self.messages.append(message)


class House:
    """A decider with real tracker and rules. Each item is something to be decided, or happens between two."""

    def __init__(
        self,
        *,
        recorded: frozenset[str] = frozenset(),
        deaf_after_s: float = 0.0,
        reached: Callable[[], Mapping[str, datetime]] = dict,
    ) -> None:
        self.clock = FakeClock()
        self._outage = SourceOutage(deaf_after_s, ["phone"])
        self.posted: list[Message] = []
        self.failures: list[BaseException] = []
        self.diary = Diary()
        self._recorded = recorded
        self._reached = reached

    def decide(self, *items: Item | Callable[[], None]) -> list[Message]:
        """What is posted, from the first item to the shutdown after the last one."""
        box = OneByOne(list(items), self.clock)
        decider = Decider(
            DecisionEngine(Tracker(), RuleEngine([]), self._outage),
            box,
            self.posted.extend,
            self.diary,
            self.failures.append,
            self.clock,
            self._recorded,
            self._reached,
        )
        decider.run()
        return self.posted

    def hear(self, label: str, at_s: float, length_s: float = 0.5) -> Findings:
        """A model heard `label`, so many seconds after the clock's time now."""
        started_at = self.clock.now() + timedelta(seconds=at_s)
        detection = heard(label, 0.95, started_at, duration_s=length_s)
        return Findings("kitchen", detection.ends_at, (detection,))


class OneByOne(Mailbox[Any]):
    """Hands out one item at a time, so that things can happen in between."""

    def __init__(self, items: list[Any], clock: FakeClock) -> None:
        super().__init__("test", 100, clock)
        self._items = items

    def take(self, limit: int, timeout_s: float | None = None) -> list[Any]:
        if not self._items:
            self.close()
            return []
        item = self._items.pop(0)
        if not callable(item):
            return [item]
        item()
        return []


def events(posted: list[Message]) -> list[SoundEvent]:
    return [message for message in posted if isinstance(message, SoundEvent)]


def states(posted: list[Message]) -> list[str]:
    return [event.state for event in events(posted)]


def test_a_source_that_goes_takes_its_events_with_it():
    """The house hears of the end of every open event before it hears that the source is offline."""
    house = House()
    at = house.clock.now()
    posted = house.decide(
        house.hear("loud_noise", 0), SourceStatus("kitchen", online=False, at=at, reason="kitchen: gone")
    )
    assert [type(message) for message in posted] == [
        LabelState, SoundEvent, LabelState, SoundEvent, SourceStatus,
    ]  # fmt: skip
    assert [event.ended_by for event in events(posted)] == [None, "source_lost"]


def test_open_events_end_at_shutdown():
    """Nobody is left with a sensor that is on for ever."""
    house = House()
    posted = house.decide(house.hear("loud_noise", 0))
    assert [(event.state, event.ended_by) for event in events(posted)] == [
        ("started", None),
        ("ended", "shutdown"),
    ]
    assert [message.on for message in posted if isinstance(message, LabelState)] == [True, False]


def test_what_an_earlier_run_left_is_posted_first():
    """Before anything that is heard now, and kept in the history too."""
    left = event(id="left", state="ended", ended_by="restart")
    house = House()
    posted = house.decide(Announcement((left,)), house.hear("loud_noise", 0))
    assert posted[0] == left
    assert house.diary.messages[0] == left


def test_what_is_set_now_holds_over_what_was_set_before():
    """A command that comes while the daemon starts is applied after what an earlier run left."""
    box: Mailbox[Item] = Mailbox("decisions", 10, FakeClock())
    before, now = Announcement((Setting("kitchen", "mute", False),)), Command("mute", "kitchen", True)
    enqueue(now, box)
    enqueue(before, box)
    assert box.take(2) == [before, now]


def test_time_alone_ends_an_event():
    """The source is quiet: no detection comes, and the event ends all the same."""
    house = House()
    posted = house.decide(house.hear("loud_noise", 0), lambda: house.clock.advance(60))
    assert [(event.state, event.ended_by) for event in events(posted)] == [
        ("started", None),
        ("ended", "quiet"),
    ]


def test_a_recording_read_faster_than_real_time_kept_ending_its_events_by_the_clock():
    """A minute of sound in a second: a tick by the clock took the future of the recording for a clock that
    was set back, and cut the event into pieces without length."""
    house = House(recorded=frozenset({"kitchen"}))
    story: list[Item | Callable[[], None]] = []
    for i in range(8):
        story += [house.hear("speech", 30 + 0.5 * i), lambda: house.clock.advance(0.3)]
    posted = house.decide(*story)
    whole = events(posted)
    assert {event.id for event in whole} == {whole[0].id}
    assert whole[-1].ended_at is not None
    assert (whole[-1].ended_at - whole[0].started_at).total_seconds() == 4.0


def test_a_recording_of_another_day_began_an_event_with_every_look():
    """Held against today's clock, each detection was long over as soon as it came."""
    house = House(recorded=frozenset({"kitchen"}))
    day_s = 86_400.0
    posted = house.decide(*[house.hear("speech", 0.5 * i - day_s) for i in range(8)])
    assert states(posted).count("started") == 1
    assert all(at < house.clock.now() - timedelta(hours=23) for at in house.diary.heard_at)


def test_a_recording_that_is_ahead_ends_nothing_at_the_microphone():
    """Each source has its own time."""
    house = House(recorded=frozenset({"tape"}))
    ahead = Findings("tape", house.clock.now() + timedelta(hours=1))
    posted = house.decide(house.hear("glass_break", 0), ahead, lambda: house.clock.advance(0.3))
    assert [event.ended_by for event in events(posted)] == [None, "shutdown"]


def test_two_bangs_of_a_recording_are_two_events():
    """Five seconds apart in the recording and a millisecond apart for the clock: two events."""
    house = House(recorded=frozenset({"kitchen"}))
    posted = house.decide(house.hear("loud_noise", 10), house.hear("loud_noise", 15))
    assert states(posted) == ["started", "ended", "started", "ended"]


def test_a_clock_set_back_keeps_no_event_open_until_it_has_caught_up():
    """An hour back, with an event open: it ends when its hold is over."""
    house = House()
    posted = house.decide(
        house.hear("loud_noise", 0),
        lambda: house.clock.set_wall(-3600),
        lambda: house.clock.advance(0.3),
        lambda: house.clock.advance(60),
    )
    assert [event.ended_by for event in events(posted)] == [None, "quiet"]


def test_a_clock_set_forward_leaves_no_event_open():
    """An hour forward: the open event is over, and so is at once what is still dated by the old time."""
    house = House()
    old = [house.hear("loud_noise", 0.5 * i) for i in range(4)]
    posted = house.decide(old[0], lambda: house.clock.set_wall(3600), *old[1:])
    assert states(posted).count("started") == states(posted).count("ended")
    assert {event.ended_by for event in events(posted)} == {None, "quiet"}


def test_what_is_set_is_shown():
    """A command is answered with the value that is now in force."""
    house = House()
    posted = house.decide(Command("mute", "kitchen", True))
    assert posted == [Setting("kitchen", "mute", True)]


def test_the_diary_has_everything():
    """What was heard and what was posted, in the same order."""
    house = House()
    posted = house.decide(house.hear("loud_noise", 0))
    assert house.diary.messages == posted
    assert house.diary.heard_at == [house.clock.now()]


def test_a_bug_in_deciding_reaches_the_daemon():
    """The thread ends with its error, not in silence."""
    house = House()

    def bug() -> None:
        raise ZeroDivisionError

    house.decide(bug)
    assert [type(failure) for failure in house.failures] == [ZeroDivisionError]


def test_a_microphone_that_delivers_nothing_is_an_alert() -> None:
    """What the gate says of a sound reaches people as a lost connection does; time alone raises it."""
    house = House(deaf_after_s=300)
    silent = Problem("kitchen", house.clock.now(), ("digital_silence",))

    with capture_logs() as logs:
        posted = house.decide(
            Findings("kitchen", house.clock.now(), notices=(silent,)), lambda: house.clock.advance(300)
        )

    assert posted[0] == silent
    [alert] = [message for message in posted if isinstance(message, Alert)]
    assert alert.rule == RULE
    [line] = [line for line in logs if line["event"] == "alert"]
    assert (line["rule"], line["severity"], line["id"]) == (RULE, alert.severity, alert.id)


def test_a_flood_of_commands_neither_holds_up_nor_drops_an_alarm():
    """Anyone on the network can send thousands: of each kind the newest waits, behind the alarm."""
    clock = FakeClock()
    box: Mailbox[Item] = Mailbox("decisions", 10, clock)
    alarm = Findings(
        "kitchen", clock.now(), (heard("smoke_alarm", classifier="rhythm", certainty="confirmed"),)
    )

    def flood() -> None:
        for number in range(1000):
            enqueue(Command("mute", "kitchen", bool(number % 2)), box)
            enqueue(Command("sensitivity", "hall", number / 1000), box)
            enqueue(Command("test"), box)

    flood()
    enqueue(alarm, box)
    flood()

    newest = [Command("mute", "kitchen", True), Command("sensitivity", "hall", 0.999), Command("test")]
    assert box.take(10) == [alarm, *newest]
    assert box.figures().dropped == 0


def test_what_is_left_for_the_decider_is_dropped_by_what_it_is_worth():
    """Full, the mailbox gives up tests before bangs, bangs before commands, and an alarm last."""
    clock = FakeClock()
    bang = Findings("kitchen", clock.now(), (heard("door_slam"),))
    alarm = Findings(
        "kitchen", clock.now(), (heard("smoke_alarm", classifier="rhythm", certainty="suspected"),)
    )
    mute = Command("mute", "kitchen", True)
    worth: list[Item] = [Command("test"), bang, mute, SourceStatus("kitchen", False, clock.now()), alarm]
    for capacity in range(1, 6):
        box: Mailbox[Item] = Mailbox("decisions", capacity, clock)
        for item in worth:
            enqueue(item, box)
        assert sorted(box.take(10), key=worth.index) == worth[-capacity:]


def test_an_alarm_goes_before_bangs_and_keeps_its_place_behind_a_status():
    """A source that was lost and is back: the loss would otherwise end what was heard after it."""
    clock = FakeClock()
    box: Mailbox[Item] = Mailbox("decisions", 10, clock)
    bang = Findings("kitchen", clock.now(), (heard("door_slam"),))
    alarm = Findings(
        "kitchen", clock.now(), (heard("smoke_alarm", classifier="rhythm", certainty="suspected"),)
    )
    lost = SourceStatus("kitchen", False, clock.now())
    for item in (bang, lost, bang, alarm):
        enqueue(item, box)

    assert box.take(10) == [bang, lost, alarm, bang]


def test_a_stall_makes_no_second_event_of_one_sound():
    """The process was stopped for 60 s while a dog barked, and then finds the barks that it had missed."""
    judged_until: dict[str, datetime] = {}
    house = House(reached=lambda: dict(judged_until))
    barks = [house.hear("dog_bark", 0.5 * i) for i in range(120)]

    def stopped() -> None:
        house.clock.advance(60)

    def given(bark: Findings) -> Item:
        return bark

    def judged(bark: Findings) -> Callable[[], None]:
        return lambda: judged_until.update(kitchen=bark.until)

    after = [step for bark in barks[2:] for step in (given(bark), judged(bark))]
    judged_until["kitchen"] = barks[1].until
    posted_events = events(house.decide(*barks[:2], stopped, *after))

    assert len({event.id for event in posted_events}) == 1
    assert [event.state for event in posted_events].count("started") == 1


def test_an_event_ends_by_its_sound_once_all_of_it_was_judged():
    """While looks wait for a classifier the event goes on, whatever the clock says; then it ends."""
    judged_until: dict[str, datetime] = {}
    house = House(reached=lambda: dict(judged_until))
    bark = house.hear("dog_bark", 0)
    judged_until["kitchen"] = bark.until
    posted = house.decide(
        bark,
        lambda: house.clock.advance(100),
        lambda: None,
        lambda: judged_until.update(kitchen=bark.until + timedelta(seconds=100)),
        lambda: house.clock.advance(1),
        lambda: house.clock.advance(1),
    )
    ended = [event for event in events(posted) if event.state == "ended"]

    assert [event.ended_by for event in ended] == ["quiet"]
    assert ended[0].at >= bark.until + timedelta(seconds=100)


def test_what_was_decided_long_after_its_sound_says_how_long():
    """More than 5 s: an event of a microphone. A recording has its own time and is never late."""
    for recorded in (frozenset[str](), frozenset({"kitchen"})):
        judged_until: dict[str, datetime] = {}
        house = House(recorded=recorded, reached=partial(dict, judged_until))
        bark = house.hear("dog_bark", 0)
        judged_until["kitchen"] = bark.until

        first = events(house.decide(partial(house.clock.advance, 41), lambda: None, bark))[0]

        assert first.lag_s == (0.0 if recorded else 40.5)
