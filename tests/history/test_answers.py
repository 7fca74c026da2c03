"""What people say of events from elsewhere than the page, and what is kept beside it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from monitor.config.model import Config
from monitor.history.answers import Answers
from monitor.history.best_looks import BestLooks
from monitor.history.records import unpack_scores
from monitor.history.verdicts import FILE, Verdicts
from monitor.history.writer import ScoreStore
from monitor.types import Command, Detection, Findings, Setting
from testkit.builders import START, alert, event, heard, noise, segment
from testkit.fakes import FakeClock

CONFIG = Config.model_validate(
    {
        "node": "home",
        "sources": [{"type": "file", "name": "kitchen", "path": "k.wav"}],
        "classifiers": [{"type": "embedded"}],
        "labels": {"dog_bark": {"onset": 0.6}},
    }
)
MADE_IT, NEARLY, FAR = (np.full(384, n, "<f2").tobytes() for n in (1, 2, 3))
EVENT = event("dog_bark")


@dataclass
class Night:
    """A history and what is said of it."""

    folder: Path
    store: ScoreStore
    answers: Answers

    def hear(self, segment_id: str, embedding: bytes, **scores: float) -> None:
        said: list[Detection] = [
            heard(label, score, segment_id=segment_id, embedding=embedding) for label, score in scores.items()
        ]
        self.store.hear(Findings("kitchen", START, tuple(said)), START + timedelta(seconds=1))
        self.store.flush()

    def rows(self, file: str, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / file)) as connection:
            return connection.execute(sql).fetchall()

    def embeddings(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "scores.db", "SELECT segment_id, label, embedding FROM embedding ORDER BY segment_id"
        )


@pytest.fixture(name="clock")
def _clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(name="night")
def _night(tmp_path: Path, clock: FakeClock) -> Iterator[Night]:
    scores = tmp_path / "scores.db"
    best = BestLooks(CONFIG)
    with ScoreStore(scores, clock, best=best) as store, Verdicts(tmp_path, clock) as verdicts:
        yield Night(tmp_path, store, Answers(verdicts, scores, clock))


def say(word: Any, id: str = EVENT.id, label: str | None = None) -> Command:
    return Command("verdict", value=id, by="mqtt", word=word, label=label)


def test_a_verdict_keeps_the_best_look_with_its_scores(night: Night) -> None:
    """All scores of the look that was surest, what it was like to the model, and who said it."""
    night.hear("0" * 12, NEARLY, dog_bark=0.55, cough=0.2)
    night.hear("1" * 12, MADE_IT, dog_bark=0.9, cough=0.1)
    night.store.post(EVENT, START)
    night.store.flush()

    night.answers.put(say("wrong", label="cough"))
    assert [one.word for one in night.answers.write()] == ["wrong"]

    [(by, label, labels, scores, embedding)] = night.rows(
        FILE, "SELECT judged_by, label, labels, scores, embedding FROM verdict"
    )
    assert (by, label, labels) == ("mqtt", "cough", "dog_bark cough")
    assert unpack_scores(scores) == pytest.approx([0.9, 0.1], abs=1e-4)
    assert embedding == MADE_IT
    assert len(embedding) == 2 * 384


def test_near_misses_keep_what_they_were_like_and_nothing_else_does(night: Night) -> None:
    """From a tenth below the onset; of a segment that is looked at again the best look stays."""
    night.hear("0" * 12, NEARLY, dog_bark=0.51)
    night.hear("1" * 12, FAR, dog_bark=0.45)
    night.hear("2" * 12, FAR, dog_bark=0.52)
    night.hear("2" * 12, MADE_IT, dog_bark=0.7)
    night.hear("2" * 12, FAR, dog_bark=0.6)
    assert night.embeddings() == [("0" * 12, "dog_bark", NEARLY), ("2" * 12, "dog_bark", MADE_IT)]


def test_nothing_of_speech_is_kept(night: Night) -> None:
    """Neither where a listener heard words, however faintly, nor where the voice detector did."""
    night.hear("0" * 12, MADE_IT, dog_bark=0.9, speech=0.11)
    spoken = segment(noise(1.0), id="1" * 12)
    object.__setattr__(spoken, "speech_ratio", 0.3)
    night.store.hear(Findings("kitchen", START, segments=(spoken,)), START)
    night.hear("1" * 12, MADE_IT, dog_bark=0.9, speech=0.0)
    assert night.embeddings() == []


def test_a_rooms_sensitivity_moves_what_is_near(night: Night) -> None:
    """As it moves the onset."""
    night.store.post(Setting("kitchen", "sensitivity", 1.0), START)
    night.hear("0" * 12, NEARLY, dog_bark=0.45)
    assert [row[0] for row in night.embeddings()] == ["0" * 12]


def test_it_is_forgotten_with_the_scores(night: Night, clock: FakeClock) -> None:
    """After `history_days`; what was judged is kept for good."""
    night.hear("1" * 12, MADE_IT, dog_bark=0.9)
    night.store.post(EVENT, START)
    night.store.flush()
    night.answers.put(say("right"))
    night.answers.write()
    clock.advance(8 * 86400)
    night.store.flush()
    assert night.embeddings() == []
    assert night.rows(FILE, "SELECT embedding FROM verdict") == [(MADE_IT,)]


def test_an_answer_about_nothing_known_is_logged_once(night: Night) -> None:
    """Anybody on the broker can send any number."""
    for n in range(5):
        night.answers.put(say("right", id=f"{n:012x}"))
    assert night.answers.write() == []
    assert night.rows(FILE, "SELECT * FROM verdict") == []


def test_acknowledging_all_names_each_open_alert(night: Night, clock: FakeClock) -> None:
    """Those that wait now; one that is raised later still waits."""
    night.store.post(alert(id="a00000000001", at=clock.now()), clock.now())
    night.store.post(alert(id="a00000000002", at=clock.now(), severity="info"), clock.now())
    night.store.flush()
    night.answers.put(Command("ack", by="mqtt"))
    night.answers.write()
    assert night.rows(FILE, "SELECT alert_id, acknowledged_by FROM acknowledged") == [
        ("a00000000001", "mqtt")
    ]


def test_it_was_nothing_acknowledges_and_judges_every_event(night: Night, clock: FakeClock) -> None:
    """Of this alert alone; an alert that nobody knows is none."""
    other = event("scream", id="e00000000002")
    night.store.post(EVENT, START)
    night.store.post(other, START)
    night.store.post(alert(events=(EVENT, other, EVENT), at=clock.now()), clock.now())
    night.store.post(alert(id="a00000000002", at=clock.now()), clock.now())
    night.store.flush()
    night.answers.put(Command("nothing", value="a00000000001", by="mqtt"))
    night.answers.put(Command("nothing", value="a00000000009", by="mqtt"))
    kept = night.answers.write()
    assert [(one.name, one.value) for one in kept] == [
        ("verdict", EVENT.id), ("verdict", other.id), ("ack", "a00000000001"),
    ]  # fmt: skip
    assert night.rows(FILE, "SELECT alert_id FROM acknowledged") == [("a00000000001",)]
    assert night.rows(FILE, "SELECT event_id, verdict FROM verdict ORDER BY event_id") == sorted(
        [(EVENT.id, "wrong"), (other.id, "wrong")]
    )


def test_what_a_test_makes_up_is_no_event(night: Night, clock: FakeClock) -> None:
    """It would lie in the timeline and never end; the alert is kept, and says that it is a test."""
    made_up = event("smoke_alarm", id="e00000000003", evidence={"test": True})
    night.store.post(alert(events=(made_up,), at=clock.now(), test=True), clock.now())
    night.store.flush()
    assert night.rows("scores.db", "SELECT id FROM event") == []
    assert night.rows("scores.db", "SELECT event_id FROM alert_event") == []
    assert night.rows("scores.db", "SELECT json_extract(body, '$.test') FROM said") == [(1,)]


def test_what_the_disk_refuses_waits(night: Night) -> None:
    """And is kept as soon as the disk takes it."""
    night.hear("1" * 12, MADE_IT, dog_bark=0.9)
    night.store.post(EVENT, START)
    night.store.flush()
    night.answers.put(say("right"))
    with closing(sqlite3.connect(night.folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with capture_logs() as logs:
            assert night.answers.write() == []
            assert night.answers.write() == []
            other.execute("ROLLBACK")
            assert [one.value for one in night.answers.write()] == [EVENT.id]
    what = "acknowledgements and verdicts are"
    assert [line["event"] for line in logs] == [f"{what} not being kept", f"{what} kept again"]
