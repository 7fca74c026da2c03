from collections.abc import Sequence
from datetime import timedelta

import pytest

from monitor.clock import BEGINNING
from monitor.events.defaults import DEFAULTS
from monitor.types import Detection
from scripts.train_tagger.background import Background, Heard, together
from scripts.train_tagger.operating_point import (
    HIGHEST,
    LOWEST,
    LOWEST_CRITICAL,
    choose_onsets,
    lowest_onset,
    operating_point,
    second_look,
)
from scripts.train_tagger.targets import LABELS

Looks = Sequence[tuple[float, float]]
"""When, in seconds, and the score."""


def background(hours: float, **looks: Looks) -> Background:
    """Hours in which labels score at some moments."""
    heard = {label: [look(label, *one) for one in said] for label, said in looks.items()}
    return Background(heard, dict.fromkeys(LABELS, hours))


def look(label: str, at_s: float, score: float) -> Heard:
    """At a sound that lasted a second until `at_s`."""
    began = BEGINNING + timedelta(seconds=at_s - 1)
    return Heard(0, at_s, Detection(label, score, "model", "background", began, 1.0, f"at {at_s}"))


def test_a_false_event_is_what_the_tracker_would_begin() -> None:
    """Looks within the hold are one event, later ones another; below the threshold there is none."""
    hold_s = DEFAULTS["doorbell"].hold_s
    heard = background(10, doorbell=[(10, 0.8), (10.5, 0.8), (11 + hold_s / 2, 0.8), (60, 0.8)])

    assert heard.false_events("doorbell", 0.5) == 2
    assert heard.false_events("doorbell", 0.9) == 0


def test_a_sound_that_must_last_is_no_event_at_one_look() -> None:
    """A siren needs its hits, half a second apart, as in the daemon."""
    hits = DEFAULTS["siren"].hits
    once = background(10, siren=[(10, 0.9), (60, 0.9)])
    lasting = background(10, siren=[(10 + 0.5 * n, 0.9) for n in range(hits)])

    assert once.false_events("siren", 0.5) == 0
    assert lasting.false_events("siren", 0.5) == 1


def test_hours_do_not_run_into_each_other() -> None:
    """The same second of two hours is two events."""
    hour = background(1, doorbell=[(10, 0.8)])
    next_hour = Background(
        {"doorbell": [Heard(1, one.at_s, one.detection) for one in hour.heard["doorbell"]]}, hour.hours
    )

    assert together([hour, next_hour]).false_events("doorbell", 0.5) == 2
    assert together([hour, next_hour]).hours["doorbell"] == 2


def test_hours_that_are_put_together_are_numbered_anew() -> None:
    """The first hours of two parts are two hours, and the same hour of two labels stays one."""
    parts = [background(1, doorbell=[(10, 0.8)], siren=[(20, 0.8)]) for _ in range(2)]

    heard = together(parts).heard

    assert [one.hour for one in heard["doorbell"]] == [one.hour for one in heard["siren"]] == [0, 1]
    assert together(parts).false_events("doorbell", 0.5) == 2


def test_thresholds_allow_what_the_operating_point_allows() -> None:
    """One event in ten hours for an everyday label, and no more."""
    twice = choose_onsets(background(10, doorbell=[(10, 0.8), (500, 0.8)]))["doorbell"]
    once = choose_onsets(background(10, doorbell=[(10, 0.8)]))["doorbell"]

    assert twice == pytest.approx(0.81, abs=0.011)
    assert once == LOWEST


def test_critical_labels_share_half_of_one_allowance() -> None:
    """One event of all of them in twenty hours, spent where it lowers a threshold most."""
    heard = background(20, gunshot=[(10, 0.9), (500, 0.6)], scream=[(10, 0.7), (500, 0.65)])

    onsets = choose_onsets(heard)

    assert onsets["gunshot"] == pytest.approx(0.61, abs=0.011)
    assert onsets["scream"] == pytest.approx(0.71, abs=0.011)
    assert onsets["fire_alarm"] == LOWEST_CRITICAL


def test_a_label_counts_only_while_it_was_listened_for() -> None:
    """Five hours allow no event where ten would allow one."""
    heard = background(5, doorbell=[(10, 0.8)])

    assert choose_onsets(heard)["doorbell"] == pytest.approx(0.81, abs=0.011)


def test_thresholds_stay_where_scores_mean_something() -> None:
    """A label that scores 0.99 in backgrounds is capped, and the model card says so."""
    assert lowest_onset(background(10, doorbell=[(10, 0.99)]), "doorbell", 0) == HIGHEST


def test_each_half_is_judged_by_what_the_other_half_chose() -> None:
    """A quiet half chooses low thresholds, at which a noisy one has events, and never the other way."""
    quiet, noisy = background(10), background(10, doorbell=[(10, 0.8), (500, 0.8), (900, 0.8)])
    onsets = choose_onsets(together([quiet, noisy]))

    point = operating_point((quiet, noisy), onsets)

    assert point["hours"]["doorbell"] == 20
    assert point["false_events"]["doorbell"] == 0
    assert point["crossed"]["false_events"]["doorbell"] == 3
    assert [half["doorbell"] for half in point["crossed"]["onsets"]] == [LOWEST, pytest.approx(0.81)]


def test_the_band_of_doubt_surrounds_the_threshold() -> None:
    """By as much in odds on either side."""
    low, high = second_look({"rain": 0.5})["rain"]

    assert low == pytest.approx(1 - high, abs=1e-3)
    assert low < 0.5 < high
