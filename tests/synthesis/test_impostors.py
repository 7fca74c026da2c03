"""The impostors: sound, of some length, and different each time."""

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ
from testkit.impostors import IMPOSTORS


@pytest.mark.parametrize("name", sorted(IMPOSTORS))
def test_impostors_are_sound(name: str) -> None:
    """Each is float32 within full scale, lasts seconds, and depends on its seed alone."""
    one, same, other = (IMPOSTORS[name](np.random.default_rng(seed), SAMPLE_RATE_HZ) for seed in (1, 1, 2))

    assert one.dtype == np.float32
    assert 0.05 < np.abs(one).max() <= 1
    assert 1.5 < len(one) / SAMPLE_RATE_HZ < 300
    np.testing.assert_array_equal(one, same)
    assert len(one) != len(other) or not np.array_equal(one, other)
