"""Voice separated from other loud sounds."""

from collections.abc import Callable

import pytest

from monitor.audio import Audio, Samples
from monitor.gate.voice import VoiceDetector, has_voice_pitch
from testkit.builders import frames, noise, tone
from testkit.gate_sounds import siren, voice


def voiced_share(sound: Samples) -> float:
    """The share of frames in which voice is heard."""
    detector = VoiceDetector()
    words = [detector.hears_voice(frame.audio) for frame in frames(sound)]
    return sum(words) / len(words)


@pytest.mark.parametrize("pitch_hz", [90, 120, 210])
def test_voices_are_heard(pitch_hz: float) -> None:
    """Most frames of speaking, by deep and high voices, are voice."""
    assert voiced_share(voice(3, pitch_hz) + noise(3, -60)) > 0.6


@pytest.mark.parametrize(
    "sound",
    [lambda: noise(3, -20), lambda: tone(3100, 3), lambda: tone(520, 3), lambda: siren(3)],
    ids=["noise", "smoke alarm", "low smoke alarm", "siren"],
)
def test_loud_is_not_voice(sound: Callable[[], Samples]) -> None:
    """Noise and sounders, which WebRTC's detector alone takes for voice, are not."""
    assert voiced_share(sound() + noise(3, -60)) < 0.1


def test_it_does_not_matter_how_many_frames_come_together() -> None:
    """The detector remembers what came before."""
    sound = voice(3, 120) + noise(3, -60)
    detector = VoiceDetector()
    together = [detector.hear(Audio(sound[at : at + 3360], 16_000)) for at in range(0, 47_040, 3360)]
    detector = VoiceDetector()

    assert [*b"".join(together)] == [detector.hears_voice(frame.audio) for frame in frames(sound)[:98]]


def is_pitch(samples: Samples) -> bool:
    """Whether 60 ms of sound repeat as the vocal folds do."""
    return has_voice_pitch(samples.ctypes.data)


def test_pitch_is_that_of_a_voice() -> None:
    """Periods of 70 to 400 Hz count; the multiples of a whistle's period do not."""
    assert is_pitch(tone(100, 0.06))
    assert is_pitch(tone(300, 0.06))
    assert not is_pitch(tone(600, 0.06))
    assert not is_pitch(tone(3000, 0.06))
    assert not is_pitch(noise(0.06, seed=5))
    assert not is_pitch(noise(0.06) * 0)
