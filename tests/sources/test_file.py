"""Recordings as a source."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from monitor.audio import Audio
from monitor.clock import Clock, SystemClock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.file import FileConfig, FileSource
from monitor.types import Frame
from testkit.fakes import FakeClock
from testkit.recordings import pitch_hz, record, tone_at

AT = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


def playing(path: Path, clock: Clock | None = None, **options: Any) -> FileSource:
    config = FileConfig.model_validate({"type": "file", "name": "tape", "path": path, **options})
    return config.build(clock or FakeClock())


def heard_of(path: Path, **options: Any) -> list[Frame]:
    with playing(path, **options) as source:
        return list(source.frames())


def test_a_recording_is_heard_from_its_start_to_its_end(tmp_path: Path) -> None:
    """Two seconds of a 44.1 kHz tone are 67 frames without a gap, dated from `started_at`."""
    path = record(tmp_path / "tone.flac", tone_at(1000, 2, 44_100), sample_rate_hz=44_100)

    frames = heard_of(path, started_at=AT)

    assert len(frames) == 67
    assert {len(frame.audio) for frame in frames} == {480}
    assert [frame.captured_at for frame in frames] == [AT + timedelta(milliseconds=30 * i) for i in range(67)]
    assert [frame.follows_gap for frame in frames] == [True] + [False] * 66
    assert pitch_hz(Audio.join(frame.audio for frame in frames).samples[:32_000]) == pytest.approx(
        1000, abs=1
    )


def test_nothing_is_left_for_a_library_to_complain_of(tmp_path: Path) -> None:
    """At the end of a process soxr's library writes lines about every resampler that lives. A source lives
    until then where a thread still holds it; its resampler goes when it is closed."""
    path = record(tmp_path / "tone.wav", tone_at(440, 2, 44_100), sample_rate_hz=44_100)
    script = f"""if True:
        import threading
        from pathlib import Path
        from monitor.clock import SystemClock
        from monitor.sources.file import FileConfig
        source = FileConfig(type="file", name="tape", path=Path({str(path)!r})).build(SystemClock())
        with source:
            pieces = source.pieces()
            assert next(pieces)
        hold = lambda *held: threading.Event().wait()
        threading.Thread(target=hold, args=(source, pieces), daemon=True).start()
        """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_without_a_date_it_begins_now(tmp_path: Path) -> None:
    """The first sample is dated by the clock when nothing else is said."""
    clock = FakeClock()
    with playing(record(tmp_path / "tone.wav", tone_at(440, 1, 48_000)), clock, realtime=True) as source:
        assert abs(next(source.frames()).captured_at - clock.now()) < timedelta(seconds=1)


def test_nothing_is_dated_ahead_of_now(tmp_path: Path) -> None:
    """A recording that is heard in a moment was over when it was opened."""
    clock = FakeClock()
    with playing(record(tmp_path / "tone.wav", tone_at(440, 60, 48_000)), clock) as source:
        first, *_, last = source.frames()
    assert first.captured_at == clock.now() - timedelta(seconds=60)
    assert last.captured_at < clock.now()


def test_it_can_be_opened_again(tmp_path: Path) -> None:
    """Each entering starts anew, at the beginning of the recording."""
    source = playing(record(tmp_path / "tone.wav", tone_at(440, 1, 48_000)))
    with source:
        once = [frame.audio.samples for frame in source.frames()]
    with source:
        again = [frame.audio.samples for frame in source.frames()]

    assert len(once) == 34
    assert np.array_equal(once, again)


def test_a_loop_goes_on_without_a_gap(tmp_path: Path) -> None:
    """A looped recording continues on its own timeline, seam unmarked, no silence filled in."""
    path = record(tmp_path / "tone.wav", tone_at(400, 1, 16_000), sample_rate_hz=16_000)
    frames: list[Frame] = []
    with playing(path, loop=True, started_at=AT) as source:
        for frame in source.frames():
            frames.append(frame)
            if len(frames) == 100:
                source.close()  # the piece in hand comes whole

    sound = Audio.join(frame.audio for frame in frames).samples
    assert len(frames) >= 100
    assert sum(frame.follows_gap for frame in frames) == 1
    assert np.array_equal(sound[:16_000], sound[16_000:32_000])
    assert frames[99].ends_at == AT + timedelta(seconds=3)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_of_a_truncated_recording_all_that_is_there_comes_first(tmp_path: Path, suffix: str) -> None:
    """Half a file is heard for its half, then named as lost."""
    path = record(tmp_path / f"tone.{suffix}", tone_at(1000, 4, 48_000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames: list[Frame] = []

    with playing(path) as source, pytest.raises(SourceLost, match="cut short"):
        frames += source.frames()
    assert len(frames) == pytest.approx(2 / 0.03, abs=15)


def test_damage_in_the_middle_is_a_gap_and_dates_stay_true(tmp_path: Path) -> None:
    """What follows a second of damaged packets is dated where it stands in the recording."""
    path = record(tmp_path / "tone.m4a", tone_at(1000, 4, 48_000))
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 8 : len(content) * 5 // 8] = bytes(len(content) // 4)
    path.write_bytes(content)
    frames: list[Frame] = []

    with playing(path, started_at=AT) as source, pytest.raises(SourceLost, match="could not be decoded"):
        frames += source.frames()
    assert sum(frame.follows_gap for frame in frames) > 1
    assert (frames[-1].ends_at - AT).total_seconds() == pytest.approx(4, abs=0.1)
    assert len(frames) * 0.03 < 3.3


def test_what_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    """A file that is not there is refused on entering, by name."""
    with pytest.raises(SourceUnavailable, match=r"none\.wav"), playing(tmp_path / "none.wav"):
        pass


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (make_fifo, "is a pipe"),
        (Path.mkdir, "is a folder"),
        (make_socket, "is a socket"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device"),
    ],
)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, make: Callable[[Path], None], what: str) -> None:
    """FFmpeg would wait for a pipe for ever, and the source would stay silent without a reason."""
    make(tmp_path / "tape.wav")
    with pytest.raises(SourceUnavailable, match=rf"tape\.wav: {what}"), playing(tmp_path / "tape.wav"):
        pass


def test_closing_before_opening_hears_nothing(tmp_path: Path) -> None:
    """A source told to close is silent even if it is opened afterwards."""
    source = playing(record(tmp_path / "tone.wav", tone_at(440, 1, 48_000)))
    source.close()
    source.close()
    with source:
        assert list(source.frames()) == []


def test_in_real_time_it_takes_as_long_as_it_lasts(tmp_path: Path) -> None:
    """Six tenths of a second of sound take six tenths of a second."""
    clock = SystemClock()
    path = record(tmp_path / "tone.wav", tone_at(440, 0.6, 48_000))
    with playing(path, clock, realtime=True) as source:
        began_s = clock.monotonic_s()
        assert len(list(source.frames())) == 20
        assert clock.monotonic_s() - began_s >= 0.6


def test_a_date_without_a_zone_is_refused() -> None:
    """`started_at` says which zone it means."""
    with pytest.raises(ValidationError, match="timezone"):
        FileConfig.model_validate(
            {"type": "file", "name": "tape", "path": "a.wav", "started_at": "2026-01-01T10:00:00"}
        )


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_a_date_at_the_end_of_the_calendar_is_refused(at: str) -> None:
    """Another zone, or the end of the recording, would have no date any more."""
    with pytest.raises(ValidationError, match="is none of a recording"):
        FileConfig.model_validate({"type": "file", "name": "tape", "path": "a.wav", "started_at": at})
