"""Beeps in a sound, and whether they are the rhythm of a taught one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.taught.beeps import MOST_BEEPS, Beep, beeps_in
from monitor.classifiers.taught.rhythm import (
    FITS,
    HeardBeeps,
    RhythmTemplate,
    as_grid,
    heard_beeps,
    onsets,
    unpacked_beeps,
)

OVEN = [(0.0, 0.2, 2000.0), (0.5, 0.2, 2000.0), (1.0, 0.2, 2000.0), (1.6, 0.4, 2500.0)]
"""Begin and length in seconds, and pitch."""


def sounding(beeps: list[tuple[float, float, float]], after_s: float = 0.5, noise: float = 0.0) -> Samples:
    """Tones in a room's noise, with a second of it behind them."""
    length_s = after_s + max(at + on for at, on, _ in beeps) + 1.0
    time_s = np.arange(int(length_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    sound = 0.001 * np.random.default_rng(1).standard_normal(len(time_s))
    for at_s, on_s, hz in beeps:
        on = (time_s >= after_s + at_s) & (time_s < after_s + at_s + on_s)
        sound += on * 0.1 * np.sin(2 * np.pi * hz * time_s)
    return np.asarray(sound + noise * np.random.default_rng(2).standard_normal(len(time_s)), np.float32)


def oven(**changes: object) -> RhythmTemplate:
    """Of three beeps and a higher one."""
    return RhythmTemplate.model_validate({"beeps": tuple(OVEN), "bar": 0.3, "shared": 5, "of": 5, **changes})


def fits(sound: Samples) -> bool:
    """Whether the oven's rhythm is in it."""
    return oven().fit(heard_beeps(Audio(sound, SAMPLE_RATE_HZ))) >= FITS


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_beep_is_read_with_its_begin_length_and_pitch(noise: float):
    """Also in noise that is a tenth as loud as the beeps."""
    found = [one for one in beeps_in(sounding(OVEN, noise=noise)) if one.on_s >= 0.1]
    assert len(found) == len(OVEN)
    for one, (at_s, on_s, hz) in zip(found, OVEN, strict=True):
        assert one.at_s == pytest.approx(0.5 + at_s, abs=0.06)
        assert one.on_s == pytest.approx(on_s, abs=0.06)
        assert one.pitch_hz == pytest.approx(hz, abs=32)
        assert one.level_dbfs == pytest.approx(-20, abs=2)


def test_a_rhythm_is_known_again_wherever_it_begins_and_in_noise():
    """Earlier, later, and while something else sounds."""
    assert fits(sounding(OVEN))
    assert fits(sounding(OVEN, after_s=2.3))
    assert fits(sounding(OVEN, noise=0.02))
    assert fits(sounding([*OVEN, (0.2, 1.0, 700.0)]))


def test_an_early_look_has_the_part_that_it_has_room_for():
    """Three beeps are a rhythm, one is none."""
    whole = sounding(OVEN)
    assert fits(whole[: int(1.75 * SAMPLE_RATE_HZ)])
    assert not fits(whole[: int(0.9 * SAMPLE_RATE_HZ)])


@pytest.mark.parametrize(
    "other",
    [
        pytest.param([(at, on, hz * 1.2) for at, on, hz in OVEN], id="higher"),
        pytest.param([(at * 1.7, on, hz) for at, on, hz in OVEN], id="slower"),
        pytest.param([(0.15 * n, 0.08, 2000.0) for n in range(12)], id="quicker and more"),
        pytest.param([(0.0, 2.0, 2000.0)], id="one long tone"),
    ],
)
def test_another_rhythm_is_not_taken_for_it(other: list[tuple[float, float, float]]):
    """Of another pitch or another time."""
    assert not fits(sounding(other))


def test_noise_has_no_rhythm():
    """Nor has silence."""
    rng = np.random.default_rng(4)
    assert not fits(np.asarray(0.1 * rng.standard_normal(5 * SAMPLE_RATE_HZ), np.float32))
    assert not fits(np.zeros(5 * SAMPLE_RATE_HZ, np.float32))
    assert beeps_in(np.zeros(0, np.float32)) == ()


TONES = st.lists(
    st.tuples(
        st.integers(0, 400).map(lambda n: n / 100),
        st.integers(6, 90).map(lambda n: n / 100),
        st.integers(12, 230).map(lambda n: n * 31.25),
    ),
    min_size=3,
    max_size=MOST_BEEPS,
    unique_by=lambda one: (one[0] // 0.2, one[2]),
)


@given(tones=TONES, later=st.integers(0, 300).map(lambda n: n / 100))
def test_what_has_every_beep_of_a_rhythm_fits_it_wholly(tones, later: float):
    """Whenever it begins; without two that begin apart there is none."""
    template = oven(beeps=tuple(sorted(tones)))
    heard = tuple(sorted(Beep(at + later, on, hz, -30.0) for at, on, hz in tones))
    found = template.fit(HeardBeeps(beeps=heard, length_s=10.0))
    assert found == (1.0 if onsets(as_grid(heard)[:, 0]) >= 2 else 0.0)


@given(tones=TONES)
def test_beeps_are_kept_as_they_were(tones):
    """In the history: float32, to a hundredth."""
    heard = HeardBeeps(beeps=tuple(Beep(at, on, hz, -30.5) for at, on, hz in tones), length_s=7.25)
    assert unpacked_beeps(heard.packed()) == heard


@pytest.mark.parametrize("data", [None, b"", b"123", b"\0" * 12, b"\xff" * 20])
def test_what_is_damaged_is_no_beep(data: bytes | None):
    """It teaches no rhythm, and stops nothing."""
    assert unpacked_beeps(data) is None
