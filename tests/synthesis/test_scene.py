"""The demonstration scene."""

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.labels import sounds
from monitor.synthesis.scene import SCENE_S, NotWanted, demo_scene
from testkit.builders import tone


def test_the_same_seed_is_the_same_scene() -> None:
    """A scene is determined by its seed."""
    assert np.array_equal(demo_scene(3).audio.samples, demo_scene(3).audio.samples)
    assert not np.array_equal(demo_scene(3).audio.samples, demo_scene(4).audio.samples)


def test_every_sound_stands_out_and_has_room_around_it() -> None:
    """Each sound is 15 dB above the bed where it begins, after two seconds without one."""
    scene = demo_scene(speech=Audio(tone(300, 4), SAMPLE_RATE_HZ))
    for moment in scene.moments:
        before = scene.audio.slice(moment.start_s - 2, moment.start_s)
        during = scene.audio.slice(moment.start_s, moment.start_s + 0.5)
        assert during.rms_dbfs > before.rms_dbfs + 15, moment.label


def test_what_is_heard_has_names_of_the_vocabulary() -> None:
    """Moments are named by label ids, and all of them lie within the scene."""
    for moment in demo_scene(speech=Audio(tone(300, 4), SAMPLE_RATE_HZ)).moments:
        assert moment.label in sounds()
        assert moment.start_s + len(moment.samples) / SAMPLE_RATE_HZ < SCENE_S


def test_no_sample_is_beyond_full_scale() -> None:
    """Whatever the seed, the mix does not clip a 16-bit output."""
    assert all(demo_scene(seed).audio.peak_dbfs < 0 for seed in range(5))


@pytest.mark.parametrize("parts", range(7))
def test_it_is_made_no_further_than_it_is_wanted(parts: int) -> None:
    """Whoever no longer waits for it is asked before each part of it."""
    asked = iter(range(100))
    with pytest.raises(NotWanted):
        demo_scene(wanted=lambda: next(asked) < parts)
    assert next(asked) == parts + 1
