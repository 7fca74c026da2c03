"""Is the microphone well?"""

from collections.abc import Callable

import numpy as np
import pytest

from monitor.audio import FRAME_S, Samples
from monitor.gate.bucket import LeakyBucket
from monitor.types import ProblemKind
from testkit.builders import noise, tone
from testkit.gate_sounds import Microphone, silence, smoke_alarm


def clipped(duration_s: float) -> Samples:
    """A tone driven 10 dB into full scale."""
    return np.clip(tone(440, duration_s, level_dbfs=7), -1, 1)


def stuck(duration_s: float, period_samples: int) -> Samples:
    """A buffer of noise, delivered again and again."""
    return np.resize(noise(2, -50)[:period_samples], round(duration_s * 16_000))


@pytest.mark.parametrize(
    ("kind", "fault", "raised_s", "cleared_s"),
    [
        ("digital_silence", lambda s: silence(s), 10, 3),
        ("frozen", lambda s: silence(s) + np.float32(0.01), 3, 3),
        ("frozen", lambda s: stuck(s, 480), 4, 3),
        ("frozen", lambda s: stuck(s, 1111), 4, 3),
        ("frozen", lambda s: stuck(s, 7000), 4, 3),
        ("frozen", lambda s: stuck(s, 9_600), 5, 3),
        ("frozen", lambda s: stuck(s, 23_456), 6.5, 3),
        ("frozen", lambda s: stuck(s, 32_000), 7.5, 3),
        ("clipping", clipped, 10, 60),
        ("dc_offset", lambda s: noise(s, -50) + np.float32(0.1), 5, 5),
    ],
)
def test_a_fault_is_said_when_it_lasts_and_taken_back_when_it_is_gone(
    kind: ProblemKind, fault: Callable[[float], Samples], raised_s: float, cleared_s: float
) -> None:
    """A lasting fault is said once, and taken back once, each after its time."""
    microphone = Microphone()
    assert microphone.course(noise(5)) == []
    [(at_s, kinds)] = microphone.course(fault(60))
    assert kinds == (kind,)
    assert at_s == pytest.approx(raised_s, abs=1.1)
    [(at_s, kinds)] = microphone.course(noise(70))
    assert kinds == ()
    assert at_s == pytest.approx(cleared_s, abs=1.1)


@pytest.mark.parametrize(
    "sound",
    [
        lambda: noise(60, -85),
        lambda: np.tile(np.concatenate((noise(2, -50), silence(2))), 15),
        lambda: np.tile(np.concatenate((clipped(0.5), noise(9.5, -50))), 6),
        lambda: smoke_alarm(15) + noise(60, -85),
        lambda: tone(1000, 60),
        lambda: tone(3100, 60),
        lambda: noise(60) + np.float32(0.02),
    ],
    ids=["very quiet", "noise suppressed", "slams", "alarm", "tone", "periodic tone", "small offset"],
)
def test_a_well_microphone_is_left_alone(sound: Callable[[], Samples]) -> None:
    """What ordinary microphones and rooms do in a minute is no fault."""
    assert Microphone().course(sound()) == []


def test_a_fault_that_comes_and_goes_does_not_flap() -> None:
    """A source that is silent nine tenths of the time stays silent in what is said of it."""
    microphone = Microphone()
    microphone.course(silence(11))
    assert microphone.course(np.tile(np.concatenate((noise(0.3), silence(2.7))), 20)) == []


def test_a_camera_that_gates_noise_is_not_well_again_twice_a_minute() -> None:
    """25 s of zeros and 5 s of sound, again and again: what is said of it settles within minutes."""
    microphone = Microphone()
    rounds = [microphone.course(np.concatenate((silence(25), noise(5, -50)))) for _ in range(12)]

    assert sum(map(len, rounds)) <= 3
    assert rounds[-1] == []
    assert microphone.kinds == ("digital_silence",)


def seconds(fault: LeakyBucket, faulty: bool, frame: int) -> tuple[float, int]:
    """How long a fault takes to be said, or taken back, from a frame on; and the frame then."""
    first = frame
    while fault.raised != faulty:
        fault.push(faulty, frame)
        frame += 1
    return (frame - first) * FRAME_S, frame


def test_each_return_within_an_hour_doubles_what_it_takes_to_be_taken_back() -> None:
    """Up to half an hour; it is said as early as ever, and after an hour of health all is forgotten."""
    fault, frame, taken_back = LeakyBucket(10, 3), 0, []
    for _ in range(12):
        said_s, frame = seconds(fault, True, frame)
        assert said_s == pytest.approx(10, abs=0.1)
        cleared_s, frame = seconds(fault, False, frame)
        taken_back.append(cleared_s)
    doubled = [3, 6, 12, 24, 48, 96, 192, 384, 768, 1536, 1800, 1800]
    assert taken_back == pytest.approx(doubled, rel=0.01, abs=0.1)

    _, frame = seconds(fault, True, frame + round(3600 / FRAME_S))
    assert seconds(fault, False, frame)[0] == pytest.approx(3, abs=0.1)


def test_several_faults_are_named_together() -> None:
    """A stuck value far from zero is frozen and an offset."""
    microphone = Microphone()
    microphone.course(silence(10) + np.float32(0.5))
    assert microphone.kinds == ("frozen", "dc_offset")
