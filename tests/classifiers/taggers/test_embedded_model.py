"""The model that ships, on sounds made from numbers: that it is whole and hears, not how well."""

from collections.abc import Iterator

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.labels import LIFE_SAFETY, VOICED, emotions, sounds, vocabulary
from testkit.builders import noise, segment, tone
from testkit.household import MAKERS


@pytest.fixture(scope="module")
def shipped() -> Iterator[EmbeddedClassifier]:
    """Loaded from the package."""
    classifier = EmbeddedConfig(type="embedded").build()
    classifier.load()
    yield classifier
    classifier.close()


def scores(classifier: EmbeddedClassifier, samples: Samples) -> dict[str, float]:
    """By label."""
    return {detection.label: detection.score for detection in classifier.classify([segment(samples)])}


def test_it_speaks_the_vocabulary() -> None:
    """Every label that has AudioSet names, and every emotion."""
    classifier = EmbeddedConfig(type="embedded").build()

    assert classifier.labels == {label for label in sounds() if vocabulary()[label].audioset_names}
    assert set(classifier.sidecar.emotions) == set(emotions())
    assert classifier.labels >= VOICED


def test_every_label_has_a_threshold_and_a_band_around_it() -> None:
    """The tracker's onset, and where a second opinion is worth asking."""
    classifier = EmbeddedConfig(type="embedded").build()

    assert classifier.thresholds.keys() == classifier.labels == classifier.second_look.keys()
    for label, (low, high) in classifier.second_look.items():
        assert 0 < low < classifier.thresholds[label]["onset"] < high < 1


@pytest.mark.parametrize("label", ["smoke_alarm", "siren"])
def test_it_hears_what_a_home_must_not_miss(shipped: EmbeddedClassifier, label: str) -> None:
    """Made alarms score above all other sounds in most draws."""
    made = [
        MAKERS[label](np.random.default_rng(seed), SAMPLE_RATE_HZ) * np.float32(0.3) for seed in range(10)
    ]
    said = [scores(shipped, np.resize(samples, 4 * SAMPLE_RATE_HZ)) for samples in made]

    assert sum(max(s, key=lambda name: s[name]) == label for s in said) >= 7


@pytest.mark.parametrize("level_dbfs", [-70.0, -40.0, -10.0])
def test_noise_is_no_alarm(shipped: EmbeddedClassifier, level_dbfs: float) -> None:
    """White noise at any level stays below the onset of every critical label."""
    said = scores(shipped, noise(3.2, level_dbfs))

    critical = [label for label in said if vocabulary()[label].severity_default == "critical"]
    assert LIFE_SAFETY & set(critical)
    assert all(said[label] < shipped.thresholds[label]["onset"] for label in critical)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(SAMPLE_RATE_HZ, np.float32),
        np.full(SAMPLE_RATE_HZ, 0.9, np.float32),
        np.full(SAMPLE_RATE_HZ, np.nan, np.float32),
        np.zeros(0, np.float32),
    ],
    ids=["silence", "DC", "NaN", "no samples"],
)
def test_no_sound_scores_nothing(shipped: EmbeddedClassifier, samples: Samples) -> None:
    """By definition, not by what the network makes of it."""
    assert set(scores(shipped, samples).values()) == {0.0}


@pytest.mark.parametrize(
    "samples",
    [np.sign(tone(50, 2.0)), np.sign(tone(3000, 2.0)), tone(1000, 0.01), noise(600.0, -20.0)],
    ids=["square 50 Hz", "square 3 kHz", "10 ms", "10 minutes"],
)
def test_hard_sounds_give_finite_scores(shipped: EmbeddedClassifier, samples: Samples) -> None:
    """Clipped squares, a blip, and ten minutes in one segment."""
    assert all(0 <= score <= 1 for score in scores(shipped, samples).values())


def test_scores_do_not_depend_on_the_company(shipped: EmbeddedClassifier) -> None:
    """The same alone and in a batch, within 1e-4."""
    parts = [segment(noise(length, -30.0, seed=n)) for n, length in enumerate((1.0, 1.0, 2.0, 1.0, 8.0))]

    together = [detection.score for detection in shipped.classify(parts)]
    alone = [detection.score for part in parts for detection in shipped.classify([part])]

    assert together == pytest.approx(alone, abs=1e-4)


def test_emotions_of_a_voice_sum_to_one(shipped: EmbeddedClassifier) -> None:
    """Where it speaks at all, it is a distribution; only on voiced labels."""
    for seed in range(6):
        for detection in shipped.classify([segment(noise(2.0, -20.0, seed=seed))]):
            if detection.emotion is not None:
                assert detection.label in VOICED
                assert sum(detection.emotion.values()) == pytest.approx(1, abs=1e-3)
