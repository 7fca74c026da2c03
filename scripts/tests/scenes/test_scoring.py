from typing import Any

import pytest

from scripts.scenes.composing import Bed, Placed, Scene
from scripts.scenes.kinds import ALERTS
from scripts.scenes.scoring import Score, score, score_scene

BEDS = (Bed("rain", "rain.wav", 0, 60), Bed("speech", "talk.wav", 60, 3600))


def scene(*placed: Placed) -> Scene:
    """An hour with these sounds."""
    import numpy as np

    return Scene("one", np.zeros(3600 * 16_000, np.float32), placed, BEDS)


def placed(label: str, start_s: float, end_s: float) -> Placed:
    """A sound at 10 dB."""
    return Placed(label, f"{label}.wav", start_s, end_s, 10.0)


def event(label: str, start_s: float, decided_s: float | None = None) -> dict[str, Any]:
    """A row as `analyze` prints it."""
    decided_s = start_s if decided_s is None else decided_s
    return {"type": "event", "label": label, "start_s": start_s, "decided_s": decided_s, "score": 0.9}


def test_an_event_during_the_sound_hears_it():
    """With the time from the sound's first sample to the decision as its latency."""
    (sound,), false = score_scene(
        scene(placed("dog_bark", 100, 102)), [event("dog_bark", 100.1, 100.6)], ALERTS
    )
    assert sound.latency_s == pytest.approx(0.6)
    assert not false


@pytest.mark.parametrize(("start_s", "hit"), [(98.9, False), (99.0, True), (103.5, True), (103.6, False)])
def test_an_event_may_begin_a_little_early_or_late(start_s: float, hit: bool):
    """1 s before the sound to 1.5 s after its end."""
    (sound,), false = score_scene(scene(placed("dog_bark", 100, 102)), [event("dog_bark", start_s)], ALERTS)
    assert sound.hit == hit
    assert len(false) == (not hit)


def test_a_second_event_of_one_sound_is_a_repeat():
    """It counts once, and the repeat is not false."""
    rows = [event("dog_bark", 100), event("dog_bark", 101)]
    (sound,), false = score_scene(scene(placed("dog_bark", 100, 102)), rows, ALERTS)
    assert (sound.hit, sound.repeats, false) == (True, 1, [])


def test_kin_neither_hears_nor_is_false():
    """A scream that is called a shout is a miss, and no false shout."""
    (sound,), false = score_scene(scene(placed("scream", 100, 102)), [event("shout", 100)], ALERTS)
    assert (sound.hit, false) == (False, [])


def test_a_false_event_says_what_was_there():
    """The placed sound, or else the bed, with its recording."""
    rows = [event("glass_break", 100), event("glass_break", 30)]
    _, false = score_scene(scene(placed("dog_bark", 100, 102)), rows, ALERTS)
    assert [(one.instead, one.path) for one in false] == [("rain", "rain.wav"), ("dog_bark", "dog_bark.wav")]


def test_labels_that_do_not_count_are_never_false():
    """Speech in a bed of speech is no false event."""
    assert score_scene(scene(), [event("speech", 100)], ALERTS) == ([], [])


def test_macro_recall_weighs_labels_alike():
    """One of one doorbell and none of two barks make a half."""
    one = scene(placed("doorbell", 100, 101), placed("dog_bark", 200, 201), placed("dog_bark", 300, 301))
    total = score([(one, [event("doorbell", 100), event("cough", 500)])], ALERTS)
    assert total.macro_recall == 0.5
    assert total.recall() == pytest.approx(1 / 3)
    assert total.false_an_hour() == 0.0
    assert total.false_an_hour(ALERTS) == 1.0


def test_nothing_has_no_recall():
    """NaN, not a perfect or a hopeless figure."""
    assert str(Score().recall()) == "nan"
