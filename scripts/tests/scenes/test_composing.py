from itertools import pairwise

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ
from scripts.scenes.composing import at_ratio, compose, compose_background, rms, telephone
from scripts.scenes.recordings import Pool


def test_the_same_seed_composes_the_same_scene(pool: Pool):
    """Figures can be had again."""
    one, again, other = (compose(pool, seed, 0, 2) for seed in (1, 1, 2))
    assert np.array_equal(one.samples, again.samples)
    assert one.placed == again.placed
    assert one.placed != other.placed


def test_sounds_lie_where_the_truth_says(pool: Pool):
    """There the scene is louder than just before."""
    scene = compose(pool, 3, 0, 3)
    assert len(scene.placed) >= 4
    for one in scene.placed:
        start, end = (int(at_s * SAMPLE_RATE_HZ) for at_s in (one.start_s, one.end_s))
        inside, before = scene.samples[start:end], scene.samples[start - 8000 : start]
        assert rms(inside) > rms(before) or one.snr_db == 5.0
        assert one.label in {"dog_bark", "doorbell"}


def test_sounds_are_far_enough_apart_to_be_told_apart(pool: Pool):
    """At least 15 s lie between the end of one and the beginning of the next."""
    placed = compose(pool, 4, 0, 4).placed
    assert all(b.start_s - a.end_s >= 15 for a, b in pairwise(placed))


def test_a_bed_holds_no_alert_sound(pool: Pool):
    """A dog behind the speech would be heard rightly and counted as false."""
    beds = [bed for n in range(4) for bed in compose(pool, 5, n, 2).beds]
    assert {bed.path for bed in beds} == {"rain.wav", "talk.wav"}


def test_every_third_scene_goes_through_a_telephone_and_every_other_through_a_room(pool: Pool):
    """All four conditions occur, in fixed shares."""
    scenes = [compose(pool, 6, n, 1) for n in range(6)]
    assert [one.line for one in scenes] == [False, False, True] * 2
    assert [one.room for one in scenes] == [False, True] * 3


def test_a_telephone_line_carries_nothing_above_4_khz():
    """And the rest nearly as it was."""
    time_s = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    low, high = (np.asarray(0.3 * np.sin(2 * np.pi * hz * time_s), np.float32) for hz in (1000, 6000))
    assert rms(telephone(low)) == pytest.approx(rms(low), rel=0.05)
    assert rms(telephone(high)) < 0.01 * rms(high)


def test_the_ratio_is_that_of_the_sound_while_it_sounds():
    """Pauses in a sound do not make it louder."""
    rng = np.random.default_rng(0)
    bed = np.asarray(0.01 * rng.normal(size=16_000), np.float32)
    burst = np.zeros(16_000, np.float32)
    burst[4000:12_000] = rng.normal(size=8000)
    assert 20 * np.log10(rms(at_ratio(burst, bed, 10)[4000:12_000]) / rms(bed)) == pytest.approx(10, abs=1)


def test_a_quiet_background_is_noise_alone(pool: Pool):
    """Below -45 dBFS, with stretches that count as recordings."""
    scene = compose_background(pool, 1, 0, 2, "quiet", ())
    assert 20 * np.log10(rms(scene.samples)) < -45
    assert [bed.path for bed in scene.beds] == ["noise 0", "noise 1"]
    assert not scene.placed


def test_a_background_is_of_its_kind(pool: Pool):
    """Weather holds rain and no talk."""
    scene = compose_background(pool, 1, 0, 1, "weather", ("rain", "wind"))
    assert {bed.label for bed in scene.beds} == {"rain"}
