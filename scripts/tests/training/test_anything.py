"""Sound that nobody labelled."""

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from scripts.train_tagger.anything import MOST_S, GatheredSound, gather, play, speak
from scripts.train_tagger.recordings import CACHE_RATE_HZ
from scripts.train_tagger.remix import at_speed, filtered, grains, remixed
from testkit.wav import write_wav


def tone(hz: float, seconds: float, rate_hz: int = 16_000) -> np.ndarray:
    """A sine."""
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)).astype(np.float32)


def test_folders_are_decoded_and_what_is_no_sound_is_passed_over(tmp_path: Path) -> None:
    """At 32 kHz, 20 s of a file at most; silence, snippets and what only is called a sound are left out."""
    sounds = tmp_path / "sounds" / "pack" / "deep"
    sounds.mkdir(parents=True)
    write_wav(sounds / "long.wav", tone(440, 25))
    write_wav(sounds / "snippet.wav", tone(440, 0.05))
    write_wav(sounds / "silence.wav", np.zeros(16_000, np.float32))
    (sounds / "broken.ogg").write_bytes(b"OggS but not really")
    (sounds / "readme.txt").write_text("no sound")

    minutes = gather(tmp_path / "sounds", tmp_path / "cache" / "anything")
    found = GatheredSound(tmp_path / "cache" / "anything", None)

    assert minutes == {"pack": pytest.approx(20 / 60)}
    assert found.length("pack/deep/long.wav") == 20 * CACHE_RATE_HZ
    assert np.abs(found["pack/deep/long.wav"]).max() == pytest.approx(0.3, abs=0.02)


def test_no_package_is_all_that_is_heard(tmp_path: Path) -> None:
    """A quarter of an hour of each."""
    pack = tmp_path / "sounds" / "pack"
    pack.mkdir(parents=True)
    write_wav(pack / "0.wav", tone(440, 21))
    for number in range(1, 50):
        shutil.copy(pack / "0.wav", pack / f"{number}.wav")

    minutes = gather(tmp_path / "sounds", tmp_path / "cache")

    assert minutes["pack"] * 60 == pytest.approx(MOST_S)


def test_voices_speak(tmp_path: Path) -> None:
    """In any language, each another sentence; there is something to hear in each."""
    if shutil.which("espeak-ng") is None:
        with pytest.raises(FileNotFoundError, match="apt install espeak-ng"):
            speak(tmp_path / "espeak", 1)
        return
    speak(tmp_path / "voices" / "espeak", 3)

    minutes = gather(tmp_path / "voices", tmp_path / "cache")

    assert minutes["espeak"] > 0.02


def test_music_needs_its_player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the package; the score before it is a MIDI file whose track is whole."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(FileNotFoundError, match="apt install fluidsynth"):
        play(tmp_path / "music", [tmp_path / "font.sf2"], 1)

    score = (tmp_path / "music" / "0.mid").read_bytes()
    (length,) = struct.unpack(">I", score[18:22])
    assert score[:4] == b"MThd"
    assert score[14:18] == b"MTrk"
    assert len(score) == 22 + length
    assert score.endswith(b"\xff\x2f\x00")


@pytest.mark.parametrize("speed", [0.5, 1.5])
def test_speed_changes_pitch_and_length(speed: float) -> None:
    """As a tape does, without images of what would be above half the rate."""
    wave = tone(1_000, 1.0) + tone(7_500, 1.0)
    changed = at_speed(wave, speed)
    spectrum = np.abs(np.fft.rfft(changed * np.hanning(len(changed))))
    hz = np.fft.rfftfreq(len(changed), 1 / 16_000)

    assert len(changed) == pytest.approx(16_000 / speed, abs=1)
    assert hz[np.argmax(spectrum[hz < 3_000])] == pytest.approx(1_000 * speed, rel=0.01)
    if speed > 1:
        assert spectrum[(hz > 3_000) & (hz < 7_000)].max() < 0.02 * spectrum.max()


def test_grains_keep_what_there_is_and_only_move_it() -> None:
    """No sample is louder than before, and about as much energy is there."""
    wave = tone(300, 2.0)
    moved = grains(np.random.default_rng(0), wave, 16_000)

    assert np.abs(moved).max() <= np.abs(wave).max()
    assert np.square(moved).sum() == pytest.approx(np.square(wave).sum(), rel=0.4)


def test_whatever_is_done_gives_finite_sound_of_some_length() -> None:
    """Also of a single click."""
    rng = np.random.default_rng(0)
    click = np.zeros(400, np.float32)
    click[100] = 1
    for wave in (tone(500, 0.5), click):
        for _ in range(40):
            changed = remixed(rng, filtered(rng, wave), 32_000)
            assert changed.dtype == np.float32
            assert len(changed) >= 2
            assert np.isfinite(changed).all()
