"""The margin of a drill: how much quieter the alarm could be."""

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ
from monitor.drill.margin import measured
from testkit import alarms, room

BEFORE_S = 6.0


def recording(snr_db: float, seed: int = 0) -> tuple[np.ndarray, float]:
    """Three cycles of T3 in pink noise, and where they end."""
    rng = np.random.default_rng(seed)
    dry = alarms.played(alarms.piezo(3100), alarms.temporal_three(3), SAMPLE_RATE_HZ)
    padded = np.pad(dry, (round(BEFORE_S * SAMPLE_RATE_HZ), 2 * SAMPLE_RATE_HZ))
    noise = room.coloured_noise(rng, len(padded))
    mixed = room.mixed_at_band_snr(padded, noise, 3100, snr_db, SAMPLE_RATE_HZ)
    return mixed, len(padded) / SAMPLE_RATE_HZ - 2.0


def test_a_quieter_alarm_has_so_much_less_margin():
    """10 dB quieter is 10 dB less, within the 2 dB of `scripts/bench drill`."""
    near, far = (measured(samples, BEFORE_S, ends_s, "smoke_alarm", 3100.0)
                 for samples, ends_s in (recording(24), recording(14)))  # fmt: skip
    assert near.margin_db is not None
    assert far.margin_db is not None
    assert near.margin_db - far.margin_db == pytest.approx(10, abs=2)
    assert near.over_floor_db is not None
    assert far.over_floor_db is not None
    assert near.over_floor_db - far.over_floor_db == pytest.approx(10, abs=2)


def test_without_the_room_before_it_there_is_no_figure():
    """Somebody pressed at once: heard, and the margin is not made up."""
    samples, ends_s = recording(20)
    cut = samples[round((BEFORE_S - 1) * SAMPLE_RATE_HZ) :]
    assert measured(cut, 1.0, ends_s - BEFORE_S + 1, "smoke_alarm", 3100.0).margin_db is None
