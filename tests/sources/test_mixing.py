"""Channels to one."""

import numpy as np
import pytest
from structlog.testing import capture_logs

from monitor.sources.mixing import Mixer
from testkit.builders import noise, tone

RATE_HZ = 16_000


def mixed(*channels: np.ndarray, given: int | None = None) -> np.ndarray:
    mixer, planar = Mixer("kitchen", given), np.stack(channels)
    return np.concatenate(
        [mixer.push(planar[:, i : i + 480], RATE_HZ) for i in range(0, planar.shape[1], 480)]
    )


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt((samples**2).mean()))


def test_channels_are_averaged() -> None:
    """Stereo becomes the mean of its channels."""
    stereo = np.array([[0.2, 0.2], [0.4, 0.6]], np.float32)

    assert Mixer("kitchen").push(stereo, RATE_HZ).tolist() == pytest.approx([0.3, 0.4])


def test_one_channel_is_taken_where_it_is_asked_for() -> None:
    """A given channel is heard alone, also where the channels cancel."""
    left = tone(1000, 0.5)

    assert np.array_equal(mixed(left, -left, given=1), -left)


def test_an_inverted_channel_does_not_cancel_the_other() -> None:
    """The beep is heard from its first sample on, the louder channel alone, and it is said once."""
    beep = np.concatenate([noise(1, -60), tone(3100, 0.5), noise(1, -60)])
    with capture_logs() as logs:
        heard = mixed(0.7 * beep, -beep)

    assert rms(heard[16_000:24_000]) == pytest.approx(rms(beep[16_000:24_000]), rel=0.02)
    assert [line["listening_to_channel"] for line in logs] == [2]


def test_independent_noise_beside_inverted_sound_is_no_excuse() -> None:
    """Each channel has a little noise of its own; the alarm cancels all the same, and is heard."""
    alarm = np.concatenate([np.zeros(8000, np.float32), tone(3100, 0.5)])
    left, right = alarm + noise(1, -55, seed=1), -alarm + noise(1, -55, seed=2)

    assert rms(mixed(left, right)[8000:]) == pytest.approx(rms(alarm[8000:]), rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_channels_that_have_nothing_in_common_are_averaged(seed: int) -> None:
    """Two microphones far apart do not cancel, however different they are."""
    left, right = noise(2, -40, seed=seed), noise(2, -30, seed=seed + 100)

    assert np.allclose(mixed(left, right), (left + right) / 2)


def test_silence_cancels_nothing() -> None:
    """Dither that happens to be inverted is not said."""
    with capture_logs() as logs:
        mixed(np.full(9600, 1 / 32768, np.float32), np.full(9600, -1 / 32768, np.float32))

    assert logs == []
