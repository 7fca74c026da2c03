"""A taught sound on disk: whole, strict, and never a reason to stop."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classifiers.taught.sound import MOST_BYTES, SideBySide, TaughtSound, read_sound
from monitor.config.taught import forget_taught, read_taught, write_taught
from monitor.errors import StoreError
from monitor.labels import check_taught_name
from monitor.teaching.taught.learning import learn
from testkit.builders import START
from testkit.taught import SIZE, background, hearings, taught


def test_it_is_kept_as_json_and_read_as_it_was(tmp_path: Path):
    """Numbers and text, nothing that runs."""
    sound = taught()
    file = write_taught(tmp_path, sound)
    assert json.loads(file.read_text())["label"] == "washer_done"
    assert read_sound(file) == sound
    assert file.stat().st_mode & 0o777 == 0o600


def broken(sound_file: Path, **changes: object) -> str:
    return json.dumps(json.loads(sound_file.read_text()) | changes)


def test_a_hostile_or_damaged_file_costs_its_sound_alone(tmp_path: Path):
    """Each is a line with the fix; the others are heard, and every name stays known to the rules."""
    good = write_taught(tmp_path, taught())
    bad = {
        "cut": good.read_text()[:100],
        "empty": "",
        "text": "nothing here",
        "list": "[1, 2]",
        "deep": "[" * 100_000,
        "endless": broken(good, label="endless", bar=float("inf")),
        "number": broken(good, label="number", prototype=["NaN"] * 8),
        "shape": broken(good, label="shape", prototype=[0.1] * 7),
        "another": broken(good, label="somebody_else"),
        "unknown": broken(good, label="unknown", run="rm -rf /"),
        "large": " " * (MOST_BYTES + 1),
        "pickle": "\\x80\\x04cos\\nsystem\\n",
    }
    for name, text in bad.items():
        (good.parent / f"{name}.json").write_text(text)
    (good.parent / "folder.json").mkdir()
    (good.parent / "No Name.json").write_text("{}")

    here = read_taught(tmp_path)

    assert [one.label for one in here.sounds] == ["washer_done"]
    assert set(here.labels) == {"washer_done", "folder", *bad}
    assert len(here.problems) == len(bad) + 2
    assert all("teach it again" in problem or "remove it" in problem for problem in here.problems)


def test_it_is_forgotten(tmp_path: Path):
    """Once."""
    write_taught(tmp_path, taught())
    assert forget_taught(tmp_path, "washer_done")
    assert not forget_taught(tmp_path, "washer_done")
    assert read_taught(tmp_path).labels == ()


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path):
    """With the path; nothing half-written stays."""
    (tmp_path / "taught").write_text("a file is in the way")
    with pytest.raises(StoreError, match="taught"):
        write_taught(tmp_path, taught())
    shutil.rmtree(tmp_path / "nowhere", ignore_errors=True)
    assert read_taught(tmp_path / "nowhere").labels == ()


def test_side_by_side_they_are_as_alike_as_each_alone():
    """Those that were taught together, and one that was taught later in a house that sounded otherwise."""
    later = background(np.random.default_rng(8).normal(1.0, 2.0, (300, SIZE)), hours=50.0)
    other = learn("gate", hearings(direction=3), later, START)
    assert isinstance(other, TaughtSound)
    sounds = [taught(), taught("our_bell"), other]
    for one in hearings(count=8):
        together, far = SideBySide(sounds).likeness(one.embedding)
        assert together == pytest.approx([float(each.likeness(one.embedding)) for each in sounds], abs=1e-5)
        assert not far[:2].any()
    assert SideBySide(()).likeness(np.zeros(SIZE, np.float32))[0].shape == (0,)
    many, _ = SideBySide(sounds).likeness(np.array([one.embedding for one in hearings(count=8)]))
    assert many.shape == (8, 3)
    assert many[7] == pytest.approx(together, abs=1e-5)


@given(times=st.floats(3.0, 1000.0), turned=st.floats(0.0, 0.3))
def test_what_is_far_from_every_hearing_is_something_else(times: float, turned: float):
    """However alike its direction is; what was taught before distance was asked goes by that alone."""
    sound, one = taught(), hearings(count=8)[7].embedding
    far_away = times * one + turned * one[::-1]
    together = SideBySide([sound, sound.model_copy(update={"reach": None})])

    likeness, far = together.likeness(far_away)
    assert likeness[0] > sound.bar
    assert far.tolist() == [True, False]
    assert sound.score(float(likeness[0]), is_far=True) == 0.0
    assert sound.score(float(likeness[0]), is_far=True, in_rhythm=True) >= 0.5
    assert not together.likeness(one)[1].any()


def test_a_sound_that_was_taught_before_rhythm_and_distance_loads_as_it_was(tmp_path: Path):
    """Its file has neither."""
    old = taught().model_dump(mode="json", exclude={"reach", "beeps", "rhythm"})
    (tmp_path / "washer_done.json").write_text(json.dumps(old))
    read = read_sound(tmp_path / "washer_done.json")
    assert (read.reach, read.beeps, read.rhythm) == (None, (), None)
    assert read.score(read.bar) == 0.5


def test_it_learns_for_a_week():
    """From when it was taught."""
    sound = taught()
    assert sound.is_learning(START)
    assert not sound.is_learning(sound.learning_until)
    assert sound.is_learning(sound.learning_until - timedelta(seconds=1))


@pytest.mark.parametrize("name", ["washer_done", "our_gate", "beep2", "coffee", "fireplace", "cohort"])
def test_a_name_of_ones_own(name: str):
    """Small letters, digits and _."""
    assert check_taught_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("smoke_alarm", "heard without teaching"),
        ("dog_bark", "known already"),
        ("kitchen_smoke", "save a life"),
        ("fire_bell", "save a life"),
        ("co_detector", "save a life"),
        ("carbon_monoxide", "save a life"),
        ("Washer", "no name"),
        ("../../etc/passwd", "no name"),
        ("x" * 33, "no name"),
        ("a.b", "no name"),
        ("", "no name"),
    ],
)
def test_a_name_that_may_not_be_taught(name: str, reason: str):
    """Never one that somebody's life might be trusted to."""
    with pytest.raises(ValueError, match=reason):
        check_taught_name(name)
