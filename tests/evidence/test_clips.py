"""Clips and pictures on disk."""

import io
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.audio import Audio
from monitor.errors import StoreError
from monitor.evidence.clips import ClipFile, ClipFolder, Retention, encoded, expired, file_name
from monitor.store.files import write_private
from monitor.types import SoundEvent
from testkit.builders import START, noise

DAY_S = 86400.0
LOOSE = Retention(keep_s=DAY_S, max_bytes=10**9, per_label=0)


def event(id: str = "ab12cd34ef56", label: str = "dog_bark", age_s: float = 0.0) -> SoundEvent:
    at = START - timedelta(seconds=age_s)
    return SoundEvent(id, label, "kitchen", "ended", "confirmed", at, at, 0.9, "embedded")


def decoded(data: bytes) -> tuple[np.ndarray, dict[str, str]]:
    with av.open(io.BytesIO(data)) as container:
        tags = {**container.metadata, **container.streams.audio[0].metadata}
        resampler = av.AudioResampler("s16", "mono", 16_000)
        parts = [
            out.to_ndarray()[0] for frame in container.decode(audio=0) for out in resampler.resample(frame)
        ]
        parts += [out.to_ndarray()[0] for out in resampler.resample(None)]
    return np.concatenate(parts), tags


def test_flac_is_lossless() -> None:
    """Every sample comes back, and the tags with them."""
    audio = Audio(noise(2.345, -20), 16_000)
    samples, tags = decoded(encoded(audio, "flac", {"title": "dog_bark (kitchen)", "onset_s": "0.500000"}))
    assert samples.tobytes() == audio.to_pcm16()
    assert (tags["title"], tags["onset_s"]) == ("dog_bark (kitchen)", "0.500000")


def test_opus_is_small_and_keeps_the_time() -> None:
    """A click stays where it was to the millisecond, in a sixth of the size."""
    samples = noise(5, -60)
    samples[40_000:40_080] += noise(0.005, -6)
    audio = Audio(samples, 16_000)
    data = encoded(audio, "opus", {"event": "ab12"})
    back, tags = decoded(data)
    assert abs(int(np.abs(back).argmax()) - 40_040) < 60
    assert tags["event"] == "ab12"
    assert len(data) < len(audio.to_pcm16()) / 6


def test_files_are_private_and_named_by_what_they_are(tmp_path: Path) -> None:
    """Time, source, label and event are in the name; only the owner may read."""
    shelf = ClipFolder(tmp_path / "clips", LOOSE)
    shelf.open()
    path = shelf.put(event(), "flac", b"x")
    assert path.name == "20260102T030405.000Z.kitchen.dog_bark.ab12cd34ef56.flac"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert shelf.files() == [ClipFile(path, START, "kitchen", "dog_bark", "ab12cd34ef56", 1)]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """Half a file is worse than none, and the error names the place."""
    (tmp_path / "there").mkdir()
    with pytest.raises(StoreError, match="there"):
        write_private(tmp_path / "there", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_what_a_crash_left_half_written_goes(tmp_path: Path) -> None:
    """Opening the shelf clears up; files of others stay."""
    (tmp_path / "a.flac.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    shelf = ClipFolder(tmp_path, replace(LOOSE, keep_s=0))
    shelf.open()
    shelf.sweep(START + timedelta(days=99))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["locked", "notes.txt"]


def test_a_link_planted_in_the_folder_is_not_followed(tmp_path: Path) -> None:
    """Nobody makes the daemon write elsewhere."""
    target = tmp_path / "target"
    target.write_text("safe")
    (tmp_path / "clip.flac.part").symlink_to(target)
    with pytest.raises(StoreError):
        write_private(tmp_path / "clip.flac", b"data")
    assert target.read_text() == "safe"


def test_locked_files_stay(tmp_path: Path) -> None:
    """What is locked outlasts every sweep, and its files stay together."""
    shelf = ClipFolder(tmp_path, LOOSE)
    shelf.open()
    for suffix in ("flac", "png"):
        shelf.put(event(age_s=9 * DAY_S), suffix, b"x")
    shelf.put(event("ff00", age_s=9 * DAY_S), "flac", b"x")
    assert shelf.lock("ab12cd34ef56") == 2
    assert shelf.sweep(START) == 1
    assert shelf.files() == []
    assert {one.event_id for one in shelf.files(locked=True)} == {"ab12cd34ef56"}


def kept(*events: tuple[str, float, int]) -> list[ClipFile]:
    """Files of (label, age in days, size), oldest first."""
    made = [
        ClipFile(Path(f"{i:x}"), START - timedelta(days=age), "kitchen", label, f"{i:x}", size)
        for i, (label, age, size) in enumerate(events)
    ]
    return sorted(made, key=lambda one: one.started_at)


def ids(files: list[ClipFile]) -> list[str]:
    return [one.event_id for one in files]


def test_old_files_go_but_the_latest_of_each_label_stay() -> None:
    """The only glass break of the year is kept though it is old."""
    files = kept(("glass_break", 300, 1), ("dog_bark", 20, 1), ("dog_bark", 19, 1), ("dog_bark", 1, 1))
    assert ids(expired(files, START, Retention(7 * DAY_S, 100, per_label=1))) == ["1", "2"]
    assert ids(expired(files, START, Retention(7 * DAY_S, 100, per_label=0))) == ["0", "1", "2"]


def test_beyond_the_size_the_oldest_unprotected_go_first() -> None:
    """The bound on size holds, at the price of the protected ones at last."""
    files = kept(("glass_break", 5, 40), ("dog_bark", 3, 40), ("dog_bark", 2, 40), ("dog_bark", 1, 40))
    assert ids(expired(files, START, Retention(7 * DAY_S, 100, per_label=1))) == ["1", "2"]
    assert ids(expired(files, START, Retention(7 * DAY_S, 50, per_label=1))) == ["1", "2", "0"]


ages = st.lists(
    st.tuples(st.sampled_from(["glass_break", "dog_bark", "knock"]), st.floats(0, 30), st.integers(0, 50)),
    max_size=30,
)


@given(ages, st.integers(0, 400), st.integers(0, 4))
def test_what_stays_fits_and_is_no_older_than_it_may_be(
    events: list[tuple[str, float, int]], max_bytes: int, per_label: int
) -> None:
    """After a sweep the rest fits; the rest of a label that is too old is no more than it may keep."""
    files = kept(*events)
    gone = expired(files, START, Retention(7 * DAY_S, max_bytes, per_label))
    left = [one for one in files if one not in gone]
    assert len(gone) == len(set(ids(gone)))
    assert sum(one.size_bytes for one in left) <= max_bytes
    old = [one.label for one in left if one.started_at < START - timedelta(days=7)]
    assert all(old.count(label) <= per_label for label in set(old))


def test_names_sort_by_time() -> None:
    """A listing of the folder is in the order of events."""
    names = [file_name(event(age_s=age_s), "flac") for age_s in (3600, 60, 0.5, 0)]
    assert names == sorted(names)


def test_a_folder_that_was_deleted_is_made_anew(tmp_path: Path) -> None:
    """Who deletes the state folder under a running daemon loses what was in it, and nothing after."""
    clips = ClipFolder(tmp_path / "state" / "evidence", Retention(1e9, 2**30, 0))
    clips.open()
    shutil.rmtree(tmp_path / "state")
    clips.put(event(), "flac", b"sound")

    assert clips.lock(event().id) == 1
    assert [one.event_id for one in clips.files(locked=True)] == [event().id]
