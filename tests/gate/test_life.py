"""Does the source deliver a living sound, held against its own last days?"""

from datetime import timedelta

import numpy as np
import pytest

from monitor.audio import Samples
from monitor.gate.habit import KEPT_DAYS, KNOWN_MINUTES, Habit
from monitor.gate.life import without_hum
from monitor.types import ProblemKind
from testkit.builders import START, noise, tone
from testkit.gate_sounds import Microphone


def known(quietest_dbfs: float = -65) -> Habit:
    """The habit of a source that was heard for a day."""
    habit = Habit()
    for second in range(60 * KNOWN_MINUTES):
        habit.add_life(START + timedelta(seconds=second), quietest_dbfs)
    return habit


def flicker(duration_s: float, share: float = 0.5) -> Samples:
    """A dead converter: one step to either side, now and then."""
    rng = np.random.default_rng(5)
    steps = rng.choice([-1, 0, 1], round(duration_s * 16_000), p=[share / 2, 1 - share, share / 2])
    return (steps / 32768).astype(np.float32)


def hum(duration_s: float, mains_hz: float = 50, level_dbfs: float = -40) -> Samples:
    """A cable whose screen is broken: the mains and its harmonics, in 16 bits."""
    lines = [tone(k * mains_hz, duration_s, level_dbfs - 4 * k) for k in (1, 2, 3, 5, 7, 10)]
    rounded: Samples = np.round(np.sum(lines, axis=0) * 32768).astype(np.float32) / np.float32(32768)
    return rounded


def said(
    sound: Samples, habit: Habit | None = None, microphone: Microphone | None = None
) -> dict[ProblemKind, float]:
    """What is said of a sound, and after how many seconds."""
    microphone = microphone or Microphone(habit)
    first: dict[ProblemKind, float] = {}
    for at_s, kinds in microphone.course(sound):
        for kind in kinds:
            first.setdefault(kind, round(at_s))
    return first


@pytest.mark.parametrize(
    ("kind", "sound"),
    [
        ("dead", lambda s: flicker(s)),
        ("dead", lambda s: flicker(s, 0.01)),
        ("dead", lambda s: noise(s, -98)),
        ("hum_only", lambda s: hum(s)),
        ("hum_only", lambda s: hum(s, 60.2, -25)),
        ("hum_only", lambda s: tone(50, s, -30)),
    ],
    ids=["flicker", "rare flicker", "faint", "hum", "loud hum, mains off", "one line"],
)
def test_a_source_without_life_is_said(kind: ProblemKind, sound) -> None:
    """After two minutes where the source is known."""
    assert said(sound(130), known()) == {kind: pytest.approx(121, abs=2)}


def test_of_a_source_that_is_not_known_it_takes_ten_minutes() -> None:
    """It may have been switched on at night."""
    assert said(np.tile(flicker(31), 20)) == {"dead": pytest.approx(601, abs=2)}


@pytest.mark.parametrize(
    "sound",
    [
        lambda: noise(150, -85),
        lambda: hum(150) + noise(150, -72),
        lambda: np.tile(np.concatenate((flicker(25), noise(5, -50))), 5),
        lambda: hum(150) + np.tile(np.concatenate((flicker(20), noise(0.1, -40), flicker(9.9))), 5),
    ],
    ids=["quiet room", "humming room", "camera that gates", "refrigerator"],
)
def test_a_living_source_is_left_alone(sound) -> None:
    """Rooms that are quiet, hum, or come through a camera that gates noise."""
    assert said(sound(), known()) == {}


def test_an_even_sound_far_below_the_quietest_minute_is_dead() -> None:
    """The capsule is gone, its amplifier is not; a room as quiet as that still changes."""
    assert said(noise(240, -80), known(-65)) == {"dead": pytest.approx(180, abs=4)}
    assert said(noise(240, -80), known(-72)) == {}
    changing = np.concatenate([noise(10, -80 - 6 * (i % 2)) for i in range(24)])
    assert said(changing, known(-65)) == {}


def test_a_source_that_is_silent_every_night_is_dead_only_when_it_lasts() -> None:
    """Three spells of two minutes that ended by themselves: eight minutes are looked for now."""
    habit = known()
    for day in range(3):
        habit.add_spell(START + timedelta(days=day), 120)
    assert said(flicker(470), habit) == {}
    assert said(flicker(500), habit) == {"dead": pytest.approx(481, abs=2)}


def test_it_is_taken_back_when_life_returns() -> None:
    """Within seconds, and counts as a spell."""
    habit = known()
    microphone = Microphone(habit)
    assert said(flicker(130), microphone=microphone)
    said(noise(6, -60), microphone=microphone)
    assert microphone.kinds == ()
    [day] = habit.days.values()
    assert day.spells == 1
    assert day.longest_s == pytest.approx(130, abs=1.5)


def test_a_habit_is_that_of_the_last_days_it_was_heard() -> None:
    """An older quietest minute is forgotten, whatever the clock says meanwhile."""
    habit = known(-90)
    for day in [*range(1, KEPT_DAYS), -9000, 9000]:
        for second in range(60 * 40):
            habit.add_life(START + timedelta(days=day, seconds=second), -60)
    assert len(habit.days) == KEPT_DAYS
    assert habit.quietest_dbfs == pytest.approx(-60)


def test_the_mains_are_separated_from_the_rest() -> None:
    """Noise beside hum keeps its level; without hum nothing much is taken away."""
    rest_dbfs, hum_dbfs = without_hum(hum(0.99, 49.8) + noise(0.99, -70))
    assert rest_dbfs == pytest.approx(-70, abs=1)
    assert hum_dbfs == pytest.approx(-43, abs=2)
    rest_dbfs, _ = without_hum(noise(0.99, -50))
    assert rest_dbfs == pytest.approx(-50, abs=1)
