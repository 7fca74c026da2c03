"""The room's own noise floor."""

from collections.abc import Callable

import numpy as np
import pytest

from monitor.audio import Samples
from monitor.gate.floor import NoiseFloor
from monitor.gate.level import measure
from testkit.builders import noise, tone
from testkit.gate_sounds import horn, in_a_room, silence, siren, smoke_alarm


def listen(floor: NoiseFloor, sound: Samples) -> list[float]:
    """The floor after each frame of the sound."""
    course = []
    for start in range(0, len(sound) - 479, 480):
        samples = sound[start : start + 480]
        floor.push(measure(samples).level_dbfs, samples)
        course.append(floor.dbfs)
    return course


@pytest.fixture
def floor() -> NoiseFloor:
    """The floor of a room at -60 dBFS, known for 10 s."""
    floor = NoiseFloor(quietest_dbfs=-80)
    listen(floor, noise(10, -60, seed=11))
    return floor


def test_floor_is_the_level_of_a_quiet_room(floor: NoiseFloor) -> None:
    """A steady noise is its own floor."""
    assert floor.dbfs == pytest.approx(-60, abs=1)


@pytest.mark.parametrize("fan_dbfs", [-50, -40, -20])
def test_a_fan_is_followed_within_seconds(floor: NoiseFloor, fan_dbfs: float) -> None:
    """Whatever its loudness, a fan that is switched on is the floor within 3.3 s."""
    listen(floor, noise(3.3, fan_dbfs, seed=12))
    assert floor.dbfs == pytest.approx(fan_dbfs, abs=1.5)


def test_a_fan_switched_off_is_forgotten_at_once(floor: NoiseFloor) -> None:
    """The floor is down again 0.6 s after the fan has stopped."""
    listen(floor, noise(10, -30, seed=13))
    listen(floor, noise(0.6, -60, seed=14))
    assert floor.dbfs == pytest.approx(-60, abs=1.5)


@pytest.mark.parametrize("noise_dbfs", [-60, -45, -120])
def test_a_smoke_alarm_never_becomes_the_floor(floor: NoiseFloor, noise_dbfs: float) -> None:
    """Ten minutes of T3, 40 dB above the room, in noise or without any, move the floor less than 3 dB beyond
    the noise."""
    course = listen(floor, in_a_room(smoke_alarm(cycles=150), noise_dbfs))
    assert max(course) < max(noise_dbfs, -60) + 3


@pytest.mark.parametrize("sounder", [lambda s: tone(3100, s), siren, horn], ids=["tone", "siren", "horn"])
def test_a_sounder_without_pauses_is_not_learned_away(
    floor: NoiseFloor, sounder: Callable[[float], Samples]
) -> None:
    """Five minutes of an uninterrupted alarm leave the floor within 3 dB: the gate stays open."""
    course = listen(floor, in_a_room(np.tile(sounder(10), 30)))
    assert max(course) < -57


def test_a_whistling_microphone_is_learned_in_an_hour(floor: NoiseFloor) -> None:
    """A tone that never ends is let in slowly: half a decibel a minute."""
    before_dbfs = floor.dbfs
    listen(floor, in_a_room(tone(2000, 120, level_dbfs=-40)))
    assert floor.dbfs == pytest.approx(before_dbfs + 1.0, abs=0.5)


def test_hum_is_learned_like_a_fan(floor: NoiseFloor) -> None:
    """A refrigerator is a machine, not an alarm, though it hums at a pitch."""
    listen(floor, in_a_room(tone(150, 4, level_dbfs=-35)))
    assert floor.dbfs == pytest.approx(-35, abs=2)


def test_digital_silence_says_nothing_about_the_room(floor: NoiseFloor) -> None:
    """A dropout of zeros leaves the floor where it was, so the room's noise is no event after it."""
    before_dbfs = floor.dbfs
    listen(floor, silence(30))
    assert floor.dbfs == before_dbfs


def test_begins_low_and_finds_the_room_in_three_seconds() -> None:
    """What sounds when listening begins is a sound until 3 s have been heard; then it is the room."""
    floor = NoiseFloor(quietest_dbfs=-80)
    course = listen(floor, noise(2.4, -45, seed=15))
    assert max(course) <= -70
    assert not floor.settled
    listen(floor, noise(0.9, -45, seed=16))
    assert floor.settled
    assert floor.dbfs == pytest.approx(-45, abs=1.5)


def test_never_below_the_quietest() -> None:
    """Noise suppression does not take the floor to where dust is an event."""
    floor = NoiseFloor(quietest_dbfs=-80)
    listen(floor, noise(10, -95, seed=17))
    assert floor.dbfs == -80
