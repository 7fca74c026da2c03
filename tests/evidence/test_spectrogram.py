"""A small labelled spectrogram."""

import io

import numpy as np
import pytest
from PIL import Image

from monitor.audio import Audio, Samples
from monitor.evidence.spectrogram import HEIGHT, WIDTH, spectrogram_png
from testkit.builders import noise, tone
from testkit.gate_sounds import in_a_room


def drawn(samples: Samples, title: str = "dog_bark", onset_s: float = 1.0) -> np.ndarray:
    """The picture's brightness, rows from the top."""
    data = spectrogram_png(Audio(samples, 16_000), title=title, onset_s=onset_s, duration_s=1.0)
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size) == ("PNG", (WIDTH, HEIGHT))
        return np.asarray(image.convert("RGB"), np.int32)


def test_a_tone_is_a_line_at_its_height() -> None:
    """Higher tones lie higher, and one octave is always the same distance."""
    rows = [
        int(drawn(in_a_room(tone(hz, 4, -20), -70))[:, 500].sum(axis=1)[30:280].argmax())
        for hz in (500, 1000, 2000, 4000)
    ]
    steps = -np.diff(rows)
    assert steps.min() > 25
    assert np.ptp(steps) <= 2


def test_the_onset_is_marked_where_it_is() -> None:
    """The line of the onset stands at its share of the width."""
    picture = drawn(noise(4, -60), onset_s=1.0)
    marked = np.flatnonzero((picture[150] == (90, 220, 240)).all(axis=1))
    assert marked == pytest.approx([44 + 0.25 * (WIDTH - 52)], abs=2)


def test_it_is_labelled() -> None:
    """Another title makes another picture at the top, and only there."""
    sound = noise(4, -60)
    one, other = drawn(sound, "dog_bark"), drawn(sound, "glass_break")
    assert (one[:26] != other[:26]).any()
    assert (one[26:] == other[26:]).all()


@pytest.mark.parametrize("length_s", [0.001, 0.05, 1, 70])
def test_any_length_can_be_drawn(length_s: float) -> None:
    """A click and a minute make a picture of the same size, under 150 KB."""
    samples = noise(length_s, -30)
    data = spectrogram_png(Audio(samples, 16_000), title="x", onset_s=0, duration_s=length_s)
    assert len(data) < 150_000


def test_silence_can_be_drawn() -> None:
    """A clip without sound is no division by zero."""
    assert drawn(np.zeros(16000, np.float32)).min() >= 0
