"""Suggestions: what follows from verdicts, and what never does."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.labels import LIFE_SAFETY
from monitor.rhythm.detector import LABELS as RHYTHM_LABELS
from monitor.teaching.fit import Example, Fit, Prior
from monitor.teaching.forecast import Forecast, JudgedSound
from monitor.teaching.questions import VerdictQuestion, chosen, left_today
from monitor.teaching.stream import LabelledSound
from monitor.teaching.suggestion import ABOVE_WRONG_LOGITS, Aim, NoSuggestion, Suggestion, Taught, suggest
from testkit.builders import START


def sound(x: float, n: int = 0, label: str = "dog_bark") -> LabelledSound:
    at = START + timedelta(minutes=n)
    return LabelledSound("hall", label, at, at + timedelta(seconds=2), x, 0.9)


def house(xs: Sequence[float], judged: Sequence[Example], label: str = "dog_bark", **more: object) -> Taught:
    """A week of sounds, of which those beyond the judged ones are nobody's word."""
    fields: dict[str, object] = {"source": None, "onset": 0.5, "missed": (), "days": 7.0}
    words = [(one.x, one.right) for one in judged if one.x in xs] + [(x, None) for x in xs]
    heard = [JudgedSound(sound(x, n, label), word) for n, (x, word) in enumerate(words)]
    return Taught(label=label, heard=heard, judged=judged, **(fields | more))  # type: ignore[arg-type]


STREAM = [float(x) for x in np.linspace(0.05, 3.95, 40)]
WRONG_BELOW_2 = [Example(x, x > 2) for x in STREAM[::2]]


def test_one_wrong_verdict_weighs_where_nothing_was_right():
    """Most homes never have such a sound then; where it was right before, one wrong is one wrong."""
    right, wrong = Example(1.0, right=True), Example(1.0, right=False)
    before, never, mostly = (
        Fit(judged, Prior()).right([1.0])[0] for judged in ([], [wrong], [right, right, wrong])
    )
    assert 0.5 < before < 0.7
    assert never < 0.2
    assert mostly > 0.6
    assert Fit([wrong] * 20, Prior()).right([1.0])[0] < 0.05


def test_more_evidence_is_never_less_likely_right():
    """Whatever was judged: a threshold makes sense only so."""
    fit = Fit([Example(0.0, right=True), Example(3.0, right=False)] * 5, Prior())
    right = fit.right(np.linspace(-3, 6, 50))
    assert (np.diff(right) >= 0).all()


def test_the_onset_goes_where_right_and_wrong_part():
    """Twenty clear verdicts: what was judged wrong is gone, what was judged right stays."""
    found = suggest(house(STREAM, WRONG_BELOW_2))
    assert isinstance(found, Suggestion)
    assert 1.2 < found.dx < 2.8
    assert found.false_then.a_day < found.false_now.a_day
    assert found.lost.low <= found.lost.a_day <= found.lost.high
    assert {one.sound.x < found.dx for one in found.gone} == {True}
    assert found.place == "labels.dog_bark.onset"
    assert found.more_verdicts == 0


def test_every_aim_is_met_by_its_own_forecast():
    """`right` and `false_a_week` take the lowest onset that reaches them."""
    taught = house(STREAM, WRONG_BELOW_2)
    right = suggest(taught, Aim("right", 0.9))
    weekly = suggest(taught, Aim("false_a_week", 1.0))
    assert isinstance(right, Suggestion)
    assert isinstance(weekly, Suggestion)
    assert weekly.false_then.a_day * 7 <= 1.0
    assert right.onset > right.now
    nothing = suggest(taught, Aim("false_a_week", 1000.0))
    assert isinstance(nothing, NoSuggestion)
    assert "is right for it" in nothing.reason


def test_where_right_and_wrong_score_alike_no_onset_helps():
    """It says so instead of a mute by another name."""
    alike = [Example(1.0, right=number % 2 == 0) for number in range(20)]
    found = suggest(house([1.0] * 40, alike), Aim("right", 0.95))
    assert isinstance(found, NoSuggestion)
    assert "score alike" in found.reason


def test_too_few_verdicts_are_no_ground():
    """It names how many more and how."""
    for found in (
        suggest(house(STREAM, WRONG_BELOW_2[:1]), Aim("right", 0.9)),
        suggest(house(STREAM, WRONG_BELOW_2[-1:])),
    ):
        assert isinstance(found, NoSuggestion)
        assert "judge 1 more: earwitness review --label dog_bark" in found.reason


def test_one_wrong_raises_an_onset_no_further_than_is_known():
    """What scores far higher than the wrong one may be the first that is right."""
    [wrong] = WRONG_BELOW_2[:1]
    found = suggest(house(STREAM, [wrong]))
    assert isinstance(found, Suggestion)
    assert wrong.x < found.dx <= wrong.x + ABOVE_WRONG_LOGITS
    assert len(found.gone) < len(STREAM)


def test_what_was_missed_may_lower_an_onset():
    """Nothing else does: below the onset nobody has judged anything."""
    right = [Example(x, right=True) for x in np.linspace(0.1, 3, 20)]
    low = [*STREAM, *np.linspace(-0.9, -0.1, 5)]
    missed = suggest(house(low, right, missed=[-0.6, -0.5, -0.4]), Aim("right", 0.9))
    assert isinstance(missed, Suggestion)
    assert missed.dx < 0
    assert len(missed.new) > 0
    assert isinstance(suggest(house(low, right), Aim("right", 0.9)), NoSuggestion)


judgements = st.lists(st.builds(Example, st.floats(-3, 6), st.booleans()), max_size=60)
aims = st.sampled_from([Aim("keep", 0.5), Aim("right", 0.99), Aim("false_a_week", 0.01)])


@settings(max_examples=60)
@given(
    label=st.sampled_from(sorted({*LIFE_SAFETY, *RHYTHM_LABELS})),
    judged=judgements,
    aim=aims,
    source=st.sampled_from([None, "hall"]),
)
def test_no_verdict_whatever_suggests_anything_for_an_alarm(label, judged, aim, source):
    """Smoke, fire, CO, and what is found by its rhythm."""
    assert isinstance(suggest(house(STREAM, judged, label, source=source), aim), NoSuggestion)


def test_the_interval_holds_what_comes():
    """Forty houses whose sounds are right as the fit believes: in most of them the false events of the next
    days lie in the interval."""
    rng = np.random.default_rng(1)
    held = 0
    for number in range(40):
        xs, days = rng.uniform(0, 4, 60), 7.0
        truth = rng.random(60) < 1 / (1 + np.exp(-(xs - 1.5)))
        judged = [Example(x, bool(right)) for x, right in zip(xs[:20], truth[:20], strict=True)]
        known = [JudgedSound(sound(x), bool(right) if n < 20 else None)
                 for n, (x, right) in enumerate(zip(xs, truth, strict=True))]  # fmt: skip
        rate = Forecast(known, Fit(judged, Prior()), days, seed=number).false(1.0)
        coming = rng.uniform(0, 4, rng.poisson(60))
        false = (rng.random(len(coming)) > 1 / (1 + np.exp(-(coming - 1.5)))) & (coming >= 1.0)
        held += rate.low <= false.sum() / days <= rate.high
    assert held >= 28


def test_two_wrong_ones_at_the_threshold_say_little_of_what_scores_higher():
    """Homes in which a sound is right now and then, and the first two answers are wrong: in three of four the
    false events of the next days lie in the interval. A prior that takes every such label for absent is sure
    that all are false, and its interval holds them in one of four."""
    homes = held = 0
    for number in range(150):
        rng = np.random.default_rng(number)
        level = rng.uniform(-1, 1)
        xs = np.sort(rng.exponential(1.0, 16))
        truth = rng.random(16) < 1 / (1 + np.exp(-(level + xs)))
        if truth[:2].any():
            continue
        judged = [Example(float(x), right=False) for x in xs[:2]]
        heard = [JudgedSound(sound(x), None if n >= 2 else False) for n, x in enumerate(xs)]
        told = Forecast(heard, Fit(judged, Prior()), 7.0, seed=number).false(0.0)
        coming = rng.exponential(1.0, rng.poisson(16))
        false = (rng.random(len(coming)) > 1 / (1 + np.exp(-(level + coming)))).sum()
        homes += 1
        held += told.low <= false / 7.0 <= told.high
    assert homes >= 30
    assert held >= 0.75 * homes


def test_keeping_most_costs_nothing_where_nothing_was_wrong():
    """What may be lost need not be: only right ones would go, and no false one."""
    right = [Example(x, right=True) for x in STREAM[::4]]
    found = suggest(house(STREAM, right), Aim("keep", 0.9))
    assert isinstance(found, NoSuggestion)
    assert "is right for it" in found.reason
    mixed = suggest(house(STREAM, WRONG_BELOW_2), Aim("keep", 0.9))
    assert isinstance(mixed, Suggestion)
    assert mixed.false_then.a_day < mixed.false_now.a_day - mixed.lost.a_day


def test_questions_are_few_and_about_what_is_unsure():
    """Near the threshold, alerts first, and not all of one label."""
    fits = {"dog_bark": Fit([], Prior()), "cat": Fit([], Prior())}
    near, far = VerdictQuestion("near", sound(0.0)), VerdictQuestion("far", sound(5.0))
    alerted = VerdictQuestion("alerted", sound(0.0), alerted=True)
    cat = VerdictQuestion("cat", sound(0.5, label="cat"))
    first = chosen([far, near, alerted, cat], fits, {"dog_bark": 2}, 2)
    assert [one.event_id for one in first] == ["alerted", "cat"]


@pytest.mark.parametrize(("hours_ago", "left"), [([1, 5, 23], 0), ([1, 25, 30], 2), ([], 3), ([1] * 9, 0)])
def test_three_questions_in_any_day(hours_ago, left):
    """Midnight brings no second three."""
    asked = {str(n): START - timedelta(hours=hours) for n, hours in enumerate(hours_ago)}
    assert left_today(asked, START) == left
