"""Evidence of events by choice."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from structlog.testing import capture_logs

from monitor.audio import Audio, Piece, Samples
from monitor.evidence.keeper import EvidenceConfig, EvidenceKeeper, StoredEvidence
from monitor.evidence.privacy import BARS
from monitor.gate.gate import Gate, GateConfig
from monitor.gate.voice import VoiceDetector
from monitor.types import Findings, Segment, SoundEvent
from monitor.web.files import masked_s
from testkit.builders import START, frames, heard, noise
from testkit.gate_sounds import in_a_room, smoke_alarm, voice


def event(begin_s: float, end_s: float | None, label: str = "dog_bark", id: str = "ab12") -> SoundEvent:
    begin = START + timedelta(seconds=begin_s)
    end = START + timedelta(seconds=end_s) if end_s is not None else None
    return SoundEvent(
        id, label, "kitchen", "ended" if end else "started", "confirmed", begin, end or begin, 0.9,
        "embedded", ended_at=end,
    )  # fmt: skip


@contextmanager
def keeping(folder: Path, **config: object) -> Iterator[EvidenceKeeper]:
    settings = EvidenceConfig.model_validate({"clips": True, "no_speech": False, **config})
    with EvidenceKeeper(settings, folder, lambda: VoiceDetector().hears_voice) as keeper:
        yield keeper


def play(keeper: EvidenceKeeper, sound: Samples) -> None:
    """What a listener thread does: every frame to the keeper, what the gate heard as well."""
    gate = Gate("kitchen", GateConfig())
    for frame in frames(sound):
        keeper.push(Piece.of(frame))
        keeper.hear(Findings("kitchen", frame.ends_at, (), gate.push(frame).segments))


def made(keeper: EvidenceKeeper, now_s: float) -> list[StoredEvidence]:
    return keeper.due(START + timedelta(seconds=now_s))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def samples_of(path: Path) -> tuple[Samples, dict[str, str]]:
    with av.open(io.BytesIO(path.read_bytes())) as container:
        parts = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
        return Audio.from_pcm16(np.concatenate(parts).tobytes()).samples, dict(container.metadata)


def test_by_default_nothing_is_kept(tmp_path: Path) -> None:
    """Without being asked the daemon writes no sound and no picture, and makes no folder."""
    with EvidenceKeeper(EvidenceConfig(), tmp_path / "clips", lambda: VoiceDetector().hears_voice) as keeper:
        play(keeper, noise(20, -20))
        keeper.note(event(5, 6))
        assert made(keeper, 60) == []
    assert not (tmp_path / "clips").exists()


def test_by_default_no_clip_holds_speech(tmp_path: Path) -> None:
    """Whoever asks for clips has not yet asked for what is said in the room."""
    assert EvidenceConfig(clips=True, pictures=True).no_speech


def test_a_clip_has_its_onset_to_the_sample(tmp_path: Path) -> None:
    """The clip is the sound with pre- and post-roll, and its tag names the very sample of the onset."""
    sound = noise(30, -70)
    sound[160_000:] += noise(20, -20, seed=3)
    with keeping(tmp_path, pre_roll_s=2, post_roll_s=3) as keeper:
        play(keeper, sound)
        keeper.note(event(10, 11))
        [keepsake] = made(keeper, 30)
    assert keepsake.clip is not None
    samples, tags = samples_of(keepsake.clip)
    onset = round(float(tags["onset_s"]) * 16_000)
    assert (onset, len(samples)) == (32_000, 96_000)
    assert np.abs(samples[:onset]).max() < 0.01 < np.abs(samples[onset : onset + 20]).max()
    assert tags["event"] == "ab12"


def test_a_clip_is_made_when_its_end_has_been_heard(tmp_path: Path) -> None:
    """Not before the post-roll, even if the event has ended; once, however often the event is reported."""
    with keeping(tmp_path, post_roll_s=5) as keeper:
        sound = frames(noise(20, -30))
        for frame in sound[:400]:
            keeper.push(Piece.of(frame))
        keeper.note(event(5, None))
        keeper.note(event(5, 8))
        assert made(keeper, 12) == []
        for frame in sound[400:]:
            keeper.push(Piece.of(frame))
        assert len(made(keeper, 13)) == 1
        keeper.note(event(5, 9))
        assert made(keeper, 30) == []


def test_a_source_that_is_gone_gives_what_there_was(tmp_path: Path) -> None:
    """A microphone that was unplugged in the middle still leaves its clip, ten seconds later."""
    with keeping(tmp_path) as keeper:
        play(keeper, noise(7, -30))
        keeper.note(event(5, 7))
        assert made(keeper, 13) == []
        [keepsake] = made(keeper, 22.1)
    assert keepsake.clip is not None
    assert samples_of(keepsake.clip)[0].size == 16_000 * 7 - 16_000 * 7 % 480


def test_the_last_time_nothing_is_waited_for(tmp_path: Path) -> None:
    """The daemon stops in the middle of an alarm: the clip ends there, but there is one."""
    with keeping(tmp_path) as keeper:
        play(keeper, noise(7, -30))
        keeper.note(event(5, None))
        assert made(keeper, 7) == []
        [keepsake] = keeper.due(START + timedelta(seconds=7), last=True)
        keeper.note(event(5, 7))
        assert keeper.due(START + timedelta(seconds=7), last=True) == []
    assert keepsake.clip is not None
    assert samples_of(keepsake.clip)[0].size == 16_000 * 7 - 16_000 * 7 % 480


def test_a_sound_that_goes_on_is_cut(tmp_path: Path) -> None:
    """An event that does not end has a clip of the longest length."""
    with keeping(tmp_path, pre_roll_s=1, longest_s=5, post_roll_s=1) as keeper:
        play(keeper, noise(20, -30))
        keeper.note(event(5, None))
        [keepsake] = made(keeper, 20)
    assert keepsake.clip is not None
    assert samples_of(keepsake.clip)[0].size == 7 * 16_000


def test_only_the_labels_that_were_chosen(tmp_path: Path) -> None:
    """Other events leave nothing."""
    with keeping(tmp_path, labels=["glass_break"]) as keeper:
        play(keeper, noise(20, -30))
        keeper.note(event(5, 6, "dog_bark", "aa"))
        keeper.note(event(5, 6, "glass_break", "bb"))
        assert [keepsake.event.id for keepsake in made(keeper, 30)] == ["bb"]


def test_a_picture_lies_beside_its_clip(tmp_path: Path) -> None:
    """Both are kept under the event's name; the picture is handed out for the house, too."""
    with keeping(tmp_path, pictures=True) as keeper:
        play(keeper, noise(20, -30))
        keeper.note(event(5, 6))
        [keepsake] = made(keeper, 30)
    assert [path.suffix for path in files(tmp_path)] == [".flac", ".png"]
    assert len({path.stem for path in files(tmp_path)}) == 1
    assert files(tmp_path)[1].read_bytes() == keepsake.picture


SPEECH = in_a_room(voice(3))
CONVERSATION = np.concatenate((noise(8, -60), SPEECH, noise(14, -60, seed=2)))


@pytest.mark.parametrize("clip_format", ["flac", "opus"])
def test_no_speech_reaches_the_disk(tmp_path: Path, clip_format: str) -> None:
    """With `no_speech` an event whose span holds speech, wherever in it and whatever the event is called,
    leaves no file at all; without, it does."""
    for no_speech in (False, True):
        folder = tmp_path / str(no_speech)
        with keeping(folder, no_speech=no_speech, pictures=True, clip_format=clip_format) as keeper:
            play(keeper, CONVERSATION)
            keeper.note(event(6, 7, "door_slam"))
            keeper.note(event(14, 15, "glass_break", "cd34"))
            kept = made(keeper, 30)
        assert {keepsake.withheld for keepsake in kept} == ({"speech"} if no_speech else {""})
        assert {keepsake.picture is None for keepsake in kept} == {no_speech}
        assert (files(folder) == []) == no_speech


def likeness(samples: Samples, original: Samples) -> float:
    """The best match of any 0.1 s of the original anywhere in the samples, 0-1 (normalised correlation)."""
    best = 0.0
    energy = np.sqrt(np.convolve(samples**2, np.ones(1600), "valid")) + 1e-9
    for start in range(0, len(original) - 1600, 1600):
        piece = original[start : start + 1600]
        spectrum = np.fft.rfft(samples, 2**19) * np.conj(np.fft.rfft(piece, 2**19))
        match = np.fft.irfft(spectrum)[: len(energy)] / energy / (np.linalg.norm(piece) + 1e-9)
        best = max(best, float(np.abs(match).max()))
    return best


def test_masked_speech_is_gone(tmp_path: Path) -> None:
    """With `mask_speech` the clip is kept, and no tenth of a second of the speech is found anywhere in it;
    in the clip that was kept without asking for that, all of it is. The clip says where it was covered."""
    alikes, covered = {}, {}
    for mask in (False, True):
        with keeping(tmp_path / str(mask), no_speech=mask, mask_speech=mask) as keeper:
            play(keeper, CONVERSATION)
            keeper.note(event(6, 12, "door_slam"))
            [keepsake] = made(keeper, 30)
        assert keepsake.clip is not None
        samples, _ = samples_of(keepsake.clip)
        covered[mask] = masked_s(keepsake.clip)
        alikes[mask] = likeness(samples, voice(3))
        before = slice(0, 5 * 16_000)
        assert np.abs(samples[before] - CONVERSATION[16_000 : 6 * 16_000]).max() < 1e-4
    assert alikes[False] > 0.95
    assert covered[False] == ""
    assert all(float(one.partition("-")[0]) >= 0 for one in covered[True].split(" "))
    assert alikes[True] < 0.5  # what a tenth of a second of noise has in common with a vowel by chance: 0.3


def test_a_word_that_only_a_model_hears_is_a_word(tmp_path: Path) -> None:
    """A low score for speech, next to a high one for the event, withholds the clip."""
    with keeping(tmp_path, no_speech=True) as keeper:
        play(keeper, noise(20, -60))
        whisper = heard("speech", 0.12, START + timedelta(seconds=7))
        keeper.hear(Findings("kitchen", START + timedelta(seconds=8), (whisper, heard("dog_bark", 0.9))))
        keeper.note(event(5, 6))
        [keepsake] = made(keeper, 30)
    assert keepsake.withheld == "speech"
    assert files(tmp_path) == []


def test_glass_in_which_the_voice_detector_hears_voice_is_kept(tmp_path: Path) -> None:
    """Where the sound model is sure that there are no words: most glass and knocks have some voice for it."""
    sound = np.concatenate((noise(8, -60), voice(0.3), noise(9, -60)))
    segments: list[Segment] = []
    for has_model in (False, True):
        with keeping(tmp_path / str(has_model), no_speech=True) as keeper:
            gate = Gate("kitchen", GateConfig())
            for frame in frames(sound):
                keeper.push(Piece.of(frame))
                found = gate.push(frame).segments
                segments += found
                no_words = tuple(
                    replace(heard("speech", 0.0, cut.started_at), segment_id=cut.id)
                    for cut in found
                    if has_model
                )
                keeper.hear(Findings("kitchen", frame.ends_at, no_words, found))
            keeper.note(event(8, 9, "glass_break"))
            [stored] = made(keeper, 30)
        assert (stored.clip is not None) == has_model
    whole = [cut.speech_ratio for cut in segments if cut.ended_by != "open"]
    assert 0 < max(whole) < BARS.voice


def test_what_was_withheld_is_logged_once_with_label_and_source(tmp_path: Path) -> None:
    """Somebody who talks all evening is one line, not a thousand."""
    with keeping(tmp_path, no_speech=True) as keeper, capture_logs() as lines:
        play(keeper, CONVERSATION)
        for number, label in enumerate(("door_slam", "door_slam", "glass_break")):
            keeper.note(event(6, 7, label, f"ab3{number}"))
            made(keeper, 30)
    said = [line for line in lines if line["event"].startswith("no clip")]
    assert [(line["source"], line["label"], line["because"]) for line in said] == [
        ("kitchen", "door_slam", "speech"),
        ("kitchen", "glass_break", "speech"),
    ]


def test_without_speech_there_are_clips(tmp_path: Path) -> None:
    """`no_speech` keeps alarms and barks: the check is not a way of keeping nothing."""
    with keeping(tmp_path, no_speech=True) as keeper:
        play(keeper, np.concatenate((noise(8, -60), in_a_room(smoke_alarm(2)), noise(9, -60))))
        keeper.note(event(8, 16, "smoke_alarm"))
        [keepsake] = made(keeper, 30)
    assert keepsake.clip is not None


def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    """A folder that cannot be is no reason to stop; the picture still goes to the house."""
    (tmp_path / "clips").write_text("in the way")
    with capture_logs() as logs, keeping(tmp_path / "clips", pictures=True) as keeper:
        play(keeper, noise(20, -30))
        keeper.note(event(5, 6))
        [keepsake] = made(keeper, 30)
        (tmp_path / "clips").unlink()
        keeper.note(event(8, 9, id="e00000000002"))
        [later] = made(keeper, 30)
    assert (keepsake.withheld, keepsake.clip) == ("disk", None)
    assert keepsake.picture is not None
    assert not later.withheld
    assert [line["event"] for line in logs if "pictures" in line["event"]] == [
        "clips and pictures cannot be kept", "clips and pictures are kept again",
    ]  # fmt: skip


def test_a_storm_is_bounded(tmp_path: Path) -> None:
    """Of hundreds of events at once the latest are kept, the others counted."""
    with keeping(tmp_path) as keeper:
        for i in range(200):
            keeper.note(event(5, 6, id=f"{i:04x}"))
        assert keeper.passed_over == 136


def test_old_clips_go(tmp_path: Path) -> None:
    """Making clips lets go what is too old."""
    with keeping(tmp_path, keep_days=1, keep_per_label=0) as keeper:
        play(keeper, noise(20, -30))
        keeper.note(event(5, 6))
        assert len(made(keeper, 30)) == 1
        assert len(files(tmp_path)) == 1
        keeper.due(START + timedelta(days=2))
    assert files(tmp_path) == []


def test_clips_outlast_a_clock_that_is_years_ahead(tmp_path: Path) -> None:
    """They are old by the time that is believed, whatever the clock shows."""
    settings = EvidenceConfig(clips=True, no_speech=False, keep_days=1, keep_per_label=0)
    believed = START + timedelta(seconds=30)
    with EvidenceKeeper(settings, tmp_path, lambda: VoiceDetector().hears_voice, lambda: believed) as keeper:
        play(keeper, noise(20, -30))
        keeper.note(event(5, 6))
        assert len(made(keeper, 30)) == 1
        keeper.due(START + timedelta(days=3650))
        assert len(files(tmp_path)) == 1
        believed += timedelta(days=2)
        keeper.due(START + timedelta(days=3651))
    assert files(tmp_path) == []
