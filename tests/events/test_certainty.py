"""The table of who confirms what. docs/decisions/certainty.md gives the reasons."""

from datetime import timedelta

import pytest

from monitor.events.certainty import (
    Witness,
    Witnesses,
    after_hit,
    after_rhythm,
    by_hit,
    by_rhythm,
    by_verifier,
    certainty,
    doubted,
    joined,
    names,
)
from monitor.events.defaults import Hysteresis
from tests.events.tracking import at, hit

MODEL = Witness("embedded")
OTHER = Witness("qwen")
DOUBT = Witness("qwen", doubt=0.05)
T3_ONCE = Witness("rhythm", rhythm="suspected")
T3_TWICE = Witness("rhythm", rhythm="confirmed")


def hits(*seconds: float) -> Witness:
    """A model's hits on an alarm at these times."""
    return Witness("embedded", hits=tuple(at(s) for s in seconds))


@pytest.mark.parametrize(
    ("label", "witnesses", "expected"),
    [
        # A model alone confirms whatever is no life-safety alarm, and a doubt takes that back.
        ("glass_break", (MODEL,), "confirmed"),
        ("glass_break", (MODEL, OTHER), "confirmed"),
        ("glass_break", (MODEL, DOUBT), "suspected"),
        # A life-safety alarm that models alone hear needs a second hit, 3 to 10 s after another.
        ("smoke_alarm", (hits(0),), "suspected"),
        ("smoke_alarm", (hits(0, 2.9),), "suspected"),
        ("smoke_alarm", (hits(0, 3),), "confirmed"),
        ("smoke_alarm", (hits(0, 10),), "confirmed"),
        ("smoke_alarm", (hits(0, 10.1),), "suspected"),
        ("smoke_alarm", (hits(0, 2, 4),), "confirmed"),
        ("smoke_alarm", (hits(0), Witness("hub", hits=(at(4),))), "confirmed"),
        ("smoke_alarm", (hits(0), OTHER), "suspected"),
        ("co_alarm", (hits(0, 5),), "confirmed"),
        # A rhythm is as sure as it says; a model beside it makes the first cycle enough.
        ("smoke_alarm", (T3_ONCE,), "suspected"),
        ("smoke_alarm", (T3_TWICE,), "confirmed"),
        ("smoke_alarm", (T3_ONCE, MODEL), "confirmed"),
        ("smoke_alarm", (MODEL, T3_ONCE), "confirmed"),
        # No model has a class for CO alarms: none confirms one.
        ("co_alarm", (T3_ONCE, MODEL), "suspected"),
        ("co_alarm", (T3_TWICE,), "confirmed"),
        # March time and unknown rhythms are also reversing trucks: they need a model.
        ("fire_alarm", (T3_TWICE,), "suspected"),
        ("fire_alarm", (T3_TWICE, MODEL), "confirmed"),
        ("unknown_alarm", (T3_TWICE,), "suspected"),
        ("unknown_alarm", (T3_ONCE, MODEL), "confirmed"),
        ("unknown_alarm", (T3_TWICE, DOUBT), "suspected"),
    ],
)
def test_certainty_follows_from_the_witnesses(label: str, witnesses: Witnesses, expected: str) -> None:
    """One row for each way to be sure."""
    assert certainty(label, witnesses) == expected


def test_a_second_hit_settles_an_alarm_for_good() -> None:
    """Hits are forgotten after 10 s; what they settled is not."""
    witnesses: Witnesses = ()
    for s in (0, 4, 100, 101):
        witnesses = by_hit(witnesses, "embedded", at(s))
    assert certainty("smoke_alarm", witnesses) == "confirmed"


def test_an_alarm_of_an_hour_remembers_no_more_than_a_short_one() -> None:
    """Hits that come too soon or too late for each other are not collected."""
    witnesses: Witnesses = ()
    for n in range(1000):
        witnesses = by_hit(witnesses, "embedded", at(11 * n))
    assert [len(one.hits) for one in witnesses] == [1]


def test_a_rhythm_s_certainty_only_rises() -> None:
    """A beep that is masked later takes nothing back."""
    witnesses = by_rhythm(by_rhythm((), "rhythm", "confirmed"), "rhythm", "suspected")
    assert witnesses == (T3_TWICE,)


def test_agreement_ends_a_doubt() -> None:
    """The verifier then stands among those that found the sound, last."""
    witnesses = joined(doubted((MODEL,), "qwen", 0.05), "qwen")
    assert witnesses == (MODEL, OTHER)
    assert doubted(witnesses, "qwen", 0.05) == witnesses


@pytest.mark.parametrize(
    ("label", "score", "emotion", "expected"),
    [
        ("scream", 0.6, None, (MODEL, OTHER)),
        ("scream", 0.59, None, (MODEL,)),
        ("scream", 0.3, None, (MODEL,)),
        ("scream", 0.29, None, (MODEL, Witness("qwen", doubt=0.29))),
        ("scream", 0.001, None, (MODEL, Witness("qwen", doubt=0.001))),
        ("scream", 0.0, None, (MODEL,)),
        ("scream", 0.0, {"angry": 0.9}, (MODEL,)),
        ("smoke_alarm", 0.0, None, (MODEL,)),
        ("smoke_alarm", 0.6, None, (MODEL, OTHER)),
    ],
)
def test_a_verifier_agrees_doubts_or_leaves_it_open(
    label: str, score: float, emotion: dict[str, float] | None, expected: Witnesses
) -> None:
    """At the onset, below the off score, between; no doubt of smoke, nor from words or emotions alone."""
    row = Hysteresis(onset=0.6, off=0.3, hits=1, within_s=2, hold_s=5)
    word = hit(label, score, classifier="qwen", emotion=emotion)
    assert by_verifier(label, (MODEL,), word, row) == expected


@pytest.mark.parametrize(
    ("rhythm_of", "model_hits", "speaks"),
    [
        ("fire_alarm", "smoke_alarm", True),
        ("smoke_alarm", "fire_alarm", True),
        ("unknown_alarm", "smoke_alarm", True),
        ("unknown_alarm", "siren", True),
        ("unknown_alarm", "car_alarm", True),
        ("co_alarm", "smoke_alarm", False),
        ("smoke_alarm", "siren", False),
        ("smoke_alarm", "speech", False),
    ],
)
@pytest.mark.parametrize("rhythm_first", [True, False])
def test_which_hits_speak_for_which_rhythms(
    rhythm_of: str, model_hits: str, speaks: bool, rhythm_first: bool
) -> None:
    """Whichever came first: taggers confuse smoke and fire alarms, and call unknown alarms sirens."""
    if rhythm_first:
        changed = after_hit({rhythm_of: (T3_ONCE,), model_hits: ()}, model_hits, "embedded", at(1))
        found = changed.get(rhythm_of, (T3_ONCE,))
    else:
        open_events = {rhythm_of: (), model_hits: (MODEL,)}
        found = after_rhythm(open_events, rhythm_of, "rhythm", "suspected")[rhythm_of]
    assert (set(names(found)) == {"rhythm", "embedded"}) == speaks


def test_a_hit_speaks_for_no_event_without_a_rhythm() -> None:
    """Two labels of one tagger are one witness, not two."""
    assert set(after_hit({"smoke_alarm": (hits(0),), "fire_alarm": ()}, "fire_alarm", "embedded", at(1))) == {
        "fire_alarm"
    }


def test_while_t4_rings_a_smoke_hit_counts_for_nothing() -> None:
    """It is the same sound: two of them do not make a fire of a CO alarm."""
    witnesses: Witnesses = ()
    for s in (0, 5):
        open_events = {"co_alarm": (T3_ONCE,), "smoke_alarm": witnesses}
        witnesses = after_hit(open_events, "smoke_alarm", "embedded", at(s))["smoke_alarm"]
    assert certainty("smoke_alarm", witnesses) == "suspected"


def test_t4_takes_back_what_smoke_hits_settled() -> None:
    """Unless a rhythm of its own speaks for the smoke alarm, which then stands."""
    settled = {"smoke_alarm": (hits(0, 5),), "fire_alarm": (T3_TWICE, MODEL), "co_alarm": ()}
    changed = after_rhythm(settled, "co_alarm", "rhythm", "suspected")
    assert certainty("smoke_alarm", changed["smoke_alarm"]) == "suspected"
    assert "fire_alarm" not in changed


def test_hits_of_an_earlier_alarm_are_no_second_hit() -> None:
    """More than 10 s apart they are two stories."""
    witnesses = by_hit(by_hit((), "embedded", at(0)), "embedded", at(0) + timedelta(seconds=10.1))
    assert certainty("smoke_alarm", witnesses) == "suspected"
