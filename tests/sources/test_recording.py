"""Recorded files: what is read, and what is said of a bad one."""

import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import SourceError, SourceLost, SourceUnavailable
from monitor.sources.recording import read_audio
from testkit.recordings import CODECS, pitch_hz, record, tone_at


@pytest.mark.parametrize("suffix", CODECS)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_container_is_read_whole(tmp_path: Path, suffix: str, channels: int) -> None:
    """Three seconds of tone come back as three seconds of the same tone and level at 16 kHz."""
    path = record(tmp_path / f"tone.{suffix}", tone_at(1000, 3, 48_000), channels=channels)

    audio = read_audio(path)

    assert audio.sample_rate_hz == 16_000
    assert audio.duration_s == pytest.approx(3, abs=0.1)
    assert audio.rms_dbfs == pytest.approx(-20, abs=0.6)
    assert pitch_hz(audio.samples) == pytest.approx(1000, abs=1)


def test_an_inverted_channel_does_not_cancel_the_other_in_a_file(tmp_path: Path) -> None:
    """A microphone soldered the wrong way round records silence as the mean of its channels."""
    left = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(3 * 16_000) / 16_000)
    with wave.open(str(tmp_path / "inverted.wav"), "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes((np.stack([left, -left], axis=1) * 32767).astype("<i2").tobytes())

    audio = read_audio(tmp_path / "inverted.wav")

    assert audio.rms_dbfs == pytest.approx(-23, abs=0.6)
    assert pitch_hz(audio.samples) == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("sample_rate_hz", [8000, 22_050, 44_100, 96_000])
def test_the_native_rate_is_kept_on_request(tmp_path: Path, sample_rate_hz: int) -> None:
    """Without a rate the sound comes back at its own, sample for sample."""
    samples = tone_at(440, 1, sample_rate_hz)
    path = record(tmp_path / "tone.wav", samples, sample_rate_hz=sample_rate_hz)

    audio = read_audio(path, None)

    assert audio.sample_rate_hz == sample_rate_hz
    assert np.allclose(audio.samples, samples, atol=2 / 32768)


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"])
def test_every_sample_format_has_the_same_level(tmp_path: Path, codec: str) -> None:
    """8 to 64 bits, integer or floating point: -20 dBFS stays -20 dBFS."""
    path = record(tmp_path / "tone.wav", tone_at(440, 1, 16_000), sample_rate_hz=16_000, codec=codec)

    assert read_audio(path).rms_dbfs == pytest.approx(-20, abs=0.1)


def test_six_channels_become_one(tmp_path: Path) -> None:
    """A 5.1 recording is averaged to mono."""
    path = record(tmp_path / "tone.flac", tone_at(440, 1, 48_000), channels=6)

    assert read_audio(path).rms_dbfs == pytest.approx(-20, abs=0.1)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "flac", "mp3", "mkv"])
def test_a_truncated_recording_is_lost_with_its_missing_length(tmp_path: Path, suffix: str) -> None:
    """A file cut in its middle says that it is cut short, in one line with its name."""
    path = record(tmp_path / f"tone.{suffix}", tone_at(1000, 6, 48_000))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(SourceLost, match=rf"tone.{suffix}: cut short, ends \d\.\d s before") as error:
        read_audio(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"the quick brown fox\n" * 100, "is it a sound file"),
        (bytes(10_000), "is it a sound file"),
        (b"RIFF\xff\xff\xff\x00WAVEfmt ", "is it a sound file"),
    ],
)
def test_what_is_no_recording_is_said_in_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    """Empty, text, zeros and half a header: one line with the file's name and the likely cause."""
    path = tmp_path / "note.wav"
    path.write_bytes(content)

    with pytest.raises(SourceUnavailable, match=reason) as error:
        read_audio(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)
    assert error.value.refused


def test_a_missing_file_is_said_plainly(tmp_path: Path) -> None:
    """No such file is what the system calls it, without a hint about formats."""
    with pytest.raises(SourceUnavailable, match=r"cannot be read \(No such file or directory\)$"):
        read_audio(tmp_path / "none.wav")


def test_a_directory_is_not_a_recording(tmp_path: Path) -> None:
    """A directory is refused in one line."""
    with pytest.raises(SourceUnavailable, match="is a folder and no file"):
        read_audio(tmp_path)


def test_a_film_without_sound_has_no_sound(tmp_path: Path) -> None:
    """A picture track alone is named as the absence of sound."""
    import av

    path = tmp_path / "film.mkv"
    with av.open(path, "w") as container:
        track = container.add_stream("mpeg4", rate=10)
        track.width = track.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")
        container.mux([*track.encode(frame), *track.encode(None)])

    with pytest.raises(SourceUnavailable, match="holds no sound"):
        read_audio(path)


def test_a_wav_without_samples_has_no_sound(tmp_path: Path) -> None:
    """A header alone is not silence."""
    path = record(tmp_path / "tone.wav", tone_at(440, 1, 48_000))
    path.write_bytes(path.read_bytes()[:78])

    with pytest.raises(SourceError, match=r"holds no sound|cannot be read"):
        read_audio(path)


def test_a_wav_from_a_pipe_is_whole(tmp_path: Path) -> None:
    """A WAV whose length its writer could not know is not called cut short."""
    path = record(tmp_path / "tone.wav", tone_at(440, 1, 16_000), sample_rate_hz=16_000)
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(content)

    assert read_audio(path).duration_s == pytest.approx(1)


def test_a_recording_too_long_for_memory_is_refused(tmp_path: Path) -> None:
    """Reading stops at the limit instead of filling the memory."""
    path = record(tmp_path / "tone.flac", tone_at(440, 3, 16_000), sample_rate_hz=16_000)

    with pytest.raises(SourceUnavailable, match="longer than the 2 s"):
        read_audio(path, longest_s=2)


def test_a_playlist_does_not_open_the_network(
    tmp_path: Path, unused_listener: tuple[str, list[object]]
) -> None:
    """A file that claims to be a recording and is a playlist makes no connection."""
    url, connections = unused_listener
    path = tmp_path / "evil.m3u8"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}/a.ts\n#EXT-X-ENDLIST\n")

    with pytest.raises(SourceError):
        read_audio(path)
    assert connections == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(sorted(CODECS)),
    places=st.lists(st.floats(0, 0.999), min_size=1, max_size=8),
    bit=st.integers(0, 7),
)
def test_flipped_bits_never_crash(tmp_path: Path, suffix: str, places: list[float], bit: int) -> None:
    """A recording with flipped bits is heard or refused in one line; what is heard is finite."""
    whole = tmp_path / f"whole.{suffix}"
    if not whole.exists():
        record(whole, tone_at(1000, 2, 48_000))
    content = bytearray(whole.read_bytes())
    for place in places:
        content[int(place * len(content))] ^= 1 << bit
    broken = tmp_path / f"broken.{suffix}"
    broken.write_bytes(content)

    try:
        audio = read_audio(broken)
    except SourceError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(audio.samples).all()
