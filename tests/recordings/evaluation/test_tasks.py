"""Public test sets in their own folders, laid out here as they are published."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.audio import Audio
from monitor.classifiers.audio_llm.transcribers.base import Transcript
from monitor.errors import ConfigError
from monitor.recordings.evaluation.tasks import TaskItem, edits, items, judge_sounds, judge_words, words
from testkit.builders import noise
from testkit.fakes import ScriptedClassifier
from tests.cli.test_commands import recorded


def sound(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return recorded(path, noise(0.5, -30))


def test_vocalsound_is_its_test_split(tmp_path: Path) -> None:
    """The label is in the file's name; datafiles/te.json says which files are the test."""
    tested = sound(tmp_path / "audio_16k" / "f0003_0_throatclearing.wav")
    sound(tmp_path / "audio_16k" / "f0004_0_cough.wav")
    listed = {"data": [{"wav": f"/somewhere/else/{tested.name}", "labels": "/m/01b_21"}]}
    (tmp_path / "datafiles").mkdir()
    (tmp_path / "datafiles" / "te.json").write_text(json.dumps(listed))

    assert items("vocalsound", tmp_path) == [TaskItem(tested, "throat_clearing")]


def test_meld_names_files_by_dialogue_and_utterance(tmp_path: Path) -> None:
    """Emotions of the table are ours under other names; a row without its file is passed over."""
    path = sound(tmp_path / "output_repeated_splits_test" / "dia3_utt1.wav")
    (tmp_path / "test_sent_emo.csv").write_text(
        "Utterance,Emotion,Dialogue_ID,Utterance_ID\nOh no!,fear,3,1\nHi.,joy,3,2\n"
    )

    assert items("meld", tmp_path) == [TaskItem(path, "fearful")]


def test_of_esc50_the_sounds_that_we_know_count(tmp_path: Path) -> None:
    """A frog is none of them."""
    path = sound(tmp_path / "audio" / "1-1.wav")
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "esc50.csv").write_text(
        "filename,fold,category\n1-1.wav,1,glass_breaking\n1-2.wav,1,frog\n"
    )

    assert items("environment", tmp_path) == [TaskItem(path, "glass_break")]


def test_librispeech_has_its_words_in_a_file_beside_them(tmp_path: Path) -> None:
    """One line an utterance: its name and what was said."""
    chapter = tmp_path / "1089" / "134686"
    chapter.mkdir(parents=True)
    (chapter / "1089-134686.trans.txt").write_text("1089-134686-0000 HE HOPED THERE WOULD BE STEW\n")

    assert items("asr", tmp_path) == [
        TaskItem(chapter / "1089-134686-0000.flac", "HE HOPED THERE WOULD BE STEW")
    ]


@pytest.mark.parametrize("task", ["vocalsound", "meld", "environment", "asr"])
def test_another_folder_is_told_what_it_should_look_like(tmp_path: Path, task: str) -> None:
    """Not an accuracy of nothing."""
    with pytest.raises(ConfigError, match=f"this is not how {task} is published; .* holds"):
        items(task, tmp_path)  # type: ignore[arg-type]


def test_the_likeliest_label_of_the_set_counts(tmp_path: Path) -> None:
    """Whatever its score, and whatever else is likelier that the set does not ask for."""
    some = [
        TaskItem(sound(tmp_path / f"{i}.wav"), truth) for i, truth in enumerate(["cough", "sneeze", "cough"])
    ]
    classifier = ScriptedClassifier({"cough": 0.02, "sneeze": 0.01, "speech": 0.9})

    outcome = judge_sounds("vocalsound", some, classifier, lambda each: each)

    assert outcome.share.value == pytest.approx(2 / 3)
    assert outcome.line() == (
        "vocalsound: accuracy 66.7 % of 3; Qwen2-Audio: 93.9 % (arXiv:2407.10759; 93.95 % with its "
        "Hugging Face weights)"
    )


class Dictated:
    """A transcriber that writes what it was given."""

    longest_s = 30.0

    def load(self) -> None: ...

    def close(self) -> None: ...

    def transcribe(self, sounds: Sequence[Audio]) -> list[Transcript]:
        return [Transcript("He hoped, there'd be a stew!") for _ in sounds]


def test_words_are_counted_without_case_and_punctuation(tmp_path: Path) -> None:
    """Two of six words are wrong and one is too many."""
    some = [TaskItem(sound(tmp_path / "0.wav"), "HE HOPED THERE WOULD BE STEW")]

    outcome = judge_words(some, Dictated(), lambda each: each)

    assert words("It's  3 o'clock -- now.") == ["it's", "3", "o'clock", "now"]
    assert edits(words("he hoped there would be stew"), words("he hoped there'd be a stew")) == 3
    assert (outcome.share.successes, outcome.share.trials) == (3, 6)
