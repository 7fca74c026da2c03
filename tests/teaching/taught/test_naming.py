"""The question of the week: asked once, answered once, and remembered."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from monitor.classifiers.taggers.embedded import shipped_model
from monitor.config.model import Config
from monitor.teaching.taught.background import households_of
from monitor.teaching.taught.naming import FILE, answer, read_naming, was_taught
from monitor.teaching.taught.nightly import look
from monitor.teaching.tending import Night
from testkit.fakes import FakeClock
from testkit.heard_house import Sounding, hear
from testkit.taught import shipped_sha256

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def config(folder: Path) -> Config:
    return Config.model_validate(
        {"sources": [{"type": "demo", "name": "hall"}], "state_dir": str(folder),
         "classifiers": [{"type": "embedded"}]}
    )  # fmt: skip


OTHERS = households_of(shipped_model(), shipped_sha256()).sounds
"""Sounds of other households, as the model that ships gives them."""
WASHER, GATE = 3, 50


def comes(kind: int, times: int, until: datetime, days: int = 4) -> list[Sounding]:
    """One of them again and again, over some days."""
    rng = np.random.default_rng(kind)
    rows = OTHERS[kind] * (1 + 0.02 * rng.normal(size=(times, OTHERS.shape[1])))
    return [
        Sounding(f"{kind:06x}{n:06x}", until - timedelta(days=n % days, minutes=n + 1), row)
        for n, row in enumerate(rows)
    ]


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Config:
    """What came nine times on four days, what came seven times, and forty others."""
    made = config(tmp_path)
    others = [Sounding(f"{n:012x}", NOW - timedelta(hours=n), OTHERS[100 + n]) for n in range(40)]
    hear(made, [*comes(WASHER, 9, NOW), *comes(GATE, 7, NOW), *others])
    return made


def test_what_came_most_is_asked_about_once_a_week_at_most(house: Config):
    """An answer is remembered: a week later it is the other's turn, and then nobody's."""
    folder = house.state_folder()
    look(house, NOW)
    first = read_naming(folder).question
    assert first is not None
    assert (first.times, first.days, first.source) == (9, 4, "hall")
    assert all(id.startswith("000003") for id in first.hearings)
    look(house, NOW + timedelta(days=1))
    assert read_naming(folder).question == first

    assert answer(folder, first.id, "ignored", None, NOW + timedelta(days=2))
    assert not answer(folder, first.id, "ignored", None, NOW)
    look(house, NOW + timedelta(days=3))
    assert read_naming(folder).question is None
    look(house, NOW + timedelta(days=2) + WEEK)
    second = read_naming(folder).question
    assert second is not None
    assert all(id.startswith("000032") for id in second.hearings)
    was_taught(folder, second.hearings, "our_gate", NOW + 2 * WEEK)
    look(house, NOW + 4 * WEEK)
    assert read_naming(folder).question is None
    assert [one.answer for one in read_naming(folder).answered] == ["ignored", "named"]


def test_a_question_from_the_time_to_come_makes_way(house: Config):
    """It was asked while the clock was years ahead; the next night there is one of today, and the next night
    comes although the last look lies ahead."""
    folder, clock = house.state_folder(), FakeClock(NOW)
    look(house, NOW)
    text = (folder / FILE).read_text().replace("2026-05", "2036-05")
    (folder / FILE).write_text(text)
    night = Night(house, clock, nice=0)
    night.tend()
    clock.advance(86_400.0)
    pause, left = threading.Event(), 1200
    while (looked_at := read_naming(folder).looked_at) is None or looked_at.year == 2036:
        assert left, "the night's look has not ended"
        left -= 1
        night.tend()
        pause.wait(0.05)
    night.tend(last=True)
    question = read_naming(folder).question
    assert question is not None
    assert question.asked_at == looked_at


def test_nothing_is_asked_about_an_empty_house_and_a_damaged_file_begins_anew(house: Config):
    """Neither is an error."""
    folder = house.state_folder()
    (folder / FILE).write_text('{"question": 3}')
    look(house, NOW)
    assert read_naming(folder).question is not None


def test_the_daemon_looks_at_night_in_a_process_of_its_own(house: Config):
    """From half past three on, once; and what is asked is in health."""
    folder, clock = house.state_folder(), FakeClock(NOW)
    night = Night(house, clock, nice=0)
    night.tend()
    assert (night.question, os.listdir(folder)) == (None, ["scores.db"])
    clock.advance(86_400.0)
    pause, left = threading.Event(), 1200
    while night.question is None:
        assert left, "the night's look has not ended"
        left -= 1
        night.tend()
        pause.wait(0.05)
    assert night.question["times"] == 9
    night.tend(last=True)
