import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ
from scripts.train_tagger.background import FADE_S, crossfaded, halves
from scripts.train_tagger.recordings import Recording


def test_pieces_fade_into_each_other() -> None:
    """No step between a quiet piece and a loud one; each keeps its level in its middle."""
    seconds = 4
    quiet, loud = (np.full(seconds * SAMPLE_RATE_HZ, level, np.int16) for level in (300, 30_000))

    wave = crossfaded([quiet, loud])

    assert len(wave) == (2 * seconds - FADE_S) * SAMPLE_RATE_HZ
    assert wave[2 * SAMPLE_RATE_HZ] == pytest.approx(300 / 32768)
    assert wave[5 * SAMPLE_RATE_HZ] == pytest.approx(30_000 / 32768)
    assert np.abs(np.diff(wave)).max() < 0.001


def test_halves_have_all_recordings_and_share_no_group() -> None:
    """Each source's groups by turns."""
    recordings = [
        Recording(f"{n}-{take}", f"s{n % 2}", (), None, "CC0", f"g{n}", "valid", 16_000)
        for n in range(10)
        for take in range(2)
    ]

    first, second = halves(recordings)

    assert {r.group for r in first}.isdisjoint(r.group for r in second)
    assert len(first) + len(second) == len(recordings)
    assert {r.source for r in first} == {r.source for r in second}
