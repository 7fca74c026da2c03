"""Thresholds chosen by hours of background and by continuous scenes."""

import json
import pickle
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clock import BEGINNING
from monitor.recordings.analysis import SOURCE
from monitor.types import Detection
from scripts.scenes.composing import Placed
from scripts.scenes.hearing import Hearing, Trace
from scripts.train_tagger import card_onsets
from scripts.train_tagger.background import Background, Heard, Listening, hour_heard
from scripts.train_tagger.operating_point import HIGHEST, LOWEST, LOWEST_CRITICAL, choose_onsets
from scripts.train_tagger.targets import LABELS
from scripts.train_tagger.thresholds import NO_HOURS, chosen, raised, read_traces, replaced, totals
from scripts.train_tagger.worth import ENOUGH, in_scenes

SOUNDS_S = tuple(100.0 * n for n in range(1, ENOUGH + 1))


def found(label: str, at_s: float, score: float, source: str = SOURCE) -> Detection:
    """A sound of half a second that ended then."""
    began = BEGINNING + timedelta(seconds=at_s - 0.5)
    return Detection(label, score, "tagger", source, began, 0.5, f"segment {at_s}")


def scene(label: str, placed_s: Sequence[float], *looks: tuple[float, float]) -> Hearing:
    """An hour with the label's sounds at these seconds, and what was taken for it: when, and the score."""
    placed = tuple(Placed(label, "sound.wav", at_s, at_s + 1, 10.0) for at_s in placed_s)
    steps = [(at_s, [found(label, at_s, score)]) for at_s, score in looks]
    return Hearing("one", 3600, placed, (), False, False, "mixed", [], Trace([], steps), [])


def background(hours: float, **looks: Sequence[tuple[float, float]]) -> Background:
    """Hours in which labels score at some moments."""
    heard = {
        label: [Heard(0, at_s, found(label, at_s, score, "background")) for at_s, score in said]
        for label, said in looks.items()
    }
    return Background(heard, dict.fromkeys(LABELS, hours))


def test_an_onset_is_raised_where_false_events_cost_more_than_it_hears() -> None:
    """All sounds score 0.8, and eight others 0.6."""
    others = [(at_s + 2_000, 0.6) for at_s in SOUNDS_S]
    hearing = scene("doorbell", SOUNDS_S, *((at_s + 0.5, 0.8) for at_s in SOUNDS_S), *others)

    onset = choose_onsets(background(30), in_scenes([hearing]))["doorbell"]

    assert 0.6 < onset <= 0.8


def test_an_onset_is_not_raised_above_what_it_hears() -> None:
    """One other sound in an hour is worth half of the sounds."""
    scores = [0.8 if n % 2 else 0.4 for n in range(len(SOUNDS_S))]
    looks = [(at_s + 0.5, score) for at_s, score in zip(SOUNDS_S, scores, strict=True)]
    hearing = scene("doorbell", SOUNDS_S, *looks, (3_000, 0.6))

    assert choose_onsets(background(30), in_scenes([hearing]))["doorbell"] <= 0.4


def test_scenes_do_not_lower_what_background_forbids() -> None:
    """A label that is often false in a quiet home stays high, however well scenes hear it."""
    hearing = scene("doorbell", SOUNDS_S, *((at_s + 0.5, 0.5) for at_s in SOUNDS_S))
    heard = background(10, doorbell=[(10, 0.8), (500, 0.8), (900, 0.8)])

    assert choose_onsets(heard, in_scenes([hearing]))["doorbell"] > 0.8


def test_a_label_that_scenes_lack_is_raised_by_its_false_events_alone() -> None:
    """Nothing says what is lost: it rises no further than it has to."""
    hearing = scene("doorbell", (), *((at_s, 0.6) for at_s in SOUNDS_S))

    onset = choose_onsets(background(30), in_scenes([hearing]))["doorbell"]

    assert 0.6 < onset < 0.75
    assert onset < HIGHEST


def test_the_critical_allowance_goes_where_scenes_gain_most() -> None:
    """One event in twenty hours: gunshot's threshold would fall further, but scream hears more."""
    hearing = scene("scream", SOUNDS_S, *((at_s + 0.5, 0.68) for at_s in SOUNDS_S))
    heard = background(20, gunshot=[(10, 0.94), (500, 0.5)], scream=[(10, 0.7), (500, 0.65)])

    onsets = choose_onsets(heard, in_scenes([hearing]))

    assert onsets["scream"] == pytest.approx(0.66, abs=0.011)
    assert onsets["gunshot"] == pytest.approx(0.95, abs=0.011)
    assert choose_onsets(heard)["gunshot"] == pytest.approx(0.51, abs=0.011)


def test_what_lies_under_the_scenes_is_not_judged_by_them() -> None:
    """Rain that a scene's bed had in it is no false event."""
    hearing = scene("rain", (), *((at_s, 0.6) for at_s in SOUNDS_S))
    before = dict.fromkeys(LABELS, 0.5)

    assert choose_onsets(background(30), in_scenes([hearing]))["rain"] == LOWEST
    assert raised(background(1, rain=[(10, 0.8)]), [hearing], before)["onsets"] == before


def test_a_critical_label_is_not_raised_blindly() -> None:
    """Scenes without a fire alarm do not say what raising its threshold would lose."""
    hearing = scene("fire_alarm", (), *((at_s, 0.6) for at_s in SOUNDS_S))

    assert choose_onsets(background(30), in_scenes([hearing]))["fire_alarm"] == LOWEST_CRITICAL


def test_only_raising_keeps_what_more_hours_chose(tmp_path: Path) -> None:
    """And states, for every label that was raised, what came of it."""
    traces = tmp_path / "scenes.pkl"
    sounds = [(at_s + 0.5, 0.8) for at_s in SOUNDS_S]
    others = [(at_s + 2_000, 0.6) for at_s in SOUNDS_S]
    traces.write_bytes(pickle.dumps([scene("doorbell", SOUNDS_S, *sounds, *others)]))
    before = dict.fromkeys(LABELS, 0.5) | {"glass_break": 0.9}

    about = raised(background(10, doorbell=[(10, 0.55)]), read_traces([traces]), before)

    assert about["onsets"]["glass_break"] == 0.9
    assert list(about["raised"]["labels"]) == ["doorbell"]
    doorbell = about["raised"]["labels"]["doorbell"]
    assert doorbell["background_hours"] == 10
    assert doorbell["before"] == {
        "onset": 0.5,
        "false_events": 1,
        "scenes_false_an_hour": ENOUGH,
        "scenes_recall": 1,
    }
    assert doorbell["now"]["scenes_false_an_hour"] == doorbell["now"]["false_events"] == 0
    assert doorbell["now"]["scenes_recall"] == 1
    json.dumps(about)


def test_totals_are_of_alert_labels() -> None:
    """A sound heard and one missed, a false event of its label, one of a critical one; not speech."""
    hearing = scene("doorbell", SOUNDS_S[:2], (SOUNDS_S[0] + 0.5, 0.8), (2_000, 0.7))
    more = [(at_s, [found(label, at_s, 0.9)]) for at_s, label in ((2_500, "scream"), (3_000, "speech"))]
    hearing.trace.steps.extend(more)

    assert totals([hearing], dict.fromkeys(LABELS, 0.6)) == {
        "hours": 1.0,
        "sounds": 2,
        "macro_recall": 0.5,
        "false_an_hour": 2.0,
        "critical_false_an_hour": 1.0,
    }


def test_each_half_chooses_with_the_same_scenes() -> None:
    """Two equal halves choose what both choose together."""
    hearing = scene("doorbell", SOUNDS_S, *((at_s + 0.5, 0.8) for at_s in SOUNDS_S), (3_000, 0.6))

    about = chosen((background(10), background(10)), [hearing])

    assert about["operating_point"]["crossed"]["onsets"] == [about["onsets"]] * 2


def test_an_hour_is_heard_once(tmp_path: Path) -> None:
    """A choice that was stopped goes on with the hours it has; another model's are not its own."""
    model, other = tmp_path / "model.onnx", tmp_path / "other.onnx"
    model.write_bytes(b"one")
    other.write_bytes(b"two")
    kept = background(1, doorbell=[(10, 0.8)])
    listening = Listening(model, tmp_path, tmp_path)
    sha = "7692c3ad3540"  # of "one"
    (tmp_path / f"{sha}-0.pkl").write_bytes(pickle.dumps(kept))

    assert hour_heard(listening, ([], []), tmp_path, 0) == kept
    with pytest.raises(Exception, match="other"):
        hour_heard(Listening(other, tmp_path, tmp_path), ([], []), tmp_path, 0)


def test_a_choice_replaces_an_earlier_one() -> None:
    """The card says what the new one is worth in scenes that chose nothing, and nothing of the old one."""
    hearing = scene("doorbell", SOUNDS_S, *((at_s + 0.5, 0.8) for at_s in SOUNDS_S))
    choice = chosen((background(10), background(10)), [hearing], {"speech": 0.33})
    high = dict.fromkeys(LABELS, 0.9)
    judged = [{"before": totals([hearing], high), "now": totals([hearing], choice["onsets"])}]

    about = replaced({"version": "1", "onsets": {}, "raised": {"labels": {}}}, choice, judged)

    assert about["version"] == "1"
    assert about["onsets"] == choice["onsets"]
    assert about["onsets"]["speech"] == about["operating_point"]["crossed"]["onsets"][0]["speech"] == 0.33
    assert "raised" not in about
    assert "| 1.0 | 8 | 0.00 → 1.00 |" in card_onsets.section(about)


def test_what_is_raised_stays_a_choice_by_scenes(tmp_path: Path) -> None:
    """Without any hour of background: the earlier choice, and what raised it, are both in the card."""
    hearing = scene("doorbell", SOUNDS_S, *((at_s + 2_000, 0.6) for at_s in SOUNDS_S))
    before = dict.fromkeys(LABELS, 0.5)
    known = {"onsets": before, "by_scenes": {"scenes_hours": 6.5, "kept": ["speech"], "judged": []}}

    choice = raised(NO_HOURS[0], [hearing], before)
    about = replaced(known, choice, [])

    assert about["onsets"]["doorbell"] > 0.6
    assert about["onsets"]["cough"] == 0.5
    assert "worth most in 6.5 h" in card_onsets.section(about)
    assert "| doorbell | 0.50 → " in card_onsets.section(about)
