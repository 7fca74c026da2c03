"""Rules that see the house."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor.rules.checking.check import Capabilities, Finding, check_rules
from monitor.rules.engine import RuleEngine
from monitor.rules.house import HouseConfig, HouseValues
from monitor.rules.model import Rule
from monitor.types import SoundEvent
from testkit.builders import START
from tests.rules.stories import at, rule, sound

BLOCKS: dict[str, HouseConfig] = TypeAdapter(dict[str, HouseConfig]).validate_python(
    {
        "mode": {"type": "select"},
        "tv": {"type": "topic", "topic": "tv/state", "on_values": ["playing"]},
        "door": {"type": "topic", "topic": "door", "unknown_after_s": 600},
        "guests": {"type": "switch"},
    }
)


def engine(*rules: Rule, **values: str | None) -> RuleEngine:
    """With these values known for an hour."""
    made = RuleEngine(rules, house=BLOCKS)
    for name, value in values.items():
        made.note_house(name, value, at(-3600))
    return made


def rung(one: RuleEngine, *events: SoundEvent) -> int:
    return sum(len(one.decide(event)) for event in events)


AWAY = rule("Break-in", hear=["glass_break"], when={"mode": ["away", "night"]})
NO_TV = rule("Bang", hear=["door_slam"], unless={"tv": True})


@pytest.mark.parametrize(
    ("value", "fires"), [("away", 1), ("night", 1), ("home", 0), (None, 1), ("nonsense", 1)]
)
def test_when_asks_for_one_of_its_values_and_the_unknown_fires(value: str | None, fires: int) -> None:
    """A broker that is away must not disarm a glass break, nor a value that nobody foresaw."""
    assert rung(engine(AWAY, mode=value), sound("glass_break")) == fires


@pytest.mark.parametrize(("value", "fires"), [("on", 0), ("off", 1), (None, 1)])
def test_unless_stops_only_by_what_is_known(value: str | None, fires: int) -> None:
    """Nobody knows whether the television is on: then the rule fires."""
    assert rung(engine(NO_TV, tv=value), sound("door_slam")) == fires


def test_a_value_that_was_never_heard_is_unknown() -> None:
    """So is everything in the first seconds after a start."""
    assert rung(engine(AWAY), sound("glass_break")) == 1
    assert rung(engine(NO_TV), sound("door_slam")) == 1


def test_every_value_of_when_must_hold_and_any_of_unless_stops() -> None:
    """Night, and no guests; neither television nor guests."""
    both = rule("R", hear=["knock"], when={"mode": "night", "guests": False})
    assert rung(engine(both, mode="night", guests="off"), sound("knock")) == 1
    assert rung(engine(both, mode="night", guests="on"), sound("knock")) == 0
    neither = rule("R", hear=["knock"], unless={"tv": True, "guests": True})
    assert rung(engine(neither, tv="off", guests="on"), sound("knock")) == 0


def test_the_alert_says_how_the_house_was() -> None:
    """`why` has the value and since when; a rule that was stopped says so, too."""
    house = engine(AWAY)
    house.note_house("mode", "away", START.replace(hour=2, minute=4))
    [alert] = house.decide(sound("glass_break"))
    clock = START.replace(hour=2, minute=4).astimezone()
    assert alert.why["when"] == {"mode": f"away since {clock:%H:%M}"}

    house.note_house("mode", "home", at(10))
    [trace] = house.explain(sound("glass_break", 20))
    assert trace.stopped_by is not None
    assert (trace.stopped_by.clause, trace.stopped_by.wanted) == ("when", {"mode": ["away", "night"]})


def test_the_television_lowers_an_alert_and_silences_none() -> None:
    """One severity less and suspected, while it is on through the whole sound; why says it."""
    scream = rule("Scream", hear=["scream"], demote_while={"tv": True})
    [real] = engine(scream, tv="off").decide(sound("scream"))
    [doubtful] = engine(scream, tv="on").decide(sound("scream"))
    [unknown] = engine(scream).decide(sound("scream"))

    assert (real.severity, unknown.severity, doubtful.severity) == ("critical", "critical", "warning")
    assert [event.certainty for event in doubtful.events] == ["suspected"]
    assert "suspected" in doubtful.message
    assert doubtful.why["demote_while"]["tv"].startswith("on since ")
    assert "demote_while" not in real.why


def test_a_demoted_alert_stays_so_when_another_room_joins() -> None:
    """And an alert that merely informs cannot get milder."""
    made = engine(rule("Scream", hear=["scream"], severity="info", demote_while={"tv": True}), tv="on")
    [first] = made.decide(sound("scream"))
    [joined] = made.decide(sound("scream", 0.5, source="porch"))
    assert first.severity == joined.severity == "info"
    assert {event.certainty for event in joined.events} == {"suspected"}


def test_the_house_as_it_was_at_the_sound_counts() -> None:
    """Also where the sound is judged later, and the mode has changed meanwhile."""
    made = engine(AWAY, mode="away")
    made.note_house("mode", "home", at(5))
    ended = sound("glass_break", 0, ended_at=at(2), at=at(8), state="ended")
    assert rung(made, ended) == 1
    assert rung(made, sound("glass_break", 6)) == 0


def test_a_value_grows_old() -> None:
    """A sensor with an empty battery publishes nothing more, and must not stop a rule for ever."""
    made = engine(rule("R", hear=["knock"], unless={"door": "open"}))
    made.note_house("door", "open", at(0))
    assert rung(made, sound("knock", 599)) == 0
    assert rung(made, sound("knock", 602)) == 1


def test_repeated_values_are_recorded_only_where_they_would_grow_old() -> None:
    """A chatty topic fills no history."""
    values = HouseValues(BLOCKS)
    assert [values.note("tv", "on", at(s)) for s in (0, 10, 10_000)] == [True, False, False]
    assert [values.note("door", "open", at(s)) for s in (0, 299, 300, 301)] == [True, False, True, False]
    assert not values.note("unheard of", "on", at(0))
    assert not values.note("mode", None, at(0))


@given(
    st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["away", "home", None, "?"])), max_size=12),
    st.floats(0, 100),
    st.floats(0, 20),
)
def test_a_rule_is_stopped_only_by_what_was_known_through_the_whole_sound(
    changes: Sequence[tuple[float, str | None]], begin_s: float, lasts_s: float
) -> None:
    """However the value flaps, and whenever it is unknown: stopped if and only if it was `home` from the
    sound's beginning to its end."""
    made = engine(AWAY)
    ordered = sorted(changes, key=lambda change: change[0])
    for s, value in ordered:
        made.note_house("mode", value, at(s))
    end_s = begin_s + lasts_s
    before = [value for s, value in ordered if at(s) <= at(begin_s)][-1:] or [None]
    meanwhile = [value for s, value in ordered if at(begin_s) < at(s) <= at(end_s)]
    happened = sound("glass_break", begin_s, at=at(end_s + 30), ended_at=at(end_s), state="ended")

    assert rung(made, happened) == int({*before, *meanwhile} != {"home"})


@given(st.lists(st.tuples(st.integers(-50, 50), st.sampled_from(["away", "home", None])), max_size=40))
def test_a_clock_that_is_set_back_leaves_the_last_word(changes: Sequence[tuple[int, str | None]]) -> None:
    """Whatever came before, what was noted last counts from its time on."""
    values = HouseValues(BLOCKS)
    for s, value in changes:
        values.note("mode", value, at(s))
    if changes:
        s, value = changes[-1]
        assert values.during("mode", at(s), at(s))[-1][1] == value


def test_new_rules_know_the_house() -> None:
    """They are exchanged while the daemon runs."""
    former, new = engine(AWAY, mode="home"), engine(AWAY.model_copy(update={"severity": "warning"}))
    new.take_over(former, [])
    assert rung(new, sound("glass_break")) == 0


def test_a_test_rings_in_any_house() -> None:
    """Who presses the button is at home."""
    assert engine(AWAY, mode="home").test(at(0)).rule == "Break-in"


def findings(one: Rule) -> list[Finding]:
    able = Capabilities(produced=frozenset({*one.hear}), sources=(), onsets={}, notifiers=None, house=BLOCKS)
    return check_rules([one], able)


@pytest.mark.parametrize("key", ["when", "unless", "demote_while"])
def test_life_safety_knows_no_house(key: str) -> None:
    """A smoke alarm rings whoever is at home and whatever is on."""
    [one] = findings(rule("Smoke", hear=["smoke_alarm", "knock"], **{key: {"mode": "away"}}))
    assert (one.fatal, one.place) == (True, ("rules", 0, key))
    assert "smoke_alarm may save a life" in one.text


@pytest.mark.parametrize(
    ("conditions", "text"),
    [
        ({"mod": "away"}, "no 'mod'; did you mean 'mode'?"),
        ({"mode": "out"}, "'mode' is never 'out'; it is one of home, away, night, vacation"),
        ({"tv": "playing"}, "'tv' is never 'playing'; it is one of on, off"),
    ],
)
def test_what_the_house_cannot_be_is_an_error(conditions: dict[str, str], text: str) -> None:
    """It would never hold, or always."""
    [one] = findings(rule("R", hear=["knock"], when=conditions))
    assert one.fatal
    assert text in one.text


@pytest.mark.parametrize("label", ["scream", "glass_break"])
def test_unless_on_what_must_be_known_is_warned_of(label: str) -> None:
    """The film may end in a real scream."""
    [one] = findings(rule("R", hear=[label], unless={"tv": True}))
    assert not one.fatal
    assert "demote_while" in one.text
    assert findings(rule("R", hear=[label], demote_while={"tv": True})) == []


@pytest.mark.parametrize("block", [{"topic": "a/+/b"}, {"topic": "a/#"}, {"topic": ""}, {}])
def test_a_topic_is_one_topic(block: dict[str, str]) -> None:
    """A wildcard would be anybody's word."""
    with pytest.raises(ValidationError):
        TypeAdapter(HouseConfig).validate_python({"type": "topic", **block})
