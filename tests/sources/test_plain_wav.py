"""WAV that is read without FFmpeg: the same samples, and nothing else."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from monitor.audio import Samples
from monitor.errors import SourceLost
from monitor.sources.containers import Container
from monitor.sources.lengths import wav_header
from monitor.sources.plain_wav import PlainWav
from monitor.sources.recorded import Recording
from monitor.sources.recording import opened, read_audio
from testkit.recordings import record, tone_at


def all_of(recording: Recording) -> Samples:
    with recording:
        return np.concatenate([sound.samples for sound in recording.sounds()])


@pytest.mark.parametrize("sample_rate_hz", [8000, 16_000, 22_050, 48_000])
def test_it_has_the_samples_that_ffmpeg_gives(tmp_path: Path, sample_rate_hz: int) -> None:
    """Bit for bit, at any rate, and again after the beginning was returned to."""
    noise = np.random.default_rng(1).normal(0, 0.1, 3 * sample_rate_hz + 7).astype(np.float32)
    path = record(tmp_path / "noise.wav", noise, sample_rate_hz=sample_rate_hz)

    plain = opened(path)
    assert isinstance(plain, PlainWav)
    with plain:
        first = np.concatenate([sound.samples for sound in plain.sounds()])
        plain.rewind()
        again = np.concatenate([sound.samples for sound in plain.sounds()])
        assert plain.length_s == pytest.approx(len(noise) / sample_rate_hz)

    assert np.array_equal(first, all_of(Container(path)))
    assert np.array_equal(first, again)


def test_whoever_reads_it_never_loads_ffmpeg(tmp_path: Path) -> None:
    """Its libraries would take 20 MB of a daemon that has no use for them."""
    path = record(tmp_path / "tone.wav", tone_at(440, 1, 16_000), sample_rate_hz=16_000)
    program = (
        "import sys; from pathlib import Path; from monitor.sources.recording import read_audio; "
        f"read_audio(Path({str(path)!r})); print('av' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"


@pytest.mark.parametrize(
    ("channels", "codec"), [(2, "pcm_s16le"), (1, "pcm_s24le"), (1, "pcm_f32le"), (1, "pcm_mulaw")]
)
def test_all_other_wav_is_for_ffmpeg(tmp_path: Path, channels: int, codec: str) -> None:
    """Two channels, other samples: what lies in the file is not yet sound."""
    path = record(tmp_path / "tone.wav", tone_at(440, 1, 48_000), channels=channels, codec=codec)

    assert isinstance(opened(path), Container)
    assert read_audio(path, None).duration_s == pytest.approx(1, abs=0.01)


def test_what_follows_the_sound_is_not_heard(tmp_path: Path) -> None:
    """Programs write titles and marks behind the samples."""
    path = record(tmp_path / "tone.wav", tone_at(440, 1, 16_000), sample_rate_hz=16_000)
    with path.open("ab") as file:
        file.write(b"LIST" + (1000).to_bytes(4, "little") + b"\x7f" * 1000)

    assert len(read_audio(path).samples) == 16_000


def test_a_file_that_ends_within_a_sample_is_heard_to_the_one_before(tmp_path: Path) -> None:
    """Half a sample would be a click; what is missing is said all the same."""
    path = record(tmp_path / "tone.wav", tone_at(440, 3, 16_000), sample_rate_hz=16_000)
    header = wav_header(path)
    assert header is not None
    path.write_bytes(path.read_bytes()[: header.data_at + 2 * 16_000 + 1])
    warnings: list[str] = []

    audio = read_audio(path, warn=warnings.append)

    assert len(audio.samples) == 16_000
    assert warnings == [f"{path}: cut short, ends 2.0 s before the end its header promises"]


def test_a_file_that_shrinks_while_it_is_heard_ends(tmp_path: Path) -> None:
    """Somebody empties it: what it still has is heard, and a loop over nothing is no loop."""
    path = record(tmp_path / "tone.wav", tone_at(440, 3, 16_000), sample_rate_hz=16_000)
    with opened(path) as recording:
        sounds = recording.sounds()
        next(sounds)
        path.write_bytes(b"")
        assert sum(len(sound.samples) for sound in sounds) < 16_000
        recording.rewind()
        assert not list(recording.sounds())
        with pytest.raises(SourceLost, match="holds no sound"):
            recording.rewind()
