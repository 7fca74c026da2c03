"""What a house called wrong holds its like back, and never an alarm that may save a life."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.classifiers.taught.veto import EVIDENCE, Veto, VetoBook
from monitor.clock import SystemClock
from monitor.events.certainty import HELD_BACK_BELOW, HOUSE_RIGHT, held_back
from monitor.events.tracker import Tracker
from monitor.history.verdicts import Judged, Verdicts
from monitor.labels import LIFE_SAFETY
from monitor.teaching.tending import KeptVetoes
from monitor.teaching.vetoes import LEAST_RIGHT, LEAST_WRONG, JudgedEmbedding, of_verdicts, veto
from monitor.types import Detection
from testkit.builders import START, heard
from tests.events.tracking import at, tracking

SIZE = 32
RNG = np.random.default_rng(5)


def sounds(direction: int, count: int, seed: int = 0) -> np.ndarray:
    """Of one kind: a direction that others have not, and noise."""
    rng = np.random.default_rng([direction, seed])
    each = rng.normal(scale=0.5, size=(count, SIZE))
    each[:, direction] += 4.0
    return each.astype(np.float32)


def examples(wrong: np.ndarray, right: np.ndarray, label: str = "dog_bark") -> list[JudgedEmbedding]:
    return [JudgedEmbedding(label, one, right=False) for one in wrong] + [
        JudgedEmbedding(label, one, right=True) for one in right
    ]


def detection(label: str, embedding: np.ndarray, score: float = 0.9, s: float = 0.0) -> Detection:
    return replace(heard(label, score, at(s)), embedding=embedding.astype("<f2").tobytes(), duration_s=1.0)


def test_what_sounds_like_the_wrong_ones_is_held_back():
    """Ten wrong ones of one kind and five right ones of another; new ones of each."""
    found = veto(examples(sounds(0, 10), sounds(1, 5)))
    assert found is not None
    assert (found.wrong, found.right) == (10, 5)
    assert max(found.likely_right(one) for one in sounds(0, 50, seed=1)) < HELD_BACK_BELOW
    assert min(found.likely_right(one) for one in sounds(1, 50, seed=1)) > HELD_BACK_BELOW


@pytest.mark.parametrize(("wrong", "right"), [(LEAST_WRONG - 1, 50), (50, LEAST_RIGHT - 1), (0, 0)])
def test_too_few_verdicts_teach_nothing(wrong: int, right: int):
    """Ten wrong and five right ones at least."""
    assert veto(examples(sounds(0, wrong), sounds(1, right))) is None


def test_a_held_back_event_is_suspected_with_its_reason():
    """Nothing is dropped; one look that is likely right confirms it."""
    book = VetoBook()
    book.exchange([found for found in [veto(examples(sounds(0, 10), sounds(1, 5)))] if found])
    tracker = tracking("dog_bark")

    [event] = tracker.update(book.noted([detection("dog_bark", sounds(0, 1, seed=2)[0])]), at(1))
    assert event.certainty == "suspected"
    assert event.evidence[HOUSE_RIGHT] < HELD_BACK_BELOW
    [event] = tracker.update(book.noted([detection("dog_bark", sounds(1, 1, seed=2)[0], s=1.0)]), at(2))
    assert event.certainty == "confirmed"


@given(
    st.sampled_from(sorted(LIFE_SAFETY)),
    st.lists(st.floats(-100, 100), min_size=SIZE, max_size=SIZE),
    st.floats(0.5, 1),
    st.integers(10, 40),
)
@settings(max_examples=50)
def test_nothing_that_people_judge_holds_an_alarm_back(
    label: str, embedding: list[float], score: float, wrong: int
):
    """However often a smoke or CO alarm is called wrong: no veto, no evidence, the same event as without."""
    judged = examples(np.tile(np.array(embedding, np.float32), (wrong, 1)), sounds(1, 6), label)
    forced = veto(judged)  # as if the check in `of_verdicts` were not there
    book = VetoBook()
    book.exchange([forced] if forced else [])
    one = detection(label, np.array(embedding, np.float32), score)
    assert book.noted([one]) == [one]
    assert not held_back(label, {EVIDENCE: 0.0, "learning": True})
    poisoned = replace(one, evidence={EVIDENCE: 0.0})
    with_it, without = Tracker().update([poisoned], at(1)), Tracker().update([one], at(1))
    assert [e.certainty for e in with_it] == [e.certainty for e in without]
    assert len(with_it) == len(without)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_veto_takes_no_event_away(score: float, right: float):
    """The same events begin and end with it as without; certainty alone may differ."""
    one = heard("dog_bark", score, at(0))
    noted = replace(one, evidence={EVIDENCE: right})
    plain, vetoed = tracking("dog_bark"), tracking("dog_bark")
    for tracker, found in ((plain, one), (vetoed, noted)):
        tracker.update([found], at(1))
    assert [e.label for e in plain.open_events()] == [e.label for e in vetoed.open_events()]
    assert [e.state for e in plain.update([], at(90))] == [e.state for e in vetoed.update([], at(90))]


def judge(verdicts: Verdicts, label: str, each: np.ndarray, word: str, by: str) -> None:
    for number, one in enumerate(each):
        what = Judged(f"{label}{word}{by}{number}", label, "hall", START, 0.9, "embedded",
                      embedding=one.astype("<f2").tobytes())  # fmt: skip
        verdicts.judge(what, word, None, START, by)  # type: ignore[arg-type]


def test_verdicts_over_mqtt_are_only_counted(tmp_path: Path):
    """Anything on the broker may answer; a person on the page or the command line teaches."""
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        judge(verdicts, "dog_bark", sounds(0, 10), "wrong", "mqtt")
        judge(verdicts, "dog_bark", sounds(1, 5), "right", "page Anna")
        judge(verdicts, "smoke_alarm", sounds(0, 20), "wrong", "page Anna")
        judge(verdicts, "smoke_alarm", sounds(1, 9), "right", "page Anna")
        assert of_verdicts(verdicts) == []
        assert verdicts.counts()["dog_bark"]["wrong"] == 10

        judge(verdicts, "dog_bark", sounds(0, 10), "wrong", "command line")
        [found] = of_verdicts(verdicts)
        assert found.label == "dog_bark"


class Still(SystemClock):
    """A clock that stands until it is set."""

    s = 0.0

    def monotonic_s(self) -> float:
        return self.s


def test_a_running_daemon_learns_within_a_minute(tmp_path: Path):
    """And again when a verdict is taken back."""
    clock, book = Still(), VetoBook()
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        kept = KeptVetoes(verdicts, book, clock)
        kept.tend()
        assert not book.labels
        judge(verdicts, "dog_bark", sounds(0, 10), "wrong", "page")
        judge(verdicts, "dog_bark", sounds(1, 5), "right", "page")
        clock.s = 61.0
        kept.tend()
        assert book.labels == {"dog_bark"}
        verdicts.undo("dog_barkwrongpage0")
        clock.s = 122.0
        kept.tend()
        assert not book.labels


def test_a_disk_that_fails_leaves_the_vetoes_as_they_are(tmp_path: Path):
    """The file is a folder: nothing can be read, and nothing stops."""
    (tmp_path / "verdicts.db").mkdir()
    book = VetoBook()
    book.exchange([Veto("dog_bark", np.zeros(2, np.float32), np.zeros(2, np.float32), 0.0, 5, 10)])
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        KeptVetoes(verdicts, book, Still()).tend()
    assert book.labels == {"dog_bark"}
