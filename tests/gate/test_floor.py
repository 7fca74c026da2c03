"""The room's own noise floor."""

from collections.abc import Callable

import numpy as np
import pytest

from monitor.audio import Samples
from monitor.gate.config import GateConfig
from monitor.gate.listening import FrameMarker
from testkit.builders import noise, tone
from testkit.gate_sounds import horn, in_a_room, silence, siren, smoke_alarm


def listen(room: FrameMarker, sound: Samples) -> list[float]:
    """The floor after each frame of the sound."""
    frames, course = len(sound) // 480, list[float]()
    while len(course) < frames:
        count = min(room.frames_wanted, frames - len(course))
        course += room.hear(sound, len(course), count).floors_dbfs
    return course


@pytest.fixture
def room() -> FrameMarker:
    """A room at -60 dBFS, known for 10 s."""
    room = FrameMarker(GateConfig(quietest_floor_dbfs=-80))
    listen(room, noise(10, -60, seed=11))
    return room


def test_floor_is_the_level_of_a_quiet_room(room: FrameMarker) -> None:
    """A steady noise is its own floor."""
    assert room.floor.dbfs == pytest.approx(-60, abs=1)


@pytest.mark.parametrize("fan_dbfs", [-50, -40, -20])
def test_a_fan_is_followed_within_seconds(room: FrameMarker, fan_dbfs: float) -> None:
    """Whatever its loudness, a fan that is switched on is the floor within 3.3 s."""
    listen(room, noise(3.3, fan_dbfs, seed=12))
    assert room.floor.dbfs == pytest.approx(fan_dbfs, abs=1.5)


def test_a_fan_switched_off_is_forgotten_at_once(room: FrameMarker) -> None:
    """The floor is down again 0.6 s after the fan has stopped."""
    listen(room, noise(10, -30, seed=13))
    listen(room, noise(0.6, -60, seed=14))
    assert room.floor.dbfs == pytest.approx(-60, abs=1.5)


@pytest.mark.parametrize("noise_dbfs", [-60, -45, -120])
def test_a_smoke_alarm_never_becomes_the_floor(room: FrameMarker, noise_dbfs: float) -> None:
    """Ten minutes of T3, 40 dB above the room, in noise or without any, move the floor less than 3 dB beyond
    the noise."""
    course = listen(room, in_a_room(smoke_alarm(cycles=150), noise_dbfs))
    assert max(course) < max(noise_dbfs, -60) + 3


@pytest.mark.parametrize("sounder", [lambda s: tone(3100, s), siren, horn], ids=["tone", "siren", "horn"])
def test_a_sounder_without_pauses_is_not_learned_away(
    room: FrameMarker, sounder: Callable[[float], Samples]
) -> None:
    """Five minutes of an uninterrupted alarm leave the floor within 3 dB: the gate stays open."""
    course = listen(room, in_a_room(np.tile(sounder(10), 30)))
    assert max(course) < -57


def test_a_whistling_microphone_is_learned_in_an_hour(room: FrameMarker) -> None:
    """A tone that never ends is let in slowly: half a decibel a minute."""
    before_dbfs = room.floor.dbfs
    listen(room, in_a_room(tone(2000, 120, level_dbfs=-40)))
    assert room.floor.dbfs == pytest.approx(before_dbfs + 1.0, abs=0.5)


def test_hum_is_learned_like_a_fan(room: FrameMarker) -> None:
    """A refrigerator is a machine, not an alarm, though it hums at a pitch."""
    listen(room, in_a_room(tone(150, 4, level_dbfs=-35)))
    assert room.floor.dbfs == pytest.approx(-35, abs=2)


def test_digital_silence_says_nothing_about_the_room(room: FrameMarker) -> None:
    """A dropout of zeros leaves the floor where it was, so the room's noise is no event after it."""
    before_dbfs = room.floor.dbfs
    listen(room, silence(30))
    assert room.floor.dbfs == before_dbfs


def test_begins_low_and_finds_the_room_in_three_seconds() -> None:
    """What sounds when listening begins is a sound until 3 s have been heard; then it is the room."""
    room = FrameMarker(GateConfig(quietest_floor_dbfs=-80))
    course = listen(room, noise(2.4, -45, seed=15))
    assert max(course) <= -70
    assert not room.floor.settled
    listen(room, noise(0.9, -45, seed=16))
    assert room.floor.settled
    assert room.floor.dbfs == pytest.approx(-45, abs=1.5)


def test_never_below_the_quietest() -> None:
    """Noise suppression does not take the floor to where dust is an event."""
    room = FrameMarker(GateConfig(quietest_floor_dbfs=-80))
    listen(room, noise(10, -95, seed=17))
    assert room.floor.dbfs == -80
