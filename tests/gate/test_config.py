"""What people may set about the gate."""

import pytest
from pydantic import ValidationError

from monitor.gate.config import GateConfig


def test_the_example_of_the_documentation_is_the_default() -> None:
    """The values that the documentation shows are those in force when nothing is set."""
    shown = {
        "open_above_floor_db": 9,
        "pre_roll_s": 0.5,
        "hangover_s": 0.8,
        "early_look_s": 0.5,
        "max_length_s": 10,
    }
    assert GateConfig.model_validate(shown) == GateConfig()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"close_above_floor_db": 10}, "close_above_floor_db must not exceed open_above_floor_db"),
        ({"loud_noise_above_floor_db": 8}, "loud_noise_above_floor_db must be at least"),
        ({"overlap_s": 6}, "must not exceed half of max_length_s"),
        ({"hangover_s": 0}, "greater than 0"),
        ({"max_length_s": 60}, "less than or equal to 30"),
        ({"open_above_floor": 9}, "Extra inputs"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(wrong: dict[str, float], message: str) -> None:
    """Each error names the keys concerned."""
    with pytest.raises(ValidationError, match=message):
        GateConfig.model_validate(wrong)


def test_the_former_name_of_the_hangover_still_works():
    """`hang_over_s` is what configurations of 0.1 say."""
    assert GateConfig.model_validate({"hang_over_s": 2}) == GateConfig(hangover_s=2)


def test_both_names_of_the_hangover_are_an_error():
    """Which of two numbers holds is not for the daemon to guess."""
    with pytest.raises(ValidationError, match="write only hangover_s"):
        GateConfig.model_validate({"hang_over_s": 2, "hangover_s": 1})
