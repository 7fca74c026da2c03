"""Scores of everything that was heard, kept for days."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.clock import from_us, to_us
from monitor.errors import StoreError
from monitor.history.reader import History
from monitor.history.records import cut_of, looks_of, pack_scores, pack_spans, unpack_scores, unpack_spans
from monitor.history.writer import ScoreStore
from monitor.labels import sounds
from monitor.types import Alert, Detection, Findings, Level, Setting, SoundEvent, SourceStatus
from testkit.builders import START, heard, noise, segment
from testkit.fakes import FakeClock

EVER = (START - timedelta(days=365), START + timedelta(days=365))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "scores.db"


@pytest.fixture
def store(path: Path, clock: FakeClock) -> Iterator[ScoreStore]:
    with ScoreStore(path, clock) as store:
        yield store


def event(state: str = "started", **more: object) -> SoundEvent:
    """A dog at the kitchen."""
    fields: dict[str, object] = {
        "at": START,
        "score": 0.9,
        "classifier": "embedded",
        "certainty": "confirmed",
    }
    return SoundEvent("ab12cd34ef56", "dog_bark", "kitchen", state, started_at=START, **(fields | more))  # type: ignore[arg-type]


def every_label(score: float = 0.25) -> tuple[Detection, ...]:
    """What a model says of one look: a score for each label."""
    return tuple(heard(label, score, segment_id="0123456789ab") for label in sounds())


def test_a_sound_that_nobody_saw_end_lasted_until_it_was_last_found(store: ScoreStore, path: Path) -> None:
    """With at least the score that keeps its event open, whichever other sounds came later; and never before
    its last update."""
    after = [
        (2, heard("dog_bark", 0.9, at=START + timedelta(seconds=1))),
        (9, heard("dog_bark", 0.4, at=START + timedelta(seconds=8))),
        (20, heard("dog_bark", 0.1, at=START + timedelta(seconds=19))),
        (21, heard("speech", 0.9, at=START + timedelta(seconds=20))),
    ]
    for second, one in after:
        store.hear(Findings("kitchen", one.ends_at, detections=(one,)), START + timedelta(seconds=second))
    store.flush()

    with History(path) as history:
        by_off = {off: history.heard_until(event(), off, EVER[1]) for off in (0.3, 0.5, 0.95)}
        early = history.heard_until(event(), 0.3, START + timedelta(seconds=5))

    assert by_off == {0.3: after[1][1].ends_at, 0.5: after[0][1].ends_at, 0.95: START}
    assert early == after[0][1].ends_at


def test_a_look_comes_back_as_it_was_posted(store: ScoreStore, path: Path) -> None:
    """Detections come back in order, to 1/65535, with all that the tracker decides by."""
    posted = (
        *every_label(0.123)[:-1],
        heard("knock", 0.4, START + timedelta(seconds=1.5), duration_s=2.5, segment_id="aa"),
        heard("door_slam", 0.4, START, duration_s=0.03, segment_id="aa"),
        heard("speech", 0.7, classifier="qwen", emotion={"angry": 0.6}),
        heard(
            "smoke_alarm", 1.0, classifier="rhythm", certainty="suspected",
            evidence={"hold_s": 12.0, "beeps_s": [0.5, 0.5]},
        ),
    )  # fmt: skip
    store.hear(Findings("kitchen", START, posted), START)
    store.flush()
    with History(path) as history:
        back = [one for look in history.looks(*EVER) for one in look.detections()]
    assert [replace(one, score=round(one.score, 4)) for one in back] == list(posted)


def test_what_was_said_is_not_kept(store: ScoreStore, path: Path) -> None:
    """Free text by a model may quote people: descriptions reach no byte of the file, nor do messages."""
    secret = "she said the safe code"
    store.hear(Findings("kitchen", START, (heard("speech", 0.9, description=secret),)), START)
    store.post(event(description=secret), START)
    store.post(Alert("a1", "Talk", "info", (event(description=secret),), START, secret, {}), START)
    store.flush()
    assert all(secret.encode() not in file.read_bytes() for file in path.parent.iterdir())


def test_segments_and_levels_are_kept_without_sound(store: ScoreStore, path: Path) -> None:
    """Level, floor and speech ratio of every cut, and the levels between them."""
    cut = segment(noise(1.0, -30))
    level = Level("kitchen", START, -50.5, -60.25)
    store.hear(Findings("kitchen", START, (), (cut,), (level,)), START)
    store.flush()
    with History(path) as history:
        assert list(history.cuts(*EVER)) == [cut_of(cut)]
        assert list(history.levels(*EVER)) == [level]


def test_decisions_and_settings_are_kept_in_order(store: ScoreStore, path: Path) -> None:
    """Events, alerts, losses and settings come back in the order in which they happened."""
    posted = [
        Setting("kitchen", "sensitivity", 0.5),
        event(),
        Alert("f00", "Dog", "info", (event(),), START, "", {"hear": "dog_bark"}),
        event("ended", ended_at=START, ended_by="quiet"),
        SourceStatus("kitchen", False, START, "unplugged"),
    ]
    for message in posted:
        store.post(message, START)  # type: ignore[arg-type]
    store.flush()
    with History(path) as history:
        assert [message for _, message in history.messages(*EVER)] == posted
        assert [state.state for state in history.event("ab12")] == ["started", "ended"]
        assert history.event("ffff") == []


def test_one_source_can_be_asked_for(store: ScoreStore, path: Path) -> None:
    """Looks are found by source and by the time at which they were posted."""
    for i, source in enumerate(("kitchen", "porch", "kitchen")):
        at = START + timedelta(seconds=i)
        store.hear(Findings(source, at, (heard("knock", i / 10, source=source),)), at)
    store.flush()
    with History(path) as history:
        assert [look.scores["knock"] for look in history.looks(*EVER, "kitchen")] == pytest.approx(
            [0, 0.2], abs=1e-4
        )
        assert [look.source for look in history.looks(START + timedelta(seconds=1), EVER[1])] == [
            "porch",
            "kitchen",
        ]


def test_old_rows_go(store: ScoreStore, path: Path, clock: FakeClock) -> None:
    """After a week a row is forgotten; a younger one is not."""
    store.hear(Findings("kitchen", START, every_label()), clock.now())
    store.flush()
    clock.advance(4 * 86400)
    store.hear(Findings("kitchen", START, every_label()), clock.now())
    store.flush()
    clock.advance(3.5 * 86400)
    store.flush()
    with History(path) as history:
        assert len(list(history.looks(*EVER))) == 1


def test_what_is_set_outlasts_the_week(store: ScoreStore, path: Path, clock: FakeClock) -> None:
    """Of each source and name the setting that was in force when what is kept begins stays, and no older."""
    for value in (0.5, -0.5):
        store.post(Setting("kitchen", "sensitivity", value), clock.now())
    store.post(Setting("porch", "mute", True), clock.now())
    store.post(event(), clock.now())
    clock.advance(8 * 86400)
    store.post(Setting("porch", "mute", False), clock.now())
    store.flush()
    with History(path) as history:
        kept = [one for _, one in history.messages(*EVER)]
        assert history.settings(clock.now() - timedelta(days=1)) == kept[:2]
    assert kept == [
        Setting("kitchen", "sensitivity", -0.5),
        Setting("porch", "mute", True),
        Setting("porch", "mute", False),
    ]


def test_an_old_setting_does_not_cost_the_rest(path: Path, clock: FakeClock) -> None:
    """Where room must be made, the time to be kept is counted without a setting of long ago."""
    with ScoreStore(path, clock, max_bytes=200_000) as store:
        store.post(Setting("kitchen", "mute", True), clock.now())
        clock.advance(300 * 86400)
        for _ in range(2000):
            clock.advance(1)
            store.hear(Findings("kitchen", START, every_label()), clock.now())
        store.flush()
        clock.advance(601)
        store.flush()
        with History(path) as history:
            assert 400 < len(list(history.looks(*EVER))) < 1200
            assert history.settings(clock.now()) == [Setting("kitchen", "mute", True)]


def test_size_is_bounded_and_the_oldest_goes_first(path: Path, clock: FakeClock) -> None:
    """Beyond its size the store gives up the oldest and keeps the latest."""
    with ScoreStore(path, clock, max_bytes=200_000) as store:
        look = Findings("kitchen", START, every_label())
        for _ in range(2000):
            clock.advance(1)
            store.hear(look, clock.now())
        store.flush()
        clock.advance(601)
        store.flush()
        with History(path) as history:
            kept = list(history.looks(*EVER))
        assert 400 < len(kept) < 1200
        assert kept[-1].decided_at == clock.now() - timedelta(seconds=601)


def test_scores_are_tiny(path: Path, clock: FakeClock) -> None:
    """A look with a score for every label, and its cut, take less than 360 bytes."""
    look = Findings("kitchen", START, every_label(), (segment(noise(0.1)),))
    with ScoreStore(path, clock):
        pass
    empty = path.stat().st_size
    with ScoreStore(path, clock) as store:
        for _ in range(1800):
            store.hear(look, clock.now())
        store.flush()
    assert path.stat().st_size - empty < 1800 * 360


def test_a_disk_that_fails_loses_nothing_at_first(path: Path, clock: FakeClock) -> None:
    """What cannot be written waits, and is there when the directory is; the log says both."""
    path.parent.write_text("in the way")
    with capture_logs() as logs, ScoreStore(path, clock) as store:
        store.post(event(), START)
        store.flush()
        path.parent.unlink()
        store.flush()
        with History(path) as history:
            assert len(history.event("ab12cd34ef56")) == 1
        assert store.lost == 0
    lost, again = [line["event"] for line in logs]
    assert lost.startswith("scores are not being kept")
    assert again == "scores are being kept again"


def test_a_deleted_file_is_begun_anew(store: ScoreStore, path: Path) -> None:
    """Somebody who deletes the history while it is kept gets a new one."""
    store.post(event(), START)
    store.flush()
    for file in path.parent.iterdir():
        file.unlink()
    store.post(event("updated"), START)
    store.flush()
    store.flush()
    with History(path) as history:
        assert [state.state for state in history.event("ab12cd34ef56")] == ["updated"]


def test_memory_is_bounded_while_the_disk_fails(path: Path, clock: FakeClock) -> None:
    """Beyond 20 000 rows the oldest is given up, and counted."""
    path.parent.write_text("in the way")
    with ScoreStore(path, clock) as store:
        for _ in range(20_010):
            store.post(SourceStatus("kitchen", True, START), START)
        assert store.lost == 10
        path.parent.unlink()


def test_a_damaged_file_is_set_aside(path: Path, clock: FakeClock) -> None:
    """A file that is no database is kept under another name, and history goes on."""
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 1000)
    with ScoreStore(path, clock) as store:
        store.post(event(), START)
        store.flush()
    with History(path) as history:
        assert len(history.event("ab12cd34ef56")) == 1
    assert any(file.read_bytes().startswith(b"not a database") for file in path.parent.iterdir())


def test_the_file_is_private(store: ScoreStore, path: Path) -> None:
    """Only the owner may read what was heard in a home."""
    store.post(event(), START)
    store.flush()
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_reading_before_anything_was_kept_names_the_fix(path: Path) -> None:
    """The error says where was looked, and what to do."""
    said = rf"{path}: nothing has been kept yet; let `earwitness run` listen .* `state_dir`"
    with pytest.raises(StoreError, match=said), History(path):
        pass


def test_a_folder_that_cannot_be_looked_into_is_a_clear_error(tmp_path: Path) -> None:
    """Not a traceback: the service's folder is its own and root's."""
    (tmp_path / "state").write_text("no folder")
    said = r"scores.db: cannot be read \(Not a directory\).* with sudo, and check `state_dir`"
    with pytest.raises(StoreError, match=said), History(tmp_path / "state" / "scores.db"):
        pass


def test_reading_a_file_that_is_no_history_is_a_clear_error(path: Path) -> None:
    """A database of something else is refused, not misread."""
    path.parent.mkdir()
    sqlite3.connect(path).execute("CREATE TABLE x (y)").connection.close()
    with History(path) as history, pytest.raises(StoreError, match="no such table"):
        list(history.looks(*EVER))


@given(st.lists(st.floats(0, 1), max_size=70))
def test_scores_survive_packing(scores: list[float]) -> None:
    """No score is off by more than half a step."""
    assert unpack_scores(pack_scores(scores)) == pytest.approx(scores, abs=0.51 / 65535)


@given(st.datetimes(timezones=st.just(START.tzinfo)))
def test_times_survive_packing(at: object) -> None:
    """To the microsecond, whatever the year."""
    assert from_us(to_us(at)) == at  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.floats(0, 30), st.floats(0, 7200)), min_size=1, max_size=70))
def test_spans_survive_packing(spans: list[tuple[float, float]]) -> None:
    """Where a label was heard is kept to 0.1 ms, for two hours and longer."""
    back = unpack_spans(pack_spans(spans), len(spans))
    assert [at for span in back for at in span] == pytest.approx(
        [at for span in spans for at in span], abs=6e-5
    )


def test_detections_are_grouped_by_classifier() -> None:
    """One look for each listener and segment; the same label twice makes two."""
    posted = [heard("knock"), heard("door_slam"), heard("knock", classifier="qwen"), heard("knock", 0.1)]
    looks = list(looks_of(posted, START))
    assert [sorted(look.scores) for look in looks] == [["door_slam", "knock"], ["knock"], ["knock"]]
    assert json.dumps(looks[2].scores) == '{"knock": 0.1}'
