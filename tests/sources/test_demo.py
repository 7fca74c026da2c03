"""The built-in scene as a source."""

import numpy as np
import pytest
from pydantic import ValidationError

from monitor.audio import Audio
from monitor.clock import Clock, SystemClock
from monitor.sources.demo import SPOKEN, DemoConfig, DemoSource, spoken
from testkit.fakes import FakeClock
from testkit.recordings import pitch_hz


def playing(clock: Clock | None = None, **options: object) -> DemoSource:
    return DemoConfig.model_validate({"type": "demo", "name": "demo", "realtime": False, **options}).build(
        clock or FakeClock()
    )


def test_the_scene_is_75_seconds_of_frames() -> None:
    """Once through, the scene is 2500 frames without a gap, and none is dated ahead of the clock."""
    clock = FakeClock()
    with playing(clock, loop=False) as source:
        frames = list(source.frames())

    assert frames[-1].ends_at == clock.now()

    assert len(frames) == 2500
    assert sum(frame.follows_gap for frame in frames) == 1
    assert (frames[-1].ends_at - frames[0].captured_at).total_seconds() == 75


def test_it_plays_again_without_a_seam() -> None:
    """The second round is the first again, on a timeline that goes on."""
    with playing() as source:
        frames = [frame for frame, _ in zip(source.frames(), range(5000), strict=False)]

    assert sum(frame.follows_gap for frame in frames) == 1
    assert np.array_equal(frames[7].audio.samples, frames[2507].audio.samples)


def test_somebody_speaks() -> None:
    """espeak-ng's speech is in the scene where it is asked for, and only there."""
    levels = {}
    for speech in (True, False):
        with playing(loop=False, speech=speech) as source:
            frames = list(source.frames())
        levels[speech] = Audio.join(frame.audio for frame in frames).slice(23.5, 26.5).rms_dbfs

    assert levels[True] > levels[False] + 15


def test_speech_is_a_few_seconds_at_its_own_rate() -> None:
    """The spoken text is read aloud whole."""
    speech = spoken(SPOKEN)

    assert speech is not None
    assert 3 < speech.duration_s < 8
    assert speech.sample_rate_hz == 22_050


@pytest.mark.parametrize("program", ["no-such-program", "false", "true"])
def test_without_espeak_nobody_speaks(program: str) -> None:
    """Where espeak-ng is not installed, fails or says nothing, there is no speech and no error."""
    assert spoken(SPOKEN, program) is None


def test_the_smoke_alarm_sounds_at_its_pitch() -> None:
    """In the fifty-second second the strongest tone is the alarm's 3200 Hz."""
    with playing(loop=False) as source:
        scene = Audio.join(frame.audio for frame in source.frames())

    assert pitch_hz(scene.slice(51.1, 51.4).samples) == pytest.approx(3200, abs=10)


def test_closing_ends_it_in_real_time() -> None:
    """`close` ends a scene that is played in real time at once."""
    config = DemoConfig(type="demo", name="demo")
    clock = SystemClock()
    with config.build(clock) as source:
        pieces = source.pieces()
        next(pieces)
        source.close()
        assert list(pieces) == []


def test_closing_while_it_is_opened_ends_it_soon() -> None:
    """Somebody presses Ctrl-C in the first second: the scene is not made to its end, and nothing is heard."""
    source = playing(speech=False)
    source.close()
    with source:
        assert list(source.pieces()) == []


def test_a_seed_below_zero_is_refused() -> None:
    """No scene can be drawn from it."""
    with pytest.raises(ValidationError, match="seed"):
        DemoConfig.model_validate({"type": "demo", "name": "demo", "seed": -1})
