"""What is kept of every sound that is over, so that a house can teach what stands out from it."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.config.loading import default_config
from monitor.config.model import Config
from monitor.history.best_looks import UNASKED, BestLooks
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.writer import ScoreStore
from monitor.labels import name_taught
from monitor.types import Findings, Segment
from testkit.builders import START, heard
from testkit.fakes import FakeClock

EMBEDDING = np.ones(384, "<f2").tobytes()
SILENT = Audio(np.zeros(SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)


def demo() -> Config:
    """A house with a hall."""
    return default_config([{"type": "demo", "name": "hall"}])


def kept(folder: Path, ended_by: str, voice: float, **scores: float) -> list[tuple[str | None, str]]:
    """Label and source of what is kept of one sound."""
    config = demo()
    name_taught(["washer_done"])
    segment = Segment("a" * 12, "hall", START, SILENT, 0.0, -60, -30, voice, ended_by)  # type: ignore[arg-type]
    looks = [
        replace(heard(label, score, START), source="hall", segment_id="a" * 12, embedding=EMBEDDING,
                classifier="taught" if label == "washer_done" else "embedded")
        for label, score in ({"speech": 0.0} | scores).items()
    ]  # fmt: skip
    with ScoreStore(folder / SCORES, FakeClock(START), best=BestLooks(config)) as store:
        at = START + timedelta(seconds=2)
        store.hear(Findings("hall", at, (), (segment,)), at)
        store.hear(Findings("hall", at, tuple(looks)), at)
        store.flush()
    with History(folder / SCORES) as history, history.rows() as rows:
        return rows.execute("SELECT label, source FROM background").fetchall()


def test_a_sound_that_is_over_is_kept_with_what_it_was_taken_for(tmp_path: Path):
    """By the model, or by what the house has taught."""
    assert kept(tmp_path / "a", "silence", 0.0, cough=0.1) == [(None, "hall")]
    assert kept(tmp_path / "b", "silence", 0.0, dog_bark=0.99) == [("dog_bark", "hall")]
    assert kept(tmp_path / "c", "silence", 0.0, washer_done=0.9) == [("washer_done", "hall")]
    assert kept(tmp_path / "d", "open", 0.0, dog_bark=0.99) == []


def test_a_chime_that_the_voice_detector_takes_for_a_voice_is_kept(tmp_path: Path):
    """The model knows better: it hears no words at all."""
    assert kept(tmp_path, "silence", 0.1, doorbell=0.9, speech=0.005) == [("doorbell", "hall")]


@pytest.mark.parametrize(("voice", "speech"), [(0.0, 0.2), (0.1, 0.03), (0.6, 0.0)])
def test_of_what_may_hold_words_nothing_is_kept(tmp_path: Path, voice: float, speech: float):
    """Also where a taught sound is heard in it."""
    assert kept(tmp_path, "silence", voice, speech=speech, washer_done=0.9) == []


def early(folder: Path, *looks: tuple[float, float], voice: float = 0.0) -> list[tuple[int, bytes]]:
    """Count and embedding of the early looks that are kept of one sound; each look has a score for speech and
    a number that is its embedding, the last is of the whole sound."""
    with ScoreStore(folder / SCORES, FakeClock(START), best=BestLooks(demo())) as store:
        for n, (speech, number) in enumerate(looks, start=1):
            at, ended_by = START + timedelta(seconds=n), "open" if n < len(looks) else "silence"
            segment = Segment("b" * 12, "hall", START, SILENT, 0.0, -60, -30, voice, ended_by)  # type: ignore[arg-type]
            embedding = np.full(384, number, "<f2").tobytes()
            found = [
                replace(heard(label, score, START), source="hall", segment_id="b" * 12, embedding=embedding,
                        classifier="embedded")
                for label, score in {"speech": speech, "cough": 0.1}.items()
            ]  # fmt: skip
            store.hear(Findings("hall", at, (), (segment,)), at)
            store.hear(Findings("hall", at, tuple(found)), at)
        store.flush()
    with History(folder / SCORES) as history, history.rows() as rows:
        return rows.execute("SELECT looks, embedding FROM early").fetchall()


def test_of_early_looks_the_last_is_kept_when_the_sound_is_over(tmp_path: Path):
    """With how many there were; none of a sound in which any look, or the voice detector, found words."""
    [(looks, embedding)] = early(tmp_path / "a", (0.0, 1.0), (0.0, 2.0), (0.0, 3.0))
    assert (looks, np.frombuffer(embedding, "<f2")[0]) == (2, 2.0)
    assert early(tmp_path / "b", (0.2, 1.0), (0.0, 2.0), (0.0, 3.0)) == []
    assert early(tmp_path / "c", (0.0, 1.0), (0.0, 2.0), (0.3, 3.0)) == []
    assert early(tmp_path / "d", (0.03, 1.0), (0.0, 3.0), voice=0.1) == []
    assert early(tmp_path / "e", (0.0, 1.0)) == []


@dataclass
class Beeping:
    """A sound, and how often it was asked for its beeps."""

    asked: int = 0

    def __call__(self) -> bytes:
        """Says what beeps in it."""
        self.asked += 1
        return b"beeps"


def overhear(store: ScoreStore, beeping: Beeping, number: int = 0) -> None:
    """Let it hear a sound that is over."""
    id = f"{number:012x}"
    segment = Segment(id, "hall", START, SILENT, 0.0, -60, -30, 0.0, "silence")
    look = replace(
        heard("speech", 0.0, START), source="hall", segment_id=id, embedding=EMBEDDING, beeps=beeping
    )
    store.hear(Findings("hall", START, (), (segment,)), START)
    store.hear(Findings("hall", START, (look,)), START)


def kept_beeps(folder: Path) -> list[tuple[bytes | None]]:
    """Of every sound."""
    with History(folder / SCORES) as history, history.rows() as rows:
        return rows.execute("SELECT beeps FROM background").fetchall()


def test_a_sound_is_asked_for_its_beeps_once_and_not_before_it_is_written(tmp_path: Path):
    """Whoever hears waits for a verdict. Also where the first attempt fails: the sound itself is let go."""
    beeping = Beeping()
    (tmp_path / SCORES).mkdir()
    with ScoreStore(tmp_path / SCORES, FakeClock(START), best=BestLooks(demo())) as store:
        overhear(store, beeping)
        assert beeping.asked == 0
        store.flush()
        (tmp_path / SCORES).rmdir()
        store.flush()
        store.flush()
    assert beeping.asked == 1
    assert kept_beeps(tmp_path) == [(b"beeps",)]


def test_few_sounds_are_held_until_they_are_written(tmp_path: Path):
    """Of a fast recording, or while the disk hangs, the others are asked at once, and let go."""
    sounds = [Beeping() for _ in range(3 * UNASKED)]
    with ScoreStore(tmp_path / SCORES, FakeClock(START), best=BestLooks(demo())) as store:
        for number, one in enumerate(sounds):
            overhear(store, one, number)
        assert [one.asked for one in sounds] == [0] * UNASKED + [1] * 2 * UNASKED
        store.flush()
        overhear(store, last := Beeping(), len(sounds))
        assert last.asked == 0
        store.flush()
    assert {one.asked for one in (*sounds, last)} == {1}
    assert len(kept_beeps(tmp_path)) == len(sounds) + 1
