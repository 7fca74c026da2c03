"""The margin of a drill: how much quieter the alarm could be."""

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ
from monitor.drill.margin import (
    BURSTS,
    MOST_DB,
    STEADY,
    RoomNoise,
    found_shares,
    lost_between_db,
    mean_level_db,
    measured,
    quieter,
)
from monitor.drill.report import RoomReport
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


def test_the_room_after_the_alarm_is_the_room_too():
    """Somebody pressed at once, and the drill listened on; not where somebody pressed once more."""
    samples, ends_s = recording(20)
    usual = measured(samples, BEFORE_S, ends_s, "smoke_alarm", 3100.0)
    at_once = samples[round((BEFORE_S - 1) * SAMPLE_RATE_HZ) :]
    after = recording(20, seed=1)[0][: round(BEFORE_S * SAMPLE_RATE_HZ)]
    ends_s -= BEFORE_S - 1
    quiet_after = np.concatenate([at_once, after, after])
    pressed_again = np.concatenate([at_once, samples])
    found = measured(quiet_after, 1.0, ends_s, "smoke_alarm", 3100.0)
    assert usual.margin_db is not None
    assert found.margin_db == pytest.approx(usual.margin_db, abs=2)
    assert measured(pressed_again, 1.0, ends_s, "smoke_alarm", 3100.0).margin_db is None


def test_draws_lie_evenly_in_the_noise_that_is_known():
    """However many there are, no part of it counts much more than another, and each sample has its place."""
    noise = np.arange(10 * SAMPLE_RATE_HZ, dtype=np.float32)
    ring = RoomNoise([noise[: 4 * SAMPLE_RATE_HZ], noise[4 * SAMPLE_RATE_HZ :]])
    for count in (4, 16):
        begins_s = sorted(float(ring.piece(draw, 1)[0]) / SAMPLE_RATE_HZ for draw in range(count))
        gaps_s = np.diff([*begins_s, begins_s[0] + 10])
        assert max(gaps_s) < 2 * 10 / count
    once_around = ring.piece(3, len(noise))
    faded = SAMPLE_RATE_HZ // 20
    middle = noise[faded : 4 * SAMPLE_RATE_HZ - faded]
    assert np.isin(middle, once_around).all()


def test_the_noise_that_is_added_has_the_pauses_of_the_room():
    """Two seconds of dishes and eight of quiet: whatever the draw, so much of an alarm is heard alone."""
    clatter = np.random.default_rng(3).normal(0, 0.1, 2 * SAMPLE_RATE_HZ).astype(np.float32)
    noise = np.tile(np.pad(clatter, (0, 8 * SAMPLE_RATE_HZ)), 3)
    silent = np.zeros(12 * SAMPLE_RATE_HZ, np.float32)
    for draw in range(20):
        mixed = quieter(silent, RoomNoise([noise]).piece(draw, len(silent)), 20.0)
        loud = np.flatnonzero(np.abs(mixed) > 1e-6)
        longest = np.diff(loud, prepend=0, append=len(mixed)).max()
        assert longest >= 4 * SAMPLE_RATE_HZ


def test_what_is_lost_over_a_wide_range_is_no_figure():
    """Steady noise loses an alarm within a step or two; rattling dishes let it through now and then."""
    steady = found_shares(lambda by_db, draw: by_db < 20)
    rattling = found_shares(lambda by_db, draw: _chance(by_db, draw) > by_db / 45)
    assert mean_level_db(steady) == pytest.approx(20, abs=1.5)
    assert lost_between_db(steady) == (18.0, 21.0)
    low_db, high_db = lost_between_db(rattling)
    assert low_db <= 9
    assert high_db >= 30
    assert low_db < mean_level_db(rattling) < high_db
    assert RoomReport("hall", margin_db=20.0, surely_db=18.0, hardly_db=21.0).between_db is None
    wide = RoomReport("hall", margin_db=20.0, surely_db=low_db, hardly_db=high_db)
    assert wide.between_db == (low_db, high_db)


def _chance(by_db: float, draw: int) -> float:
    return float(np.random.default_rng([draw, round(by_db)]).random())


def test_where_noise_comes_in_bursts_every_level_is_looked_at():
    """In a pause it is found again, below where no draw found it; in steady noise it is not."""

    def is_found(by_db: float, draw: int) -> bool:
        return by_db <= 6 or (30 <= by_db <= 42 and draw % 2 == 0)

    assert lost_between_db(found_shares(is_found, BURSTS)) == (6.0, 45.0)
    assert mean_level_db(found_shares(is_found, BURSTS)) == pytest.approx(3 * (0.5 + 2 + 5 / 2))
    assert mean_level_db(found_shares(is_found, STEADY)) == 7.5


def test_what_is_never_lost_has_at_least_the_most():
    """60 dB, and no range."""
    shares = found_shares(lambda by_db, draw: True)
    assert mean_level_db(shares) == MOST_DB
    assert lost_between_db(shares) == (MOST_DB, MOST_DB)


def test_a_margin_that_is_not_sure_is_low():
    """A figure of 20 dB on average, of which 3 are sure, is less than a closed door costs."""
    assert RoomReport("hall", margin_db=20.0, surely_db=3.0, hardly_db=36.0).margin_is_low
    assert not RoomReport("hall", margin_db=20.0, surely_db=18.0, hardly_db=21.0).margin_is_low
    assert RoomReport("hall", margin_db=4.0).margin_is_low
    assert not RoomReport("hall").margin_is_low
