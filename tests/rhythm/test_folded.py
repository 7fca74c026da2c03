"""T3 that no longer looks like T3: two like alarms out of step, beeps that were cut, and words between."""

import pytest

from monitor.rhythm.folded import folded
from monitor.rhythm.pulses import Pulse
from testkit.rhythm_disguised import (
    CUT_TONES_S,
    LAGS_IN_NOISE,
    LAGS_S,
    RESEMBLING,
    WORDS_S,
    cut,
    in_a_room,
    nearing_truck,
    out_of_step,
    speaking,
    t3,
    television,
)
from testkit.rhythm_trials import impostor_samples
from tests.rhythm.hearing import heard_in, labels_of


@pytest.mark.parametrize("lag_s", LAGS_S)
def test_two_like_alarms_are_suspected_whatever_the_lag(lag_s: float) -> None:
    """Whole seconds apart they are beeps in even succession, but for their loudness."""
    found = heard_in(in_a_room(out_of_step(lag_s)))
    smoke = [one for one in found if one.label == "smoke_alarm"]
    assert smoke
    assert {one.certainty for one in smoke if one.evidence["pattern"] != "temporal_three"} == {"suspected"}


@pytest.mark.parametrize(("lag_s", "snr_db"), LAGS_IN_NOISE)
def test_two_like_alarms_are_suspected_in_noise(lag_s: float, snr_db: float) -> None:
    """Neither rhythm is whole. Whole seconds apart only their loudness tells, which noise hides sooner."""
    assert "smoke_alarm" in labels_of(heard_in(in_a_room(out_of_step(lag_s), snr_db)))


@pytest.mark.parametrize("tone_s", CUT_TONES_S)
@pytest.mark.parametrize("snr_db", [40, 0])
def test_beeps_that_were_cut_short_are_suspected(tone_s: float, snr_db: float) -> None:
    """Their onsets keep the time of T3."""
    smoke = [one for one in heard_in(in_a_room(cut(t3(), tone_s), snr_db)) if one.label == "smoke_alarm"]
    assert {(one.evidence["pattern"], one.certainty) for one in smoke} == {
        ("temporal_three_cut", "suspected")
    }


@pytest.mark.parametrize("words_s", WORDS_S)
def test_an_alarm_that_speaks_after_three_beeps_is_suspected(words_s: float) -> None:
    """Its groups are too far apart for T3, and the words have the pitches of all trains that are followed."""
    found = heard_in(in_a_room(speaking(3, words_s, gain=0.3), snr_db=20))
    spoken = {one.label for one in found if one.evidence["pattern"] == "temporal_three_spoken"}
    assert spoken == {"unknown_alarm"}
    assert labels_of(found) == {"unknown_alarm"}


@pytest.mark.parametrize(("beeps", "gain"), [(3, 0.0), (4, 0.6), (2, 0.6)])
def test_beeps_without_words_or_in_other_numbers_are_no_voice_alarm(beeps: int, gain: float) -> None:
    """An oven beeps three times, too, and says nothing."""
    patterns = {one.evidence["pattern"] for one in heard_in(in_a_room(speaking(beeps, 4.0, gain)))}
    assert "temporal_three_spoken" not in patterns


def test_words_that_go_on_between_the_beeps_are_a_television() -> None:
    """And the beeps are an oven's."""
    patterns = {one.evidence["pattern"] for one in heard_in(in_a_room(television()))}
    assert "temporal_three_spoken" not in patterns


@pytest.mark.parametrize("name", RESEMBLING)
def test_what_only_resembles_them_is_no_smoke_alarm(name: str) -> None:
    """Beeps of another period or another order, and clicks whose fourth is accented."""
    assert "smoke_alarm" not in labels_of(heard_in(in_a_room(RESEMBLING[name]())))


def test_a_truck_in_the_noise_is_no_smoke_alarm() -> None:
    """Its beeps differ by the noise in them: by 2 dB at most, and not alike from period to period."""
    samples = impostor_samples("reversing_truck", 400046)
    assert "smoke_alarm" not in labels_of(heard_in(samples))


def test_a_truck_that_comes_nearer_is_no_smoke_alarm() -> None:
    """Its beeps change their loudness, but not every four of them alike."""
    assert "smoke_alarm" not in labels_of(heard_in(nearing_truck()))


def test_too_few_beeps_are_none() -> None:
    """Two whole periods are needed; nothing is made of less."""
    beeps = [Pulse(400 * cycle + 100 * beep, 400 * cycle + 100 * beep + 10, 3100, 20, -30)
             for cycle in range(3) for beep in range(3)]  # fmt: skip
    assert folded([]) is None
    assert folded(beeps[:6]) is None
    assert folded(beeps[:7]) is not None
