"""What the rhythm remembers: exact however long it listens, and small."""

import ctypes
import tracemalloc
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ
from monitor.rhythm.history import HOPS, LevelHistory
from monitor.rhythm.spectrum import BINS, BLOCK_HOPS, CHANNELS, LEVEL_STEP_DB, PROMINENCE_STEP_DB
from monitor.rhythm.tracker import RhythmTracker


def _appended(prominences_db: list[float], level_db: float = -60.0) -> LevelHistory:
    """A history of one block for each value, the same in all channels."""
    history = LevelHistory()
    for prominence_db in prominences_db:
        history.append(partial(_put_rows, level_db, prominence_db))
    return history


def _put_rows(level_db: float, prominence_db: float, levels: int, sums: int, before: int) -> float:
    """Writes as the kernel does: to addresses."""
    kept = (ctypes.c_int16 * (BLOCK_HOPS * BINS)).from_address(levels)
    kept[:] = [round(level_db / LEVEL_STEP_DB)] * len(kept)
    rows = (ctypes.c_int32 * (BLOCK_HOPS * CHANNELS)).from_address(sums)
    last = np.ctypeslib.as_array((ctypes.c_int32 * CHANNELS).from_address(before)).copy()
    steps = np.arange(1, BLOCK_HOPS + 1)[:, None] * round(prominence_db / PROMINENCE_STEP_DB)
    np.ctypeslib.as_array(rows).reshape(-1, CHANNELS)[:] = last + steps
    return prominence_db


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(0, 30, width=32), min_size=1, max_size=HOPS // BLOCK_HOPS))
def test_means_are_those_of_what_was_appended(prominences_db: list[float]) -> None:
    """The mean over any stretch is the mean of its rows, to a thousandth of a decibel."""
    history = _appended(prominences_db)

    first = np.array([history.end - len(prominences_db) * BLOCK_HOPS])
    means = history.means(np.arange(CHANNELS), first, np.array([history.end]))

    assert means == pytest.approx(np.full(CHANNELS, np.mean(prominences_db)), abs=1e-3)
    last = history.prominence_db(CHANNELS - 1, history.end - BLOCK_HOPS, history.end)
    assert last == pytest.approx(np.full(BLOCK_HOPS, prominences_db[-1]), abs=1e-3)


def test_hours_of_loud_tones_do_not_spoil_the_sums() -> None:
    """After the sums of the strongest prominence there is have wrapped around, means are what they were."""
    history = _appended([30.0] * 1600)

    firsts = np.arange(history.begin, history.end - 100)
    means = history.means(np.zeros(len(firsts), np.intp), firsts, firsts + 100)

    assert means == pytest.approx(np.full(len(means), 30.0), abs=1e-3)


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
