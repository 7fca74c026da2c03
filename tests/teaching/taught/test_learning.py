"""From a few hearings to a taught sound, or to the reason why not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classifiers.taught.sound import TaughtSound, read_sound
from monitor.teaching.taught.background import Background
from monitor.teaching.taught.learning import NotTaught, learn, mean_of, odd_ones, worth_of_one_more
from monitor.teaching.taught.tail import a_week, at_most, bar_for
from testkit.builders import START
from testkit.taught import SIZE, background, hearings, taught

RNG = np.random.default_rng(3)


def test_what_stands_apart_is_taught_with_what_to_expect():
    """Each hearing is judged by the others alone."""
    found = learn("washer_done", hearings(), background(), START)

    assert isinstance(found, TaughtSound)
    assert (found.expected.heard, found.expected.of) == (5, 5)
    assert 0 < found.expected.false_a_week <= 1.01
    assert found.expected.background_hours == 0
    again = hearings(count=6)[5]
    assert found.score(float(found.likeness(again.embedding))) > 0.5
    assert found.score(float(found.likeness(-again.embedding))) < 0.01


def test_something_wholly_new_is_not_taken_for_it():
    """The bar holds against sounds in every other direction."""
    found = taught()
    others = 6 * np.eye(SIZE, dtype=np.float32)[1:]
    assert max(found.score(float(one)) for one in found.likeness(others)) < 0.3


def test_what_cannot_be_told_from_the_house_is_refused_with_its_name():
    """The dishes sound alike, and there are many of them."""
    dishes = np.array([one.embedding for one in hearings(count=300)])
    refused = learn("gate", hearings(), background(dishes, ["dishes"] * 300, hours=100.0), START)

    assert isinstance(refused, NotTaught)
    assert "cannot be told from dishes" in refused.reason
    assert "Teach more hearings" in refused.reason


def test_what_came_before_it_was_taught_is_the_thing_itself():
    """A washer that sang eight times last week: named are five, and the others are nothing that it must be
    told from. So many that it cannot be are another thing."""
    came = np.array([one.embedding for one in hearings(count=13)])
    quiet = RNG.normal(size=(300, SIZE)).astype(np.float32)
    found = learn("gate", hearings(), background(np.vstack([quiet, came[5:]]), hours=100.0), START)
    alone = learn("gate", hearings(), background(quiet, hours=100.0), START)
    assert isinstance(found, TaughtSound)
    assert isinstance(alone, TaughtSound)
    assert found.expected.came_before - alone.expected.came_before >= 6
    assert found.expected.heard == alone.expected.heard == 5
    assert found.bar == pytest.approx(alone.bar, abs=0.15)


def test_hearings_that_share_nothing_are_refused():
    """Five different things are no thing."""
    mixed = [hearings(direction=n, count=1)[0] for n in range(5)]
    refused = learn("mixture", mixed, background(), START)
    assert isinstance(refused, NotTaught)
    assert "too unlike itself" in refused.reason


def test_a_recording_that_is_given_twice_is_refused():
    """It is like itself: leaving it out would promise too much."""
    first, *others = hearings()
    twice = [first, *others, replace(first, name="copy.wav")]
    refused = learn("gate", twice, background(), START)
    assert isinstance(refused, NotTaught)
    assert refused.reason.startswith(f"{first.name} and copy.wav are the same recording")


def test_what_would_be_reported_wrongly_all_the_time_is_refused():
    """Twenty sounds of this house are the very same: no bar is high enough for the aim."""
    one = hearings()[0].embedding
    same = [replace(each, embedding=one * (1 + 1e-6 * n)) for n, each in enumerate(hearings())]
    house = background(np.array([same[0].embedding] * 20), ["microwave"] * 20, hours=8.0)
    refused = learn("gate", same, house, START)

    assert isinstance(refused, NotTaught)
    assert "where 1 was asked for" in refused.reason
    assert "microwave" in refused.reason
    assert isinstance(learn("gate", same, house, START, false_a_week=4.0), TaughtSound)


def test_two_hearings_are_too_few():
    """At least three, and the answer says so."""
    refused = learn("gate", hearings(count=2), background(), START)
    assert isinstance(refused, NotTaught)
    assert "at least 3" in refused.reason


def test_the_odd_one_is_pointed_out():
    """A hearing of something else among five."""
    one = hearings(direction=4, count=1)[0]
    assert odd_ones([*hearings(), one], background()) == [one.name]
    assert odd_ones(hearings(), background()) == []


def test_the_sounds_that_are_taught_are_no_background():
    """They were heard in the last days, too, and would stand against themselves."""
    heard = hearings()
    house = background(np.array([one.embedding for one in heard]), hours=48.0)
    own = type(house)(
        house.embeddings,
        house.labels,
        house.hours,
        house.households,
        tuple(str(one.segment_id) for one in heard),
    )
    assert len(own.without([str(one.segment_id) for one in heard]).embeddings) == 0


def test_how_a_tail_falls_is_not_taken_from_twenty_sounds_alone():
    """Draws of one and the same house give nearly the same bar."""
    bars = [bar_for(np.tanh(np.random.default_rng(n).exponential(0.06, 400)), 10, 1) for n in range(50)]
    assert np.std(bars) < 0.05


@given(st.floats(0.1, 50), st.floats(1, 500))
def test_the_bar_lets_through_what_was_asked(wanted: float, hours: float):
    """What it predicts for its own bar is what was asked for."""
    likeness = np.tanh(np.random.default_rng(4).exponential(0.2, 2000) - 0.5)
    bar = bar_for(likeness, hours, wanted)
    if bar < 0.99:
        expected = wanted * hours / 168
        assert a_week(likeness, hours, bar) * hours / 168 == pytest.approx(expected, abs=1.5, rel=0.1)


def test_a_louder_week_asks_for_a_higher_bar():
    """More of the same in less time."""
    likeness = np.tanh(RNG.exponential(0.2, 500) - 0.5)
    assert bar_for(likeness, 10, 1) > bar_for(likeness, 1000, 1)


def test_a_house_that_is_little_known_is_said_to_be():
    """Of none in nine hours up to thirty a week are possible; with a fortnight of it hardly any."""
    assert at_most(0, 9.0) == pytest.approx(1.609 * 168 / 9, rel=0.01)
    assert at_most(3, 168.0) == pytest.approx(5.515, rel=0.01)
    quiet = RNG.normal(size=(500, SIZE))
    short = learn("gate", hearings(), background(quiet, hours=9.0), START)
    known = learn("gate", hearings(), background(quiet, hours=14 * 24.0), START)
    unknown = learn("gate", hearings(), background(), START)
    assert isinstance(short, TaughtSound)
    assert isinstance(known, TaughtSound)
    assert isinstance(unknown, TaughtSound)
    assert short.expected.false_at_most is not None
    assert short.expected.false_at_most > 10
    assert known.expected.false_at_most is not None
    assert known.expected.false_at_most < 10
    assert unknown.expected.false_at_most is None
    assert short.bar >= known.bar


def test_it_learns_until_the_house_is_known_for_as_long_as_the_aim_takes():
    """A week at least, four at most."""
    quiet = RNG.normal(size=(500, SIZE))
    days = {
        (hours, aim): found.learning_days
        for hours, aim in ((14 * 24.0, 1.0), (0.0, 0.5), (48.0, 0.5), (0.0, 0.01))
        if isinstance(
            found := learn("gate", hearings(), background(quiet, hours=hours), START, aim), TaughtSound
        )
    }
    assert days[14 * 24.0, 1.0] == 7
    assert all(7 <= each <= 28 for each in days.values())
    assert days.get((48.0, 0.5), 12.0) == 12


def test_early_looks_raise_the_bar():
    """A live sound is looked at many times, and a part of it may be more like the thing than the whole."""
    quiet = background(RNG.normal(size=(500, SIZE)), hours=400.0)
    near = np.array([one.embedding for one in hearings(count=20, spread=2.0)])
    without = quiet.bar(taught_prototype(quiet), 1.0)
    with_early = replace(quiet, early=near)
    assert with_early.bar(taught_prototype(quiet), 1.0) > without


def taught_prototype(house: Background) -> np.ndarray:
    return mean_of(house.space.of(np.array([one.embedding for one in hearings()])))


def test_a_sound_that_is_kept_says_the_same_after_it_was_read(tmp_path: Path):
    """Of its directions only what is not 0 is written: half as many numbers."""
    found = taught()
    (tmp_path / f"{found.label}.json").write_text(found.model_dump_json())
    read = read_sound(tmp_path / f"{found.label}.json")
    heard = np.array([one.embedding for one in hearings(count=9)])
    assert {len(row) for row in read.basis} == set(range(1, SIZE + 1))
    assert read.likeness(heard) == pytest.approx(background().space.of(heard) @ found.prototype, abs=0.01)


def test_a_microphone_that_colours_everything_makes_nothing_alike():
    """After some sounds of this house its own middle counts, not that of other households."""
    rng = np.random.default_rng(5)
    coloured = rng.normal(size=(100, SIZE)).astype(np.float32) + 3
    own = background(coloured, hours=10.0).space.of(coloured)
    assert abs(float(np.median(own @ own.T))) < 0.3


def test_the_worth_of_one_more_hearing_falls_with_their_number():
    """The prototype of five is nearer to a sixth than that of four: measured by draws."""
    rng = np.random.default_rng(6)
    few, many = (worth_of_one_more([0.5] * n) for n in (3, 10))
    assert 1.0 < many < few < 1.3
    shared = rng.normal(size=(500, 1, SIZE)) + 1.2 * rng.normal(size=(500, 6, SIZE))
    whole, but_one = (
        float(np.mean([cosine(one[0], one[1 : 1 + n].mean(axis=0)) for one in shared])) for n in (5, 4)
    )
    assert worth_of_one_more([but_one] * 5) == pytest.approx(whole / but_one, abs=0.01)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
