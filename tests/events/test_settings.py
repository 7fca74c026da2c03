"""Thresholds as written and as they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.events.defaults import DEFAULTS
from monitor.events.settings import HIT_GAP_S, LABELS, LabelSettings, Thresholds, shifted
from monitor.labels import LIFE_SAFETY, sounds


def test_every_sound_has_defaults_in_the_order_of_the_file() -> None:
    """The table names every sound of labels.csv and nothing else."""
    assert tuple(DEFAULTS) == sounds()


@pytest.mark.parametrize("label", sounds())
def test_the_defaults_can_be_met(label: str) -> None:
    """Off is not above onset, the hits fit into their time, and a reason is given."""
    row = DEFAULTS[label]

    assert 0 < row.off <= row.onset < 1
    assert (row.hits - 1) * HIT_GAP_S <= row.within_s
    assert row.hold_s > 0
    assert row.reason


def test_sirens_must_be_sustained_and_shatter_need_not() -> None:
    """A siren must be heard for about two seconds; glass breaks once."""
    assert (DEFAULTS["siren"].hits - 1) * 0.5 >= 1.5
    assert {DEFAULTS[label].hits for label in ("glass_break", "gunshot", "scream", "smoke_alarm")} == {1}


def test_the_model_s_the_general_and_the_source_s_own_settings_add_up() -> None:
    """A source's own word beats the general one, which beats the model's, which beats the table's."""
    thresholds = Thresholds(
        model=LABELS.validate_python({"cat": {"onset": 0.2, "off": 0.1}, "knock": {"onset": 0.3}}),
        general=LABELS.validate_python({"cat": {"onset": 0.4, "hold_s": 7}}),
        sources={"porch": LABELS.validate_python({"cat": {"hold_s": 9, "hits": 3}})},
    )

    porch, kitchen = thresholds.of("porch")["cat"], thresholds.of("kitchen")["cat"]

    assert (porch.onset, porch.hold_s, porch.hits) == (0.4, 9, 3)
    assert (kitchen.onset, kitchen.hold_s, kitchen.hits) == (0.4, 7, DEFAULTS["cat"].hits)
    assert thresholds.of("kitchen")["knock"].onset == 0.3
    assert thresholds.of("kitchen")["rain"] == DEFAULTS["rain"]


def test_off_moves_with_the_onset() -> None:
    """Replacing the onset alone keeps the hysteresis as wide, in logits, as it was."""
    row = Thresholds(model={"cat": LabelSettings(onset=0.2)}).of("kitchen")["cat"]

    assert row.off == pytest.approx(0.0968, abs=1e-4)


def test_an_off_above_a_later_onset_counts_as_the_onset() -> None:
    """An `off` meant for another onset never closes an event that has just begun."""
    row = Thresholds(model={"cat": LabelSettings(onset=0.2)}, general={"cat": LabelSettings(off=0.3)})

    assert row.of("kitchen")["cat"].off == 0.2


def test_more_hits_get_more_time() -> None:
    """Asking for more hits without a time of their own leaves them room."""
    row = Thresholds(general={"knock": LabelSettings(hits=8)}).of("kitchen")["knock"]

    assert (row.hits, row.within_s) == (8, 8.0)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"dog_brak": {}}, "unknown label 'dog_brak'; did you mean 'dog_bark'?"),
        ({"angry": {}}, "an emotion goes under `emotion:`"),
        ({"cat": {"onset": 0.3, "off": 0.4}}, "off 0.4 is above onset 0.3"),
        ({"cat": {"onset": 1.5}}, "less than or equal to 1"),
        ({"cat": {"hits": 0}}, "greater than or equal to 1"),
        ({"cat": {"hits": 5, "within_s": 1}}, "5 hits do not fit into within_s 1.0"),
        ({"cat": {"holds": 4}}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_hold_is_refused(written: dict[str, dict[str, float]], said: str) -> None:
    """Wrong settings are refused with the fix in the message."""
    with pytest.raises(ValidationError, match=said.replace("?", r"\?")):
        LABELS.validate_python(written)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1))
def test_sensitivity_keeps_scores_scores(onset: float, off: float, sensitivity: float) -> None:
    """Shifted thresholds stay within 0-1 and in order, and more sensitivity never raises an onset."""
    low, high = sorted((onset, off))
    row = Thresholds(general={"cat": LabelSettings(onset=high, off=low)}).of("kitchen")["cat"]

    moved = shifted(row, sensitivity)

    assert 0 <= moved.off <= moved.onset <= 1
    assert (moved.onset - row.onset) * sensitivity <= 1e-6


@pytest.mark.parametrize("label", sorted(LIFE_SAFETY))
def test_an_alarm_cannot_be_switched_off(label: str):
    """Any other sound can."""
    with pytest.raises(ValidationError, match="always heard"):
        LABELS.validate_python({label: {"heard": False}})
    rows = Thresholds(general=LABELS.validate_python({"insect": {"heard": False}})).of("hall")
    assert [rows[one].heard for one in ("insect", label)] == [False, True]
