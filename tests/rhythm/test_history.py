"""What the rhythm remembers: exact however long it listens, and small."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ
from monitor.rhythm.history import HOPS, History
from monitor.rhythm.spectrum import BINS, BLOCK_HOPS, CHANNELS
from monitor.rhythm.tracker import RhythmTracker


def _appended(prominences_db: list[float], level_db: float = -60.0) -> History:
    """A history of one block for each value, the same in all channels."""
    history = History()
    level = np.full((BLOCK_HOPS, BINS), level_db, np.float32)
    for prominence_db in prominences_db:
        history.append(level, np.full((BLOCK_HOPS, CHANNELS), prominence_db, np.float32))
    return history


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 30, width=32), min_size=1, max_size=HOPS // BLOCK_HOPS))
def test_means_are_those_of_what_was_appended(prominences_db: list[float]) -> None:
    """The mean over any stretch is the mean of its rows, to a thousandth of a decibel."""
    history = _appended(prominences_db)

    mean = history.all_means(-len(prominences_db) * BLOCK_HOPS, 0, range(history.end, history.end + 1))

    assert mean == pytest.approx(np.mean(prominences_db), abs=1e-3)
    last = history.prominence_db(CHANNELS - 1, history.end - BLOCK_HOPS, history.end)
    assert last == pytest.approx(np.full(BLOCK_HOPS, prominences_db[-1]), abs=1e-3)


def test_hours_of_loud_tones_do_not_spoil_the_sums() -> None:
    """After the sums of the strongest prominence there is have wrapped around, means are what they were."""
    history = _appended([30.0] * 1600)

    firsts = np.arange(history.begin, history.end - 100)
    means = history.means(np.zeros(len(firsts), np.intp), firsts, firsts + 100)

    assert means == pytest.approx(np.full(len(means), 30.0), abs=1e-3)


def test_levels_are_kept_to_a_hundredth_of_a_decibel() -> None:
    """Levels come back as they were, and those beyond any microphone's as 120 dBFS."""
    for level_db, kept_db in ((-110.0, -110.0), (-33.333, -33.333), (0.0, 0.0), (500.0, 120.0)):
        history = _appended([0.0], level_db)

        assert history.level_db(0, BLOCK_HOPS) == pytest.approx(
            np.full((BLOCK_HOPS, BINS), kept_db), abs=0.01
        )


def test_a_source_takes_two_megabytes_at_most() -> None:
    """Twelve cameras' rhythms fit into 24 MB, however long they are followed."""
    tracker = RhythmTracker()
    noise = np.random.default_rng(1).standard_normal(5 * SAMPLE_RATE_HZ).astype(np.float32)
    tracker.push(noise)
    tracemalloc.start()
    try:
        tracker = RhythmTracker()
        tracker.push(noise)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert kept < 2e6
