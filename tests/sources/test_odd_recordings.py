"""Recordings whose headers and timestamps are odd, and which are whole all the same."""

from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from monitor.audio import Audio
from monitor.clock import SystemClock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.file import FileConfig
from monitor.sources.recording import read_audio
from monitor.types import Frame
from testkit.builders import START, tone
from testkit.odd_recordings import (
    RATE_HZ,
    STRETCH_S,
    estimated_length,
    over_a_jump,
    tracks,
    without_table,
    wrong_byte_rate,
)
from testkit.recordings import record


def heard(path: Path, **options: object) -> list[Frame]:
    block = {"type": "file", "name": "tape", "path": path, "started_at": START, **options}
    with FileConfig.model_validate(block).build(SystemClock()) as source:
        return list(source.frames())


def begins_s(frames: list[Frame]) -> list[float]:
    """Where each stretch without a gap begins."""
    return [(frame.captured_at - START).total_seconds() for frame in frames if frame.follows_gap]


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize("hole_s", [1.0, 60.0, 3600.0])
def test_a_hole_in_the_containers_time_keeps_its_place(tmp_path: Path, suffix: str, hole_s: float) -> None:
    """Two stretches with a pause between: both are heard, each at its time, and nothing is cut short."""
    sound = tone(1000, STRETCH_S)
    path = tracks(tmp_path / f"pause.{suffix}", [(0.0, sound), (STRETCH_S + hole_s, sound)])

    _, second_s = begins_s(heard(path))
    assert second_s == pytest.approx(STRETCH_S + hole_s, abs=0.15)


def test_sound_that_begins_later_than_its_film_keeps_its_place(tmp_path: Path) -> None:
    """The sound track begins five seconds into the recording."""
    path = tracks(tmp_path / "late.mkv", [(5.0, tone(1000, STRETCH_S))])

    assert begins_s(heard(path)) == [pytest.approx(5.0, abs=0.1)]


def test_timestamps_that_jump_back_lose_nothing(tmp_path: Path) -> None:
    """Two transport streams in one file: the second begins at its own zero."""
    both = over_a_jump(tmp_path / "both.ts")

    assert len(heard(both)) * 0.03 == pytest.approx(2 * STRETCH_S, abs=0.3)


def test_an_estimated_length_is_no_promise(tmp_path: Path) -> None:
    """ADTS AAC has no length; FFmpeg estimates one from its bit rate, far off when it begins with silence."""
    path = estimated_length(tmp_path / "night.aac", 30)

    assert read_audio(path).duration_s == pytest.approx(33, abs=0.3)


def test_a_variable_bit_rate_without_a_table_is_heard_whole(tmp_path: Path) -> None:
    """MP3 of silence and then noise: FFmpeg estimates its length from the first frames, far too long."""
    path = without_table(tmp_path / "night.mp3", 20)

    assert b"Xing" not in path.read_bytes()
    assert read_audio(path).duration_s == pytest.approx(23, abs=0.3)


def test_a_wrong_byte_rate_is_a_warning(tmp_path: Path) -> None:
    """A WAV that says half of its bytes a second is whole, and its file is named."""
    path = wrong_byte_rate(tmp_path / "tone.wav")
    with capture_logs() as logs:
        assert read_audio(path).duration_s == pytest.approx(2)

    assert [(line["log_level"], line["file"]) for line in logs] == [("warning", str(path))]


def test_a_length_that_a_streaming_writer_made_up_is_no_promise(tmp_path: Path) -> None:
    """A data chunk of 2,000,000,000 bytes in a file of 64 kB."""
    path = record(tmp_path / "tone.wav", tone(440, 2), sample_rate_hz=RATE_HZ)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(content)

    assert read_audio(path).duration_s == pytest.approx(2)


def test_a_silent_first_track_gives_way_to_the_one_with_sound(tmp_path: Path) -> None:
    """Of a recorder's two tracks the first is empty: the second is heard, and it is said."""
    silence, sound = np.zeros(4 * RATE_HZ, np.float32), tone(1000, 4)
    path = tracks(tmp_path / "two.mkv", [(0.0, silence)], [(0.0, sound)])
    with capture_logs() as logs:
        frames = heard(path)

    assert Audio.join(f.audio for f in frames).slice(1, 3).rms_dbfs == pytest.approx(-20, abs=0.5)
    assert [line["hearing_track"] for line in logs] == [2]


def test_a_track_that_is_asked_for_is_heard(tmp_path: Path) -> None:
    """`track: 2`, although the first carries sound; one that is not there is refused with their number."""
    path = tracks(tmp_path / "two.mkv", [(0.0, tone(1000, 4))], [(0.0, tone(1000, 4, level_dbfs=-40))])

    assert Audio.join(f.audio for f in heard(path, track=2)).slice(1, 3).rms_dbfs == pytest.approx(-40, abs=1)
    assert Audio.join(f.audio for f in heard(path)).slice(1, 3).rms_dbfs == pytest.approx(-20, abs=1)
    with pytest.raises(SourceUnavailable, match="its track 3 of 2"):
        heard(path, track=3)


def test_what_can_be_heard_of_a_damaged_recording_is_read_with_a_warning(tmp_path: Path) -> None:
    """Whoever asks for it gets the half that is there, and what is wrong with it."""
    path = record(tmp_path / "tone.wav", tone(440, 6), sample_rate_hz=RATE_HZ)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    warnings: list[str] = []

    assert read_audio(path, warn=warnings.append).duration_s == pytest.approx(3, abs=0.1)
    assert len(warnings) == 1
    assert "cut short" in warnings[0]
    with pytest.raises(SourceLost, match="cut short"):
        read_audio(path)
