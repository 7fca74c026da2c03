"""From what a house keeps to a suggestion that is taken and taken back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config.capabilities import in_force
from monitor.config.loading import as_configured, load_config
from monitor.config.model import Config
from monitor.config.overrides import apply, undo
from monitor.history.judging import best_score
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.verdicts import Verdicts
from monitor.labels import LIFE_SAFETY
from monitor.teaching.house import HouseReading
from monitor.teaching.suggestion import Suggestion, suggest
from testkit.fakes import FakeClock
from testkit.judged_house import live, state

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SCORES_OF_DOGS = [0.91, 0.999, 0.915, 0.9985, 0.92, 0.995, 0.93, 0.999, 0.912, 0.85, 0.9991, 0.918]
WRONG_BELOW = 0.95


@pytest.fixture(name="config")
def _config(tmp_path: Path) -> Config:
    path = tmp_path / "house.yaml"
    path.write_text(state(tmp_path, "labels: {dog_bark: {onset: 0.9}}\n"))
    return load_config(path)


@contextmanager
def house(config: Config) -> Iterator[tuple[HouseReading, Verdicts]]:
    folder = config.state_folder()
    with History(folder / SCORES) as history, Verdicts(folder, FakeClock(NOW)) as verdicts:
        yield HouseReading(config, history, verdicts, NOW), verdicts


def test_verdicts_become_an_onset_that_is_taken_and_taken_back(config: Config):
    """Barks below 0.95 are wrong: the suggestion lies above them, and `undo` is one step."""
    events = live(config, SCORES_OF_DOGS, NOW)
    with house(config) as (reading, _):
        for event in events:
            reading.answer(event.id, "right" if event.score > WRONG_BELOW else "wrong", "me")
    with house(config) as (reading, _):
        assert reading.verdict_counts() == {"dog_bark": len(events)}
        [taught] = reading.everything_taught()
        found = suggest(taught)
    assert isinstance(found, Suggestion)
    assert 0.93 < found.onset < 0.995
    assert {one.right for one in found.gone} == {False}

    path = config.state_folder() / "house.yaml"
    apply(as_configured(path), {found.place: found.onset}, by="suggestion", at=NOW)
    assert in_force(load_config(path))["hall"]["dog_bark"].onset == found.onset
    undo(config.state_folder())
    assert in_force(load_config(path))["hall"]["dog_bark"].onset == 0.9


def test_a_verdict_outlasts_the_scores_it_was_given_on(config: Config, tmp_path: Path):
    """The history forgets after days; what was judged still teaches."""
    events = live(config, SCORES_OF_DOGS, NOW)
    with house(config) as (reading, _):
        for event in events:
            reading.answer(event.id, "wrong", "me")
        before = sorted(one.x for one in reading.known)
    (tmp_path / SCORES).unlink()
    live(config, [0.91], NOW)
    with house(config) as (reading, _):
        assert sorted(one.x for one in reading.known) == pytest.approx(before, abs=1e-3)


def test_questions_are_about_what_nobody_was_asked(config: Config):
    """Answered, skipped or judged elsewhere: none comes twice."""
    events = live(config, SCORES_OF_DOGS, NOW)
    with house(config) as (reading, verdicts):
        asked = reading.questions()
        assert {one.event_id for one in asked} == {event.id for event in events}
        reading.answer(events[0].id, "right", "me")
        reading.answer(events[1].id, None, "me")
        assert len(reading.questions()) == len(events) - 2
        assert len(verdicts.asked()) == 2
        assert len(verdicts.of([event.id for event in events])) == 1


def test_two_runs_over_one_recording_are_asked_about_once(config: Config):
    """Both heard each bark at the same time: one answer is enough, whichever run it is given to."""
    first, second = live(config, SCORES_OF_DOGS, NOW), live(config, SCORES_OF_DOGS, NOW)
    assert not {one.id for one in first} & {one.id for one in second}
    with house(config) as (reading, _):
        assert len(reading.questions()) == len(first)
        reading.answer(first[0].id, "right", "me")
        reading.answer(second[1].id, None, "me")
        assert len(reading.questions()) == len(first) - 2


def test_a_missed_sound_counts_by_the_look_that_came_nearest(config: Config):
    """And where nothing was classified it is known that the gate was shut."""
    live(config, SCORES_OF_DOGS, NOW)
    near = NOW - timedelta(minutes=2 * 3)
    with house(config) as (reading, verdicts):
        seen = reading.missed_at("dog_bark", "hall", near)
        assert best_score(seen) == pytest.approx(0.85, abs=0.001)
        in_its_minute = reading.missed_at("dog_bark", "hall", near - timedelta(seconds=59))
        assert best_score(in_its_minute) == best_score(seen)
        unseen = reading.missed_at("dog_bark", "hall", NOW - timedelta(days=2))
        assert best_score(unseen) is None
        for one in (seen, unseen):
            verdicts.miss(one, NOW, "me")
        assert len(reading.taught("dog_bark").missed) == 1


def test_a_source_with_fifteen_verdicts_gets_an_onset_of_its_own(tmp_path: Path):
    """One room's television must not make the porch deaf."""
    path = tmp_path / "house.yaml"
    path.write_text(
        state(tmp_path, "labels: {dog_bark: {onset: 0.9}}\n").replace("}]", "}, {type: demo, name: porch}]")
    )
    config = load_config(path)
    events = live(config, SCORES_OF_DOGS * 2, NOW) + live(config, SCORES_OF_DOGS, NOW, source="porch")
    with house(config) as (reading, _):
        for event in events:
            reading.answer(event.id, "right" if event.score > WRONG_BELOW else "wrong", "me")
        taught = list(reading.everything_taught())
    with house(config) as (reading, _):
        taught = list(reading.everything_taught())
    assert [one.source for one in taught] == ["hall", None]
    found = suggest(taught[0])
    assert isinstance(found, Suggestion)
    assert found.place == "sources.hall.labels.dog_bark.onset"


@pytest.mark.parametrize("label", sorted(LIFE_SAFETY))
def test_a_life_safety_alarm_is_neither_asked_about_nor_taught(config: Config, label: str):
    """However often somebody calls it wrong, on the page or over MQTT."""
    events = live(config, [0.9, 0.95, 0.99] * 3, NOW, label)
    with house(config) as (reading, _):
        assert reading.questions() == []
        for event in events:
            reading.answer(event.id, "wrong", "me")
    with house(config) as (reading, _):
        assert list(reading.everything_taught()) == []
        assert label not in reading.needs["hall"]
