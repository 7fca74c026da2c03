import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy import fft

from scripts.train_tagger import stock
from scripts.train_tagger.channels import at_rate, student_copy, telephone
from scripts.train_tagger.mixing import Mixture, MixtureMaker
from scripts.train_tagger.recordings import CACHE_RATE_HZ, Recording, SampleCache
from scripts.train_tagger.targets import CRITICAL, EMOTIONS, INDEX, LABELS
from testkit.room import mu_law

Wave = npt.NDArray[np.float32]
HALF_S = CACHE_RATE_HZ // 2
ALARMS = {"smoke_alarm", "fire_alarm", "siren"}


def tone(hz: float, samples: int = 4 * HALF_S) -> Wave:
    """A sine at 32 kHz."""
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(samples) / CACHE_RATE_HZ)).astype(np.float32)


def loudest_hz(wave: npt.NDArray[np.number], rate_hz: int) -> float:
    """Where the spectrum has its peak."""
    return float(np.argmax(np.abs(np.fft.rfft(wave))) * rate_hz / len(wave))


@pytest.fixture
def mixer(tmp_path: Path) -> MixtureMaker:
    """Two barks of one dog, acted anger, an unlabelled room; one echo."""
    recordings = [
        Recording("free/a", "s", ("Bark",), None, "CC0", "dog", "train", 32_000),
        Recording("free/b", "s", ("Bark",), None, "CC0", "dog", "train", 32_000),
        Recording("nc/c", "s", ("Speech",), "angry", "NC", "actor", "train", 32_000),
        Recording("free/d", "s", (), None, "CC0", "room", "train", 32_000),
    ]
    rng = np.random.default_rng(0)
    lengths = [3_000, 40_000, 100_000, 200_000]
    samples = [(rng.standard_normal(n) * 3_000).astype(np.int16) for n in lengths]
    np.concatenate(samples).tofile(tmp_path / "samples.i16")
    starts = np.cumsum([0, *lengths[:-1]])
    index = {r.path: (int(s), n) for r, s, n in zip(recordings, starts, lengths, strict=True)}
    (tmp_path / "index.json").write_text(json.dumps(index))
    room = np.zeros((1, 8_000), np.float32)
    room[0, [0, 3_000]] = [0.9, 0.4]
    return MixtureMaker(recordings, SampleCache(tmp_path), room, 1.0)


def drawn(mixer: MixtureMaker, count: int = 60) -> list[Mixture]:
    """Always the same ones."""
    rng = np.random.default_rng(1)
    return [mixer.draw(rng) for _ in range(count)]


def test_mixtures_are_whole_and_of_one_length(mixer: MixtureMaker) -> None:
    """Finite, not silent, one second at 32 and at 16 kHz, at levels from -60 dBFS to full scale."""
    peaks = []
    for mixture in drawn(mixer):
        assert mixture.teacher_wave.shape == (32_000,)
        assert mixture.student_wave.shape == (16_000,)
        assert np.isfinite(mixture.teacher_wave).all()
        assert np.abs(mixture.teacher_wave).max() <= 1
        peaks.append(20 * np.log10(np.abs(mixture.student_wave.astype(float)).max() / 32768))
    assert min(peaks) < -35
    assert max(peaks) > -10


def test_labels_are_those_of_what_is_in_the_mixture(mixer: MixtureMaker) -> None:
    """A label that is there is known; only made alarms leave a critical one open, another alarm; acted speech
    is speech and carries its emotion."""
    for mixture in drawn(mixer):
        assert (mixture.known[mixture.labels > 0] == 1).all()
        assert {
            label for label in LABELS if CRITICAL[INDEX[label]] and not mixture.known[INDEX[label]]
        } <= ALARMS
        if mixture.emotion >= 0:
            assert EMOTIONS[mixture.emotion] == "angry"
            assert mixture.labels[INDEX["speech"]] == 1


def test_a_mixture_is_exact_only_if_all_of_it_was_made(mixer: MixtureMaker) -> None:
    """Recordings may hold more than their labels say."""
    recorded = [INDEX["dog_bark"], INDEX["speech"]]
    exact = [mixture for mixture in drawn(mixer, 120) if mixture.exact]

    assert exact
    assert not any(mixture.labels[recorded].any() for mixture in exact)


def test_nothing_critical_happens_on_an_ordinary_day(mixer: MixtureMaker) -> None:
    """False events are counted there; most of it is background without any event."""
    rng = np.random.default_rng(2)
    day = [mixer.draw_household(rng) for _ in range(80)]

    assert not any(mixture.labels[CRITICAL].any() for mixture in day)
    assert all(np.isfinite(mixture.teacher_wave).all() for mixture in day)
    assert np.mean([mixture.labels.any() for mixture in day]) < 0.7


def test_drawing_is_given_by_the_seed(mixer: MixtureMaker) -> None:
    """The same mixtures again, sample for sample."""
    for first, again in zip(drawn(mixer, 5), drawn(mixer, 5), strict=True):
        assert np.array_equal(first.student_wave, again.student_wave)
        assert np.array_equal(first.teacher_wave, again.teacher_wave)


@pytest.mark.parametrize("rate_hz", [16_000, 8_000])
def test_resampling_by_bins_keeps_pitch_and_level(rate_hz: int) -> None:
    """And loses what lies above half the new rate."""
    kept = at_rate(fft.rfft(tone(1_000)), CACHE_RATE_HZ, rate_hz, 2 * rate_hz)
    lost = at_rate(fft.rfft(tone(12_000)), CACHE_RATE_HZ, rate_hz, 2 * rate_hz)

    assert loudest_hz(kept, rate_hz) == pytest.approx(1_000, abs=1)
    assert np.abs(kept).max() == pytest.approx(0.3, abs=0.02)
    assert np.abs(lost).max() < 1e-3


def test_a_telephone_line_keeps_the_voice_band_alone() -> None:
    """1 kHz comes through at its pitch; 6 kHz leaves nothing but the codec's noise."""
    rng = np.random.default_rng(0)
    spectrum = fft.rfft(tone(1_000) + tone(6_000)).astype(np.complex64)
    heard = telephone(rng, spectrum, CACHE_RATE_HZ, 32_000)
    power = np.abs(np.fft.rfft(heard)) ** 2

    assert loudest_hz(heard, 16_000) == pytest.approx(1_000, abs=1)
    assert power[2 * 4_200 :].sum() < 0.01 * power.sum()


def test_mu_law_errs_by_a_share_of_the_sample() -> None:
    """Eight bits that are finer for quiet samples (ITU-T G.711): under 4 % and a step at zero."""
    wave = np.linspace(-1, 1, 4_001, dtype=np.float32)

    assert np.abs(mu_law(wave) - wave).max() < 0.025
    assert (np.abs(mu_law(wave) - wave) <= 0.04 * np.abs(wave) + 2e-4).all()


def test_the_students_copy_is_the_sound_that_went_in() -> None:
    """Whatever microphone and line did to it: the pitch of a tone survives."""
    for seed in range(20):
        heard = student_copy(
            np.random.default_rng(seed), fft.rfft(tone(1_000)).astype(np.complex64), CACHE_RATE_HZ, 32_000
        )
        assert loudest_hz(heard, 16_000) == pytest.approx(1_000, abs=2)


def test_something_goes_on_throughout_a_noisy_mixture(mixer: MixtureMaker) -> None:
    """At most 20 dB below the sound; a mixture of any kind may be digitally silent around it."""
    rng = np.random.default_rng(2)

    noisy = [faintest_db(mixer.draw_noisy(rng).teacher_wave) for _ in range(30)]

    assert min(noisy) > -45
    assert min(faintest_db(mixture.teacher_wave) for mixture in drawn(mixer, 30)) < -90


def test_a_stock_has_the_wanted_shares(mixer: MixtureMaker) -> None:
    """Nothing is known of unnamed sound; an ordinary day has no alarm in it; the rest is of any kind."""
    rng = np.random.default_rng(3)

    unnamed = [stock.drawn(mixer, rng, stock.Shares(unnamed=1)) for _ in range(20)]
    days = [stock.drawn(mixer, rng, stock.Shares(unnamed=0, household=1)) for _ in range(20)]
    rest = [stock.drawn(mixer, rng, stock.Shares(unnamed=0)) for _ in range(60)]

    assert not any(mixture.known.any() for mixture in unnamed)
    assert all(mixture.known[CRITICAL].all() and not mixture.labels[CRITICAL].any() for mixture in days)
    assert any(mixture.labels[INDEX["dog_bark"]] for mixture in rest)


def faintest_db(wave: Wave) -> float:
    """The faintest 50 ms below the loudest."""
    powers = np.square(wave.astype(np.float64)).reshape(20, -1).mean(axis=1)
    return float(10 * np.log10(powers.min() / powers.max() + 1e-12))
