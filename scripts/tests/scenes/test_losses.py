from datetime import timedelta

import pytest

from monitor.clock import BEGINNING
from monitor.events.defaults import Hysteresis
from monitor.types import Detection
from scripts.scenes.composing import Placed
from scripts.scenes.hearing import Hearing, Span, Trace
from scripts.scenes.losses import loss, reach

ROW = Hysteresis(onset=0.6, off=0.3, hits=2, within_s=2.0, hold_s=5.0)
SOUND = Placed("dog_bark", "bark.wav", 10.0, 12.0, 10.0)
OWN = Span("s", 9.5, 12.8, whole=True)


def hearing(*scores: float, spans: tuple[Span, ...] = (OWN,), by_hand: float = 0.9) -> Hearing:
    """A scene with one bark, of which looks half a second apart made these scores."""
    steps = [
        (10.5 + 0.5 * n, [Detection("dog_bark", score, "tagger", "file", _at(10), 0.5 + 0.5 * n, "s")])
        for n, score in enumerate(scores)
    ]
    trace = Trace(list(spans), steps)
    return Hearing("one", 60, (SOUND,), (), False, False, "mixed", [], trace, [{"dog_bark": by_hand}])


def _at(second: float):
    return BEGINNING + timedelta(seconds=second)


@pytest.mark.parametrize(
    ("heard", "where"),
    [
        (hearing(spans=()), "gate shut"),
        (hearing(spans=(Span("s", 20, 21, True),)), "gate shut"),
        (hearing(0.1, 0.4, by_hand=0.9), "looks short, late or polluted"),
        (hearing(0.1, 0.2, by_hand=0.2), "score below 0.3"),
        (hearing(0.1, 0.4, by_hand=0.4), "below onset"),
        (hearing(0.7, 0.2), "too few hits"),
        (hearing(0.7, 0.2, 0.2, 0.2, 0.2, 0.2, 0.7), "too few hits"),
        (hearing(0.7, 0.7), "swallowed or excluded"),
    ],
)
def test_a_missed_sound_is_lost_at_the_first_place_that_stopped_it(heard: Hearing, where: str):
    """From the gate on to the decision."""
    assert loss(heard, 0, ROW).where == where


def test_a_loss_shows_its_scores():
    """The best look, and the sound cut out by hand."""
    found = loss(hearing(0.1, 0.4, by_hand=0.9), 0, ROW)
    assert (found.by_looks, found.by_hand) == (0.4, 0.9)


def test_what_could_be_reached_is_judged_on_all_sounds():
    """Cut out by hand, whatever gate and looks did."""
    shares = reach([hearing(by_hand=0.5), hearing(by_hand=0.7)], {"dog_bark": ROW})
    assert shares == {"label on top": 1.0, "score 0.3 or more": 1.0, "onset reached": 0.5}
