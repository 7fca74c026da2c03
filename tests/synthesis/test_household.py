import numpy as np
import pytest

from monitor.labels import sounds
from testkit.household import MAKERS


@pytest.mark.parametrize("label", MAKERS)
@pytest.mark.parametrize("sample_rate_hz", [8_000, 16_000, 32_000])
def test_every_sound_is_finite_full_scale_and_of_sensible_length(label: str, sample_rate_hz: int) -> None:
    """At telephone, our own and the teacher's rate, for many draws."""
    for seed in range(8):
        samples = MAKERS[label](np.random.default_rng(seed), sample_rate_hz)

        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() == pytest.approx(1.0, abs=1e-3)
        assert 0.02 < len(samples) / sample_rate_hz < 40


@pytest.mark.parametrize("label", MAKERS)
def test_a_sound_is_given_by_its_seed(label: str) -> None:
    """The same again from the same seed, another from another."""
    first, again, other = (MAKERS[label](np.random.default_rng(seed), 16_000) for seed in (1, 1, 2))

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_made_sound_has_a_label() -> None:
    """The makers speak the vocabulary."""
    assert set(MAKERS) <= set(sounds())


@pytest.mark.parametrize("label", MAKERS)
def test_nothing_is_made_above_half_the_rate(label: str) -> None:
    """Aliases would be a cue that no microphone gives: little energy lies in the top 5 % of the band."""
    samples = MAKERS[label](np.random.default_rng(3), 16_000)
    power = np.abs(np.fft.rfft(samples)) ** 2

    assert power[-len(power) // 20 :].sum() < 0.1 * power.sum()
