"""Public test sets in the folders that they are published in, and the figures that models are published with.

VocalSound https://github.com/YuanGongND/vocalsound, MELD https://affective-meld.github.io, ESC-50
https://github.com/karolpiczak/ESC-50, LibriSpeech https://www.openslr.org/12.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from monitor.audio import SAMPLE_RATE_HZ
from monitor.classifiers.audio_llm.bounds import parts
from monitor.classifiers.audio_llm.transcribers.base import Transcriber
from monitor.classifiers.base import Classifier
from monitor.errors import ConfigError
from monitor.recordings.evaluation.metrics import Proportion
from monitor.recordings.evaluation.scoring import classify_file
from monitor.sources.recording import read_audio

Task = Literal["vocalsound", "meld", "environment", "asr"]
PUBLISHED: dict[Task, str] = {
    "vocalsound": "Qwen2-Audio: 93.9 % (arXiv:2407.10759; 93.95 % with its Hugging Face weights)",
    "meld": "Qwen2-Audio: 55.3 % (arXiv:2407.10759; 53.5 % with its Hugging Face weights)",
    "environment": "none of these models is published with ESC-50",
    "asr": "Qwen2-Audio: 1.6 % on test-clean, 3.6 % on test-other (1.7 and 4.0 % with Hugging Face weights)",
}
_VOCAL = {
    "laughter": "laughter", "sigh": "sigh", "cough": "cough", "throatclearing": "throat_clearing",
    "sneeze": "sneeze", "sniff": "sniff",
}  # fmt: skip
_FELT = {
    "neutral": "neutral", "joy": "happy", "sadness": "sad", "anger": "angry", "surprise": "surprised",
    "fear": "fearful", "disgust": "disgusted",
}  # fmt: skip
_ENVIRONMENT = {
    "dog": "dog_bark", "cat": "cat", "rooster": "farm_animal", "cow": "farm_animal", "sheep": "farm_animal",
    "chirping_birds": "bird", "crow": "bird", "insects": "insect", "crickets": "insect",
    "door_wood_knock": "knock", "door_wood_creaks": "door_creak", "footsteps": "footsteps",
    "glass_breaking": "glass_break", "siren": "siren", "car_horn": "car_horn", "engine": "engine",
    "train": "train", "airplane": "aircraft", "helicopter": "aircraft", "church_bells": "bell",
    "clock_alarm": "alarm_clock", "clock_tick": "clock_tick", "keyboard_typing": "keyboard_typing",
    "mouse_click": "mouse_click", "vacuum_cleaner": "vacuum_cleaner", "washing_machine": "washing_machine",
    "chainsaw": "power_tool", "hand_saw": "power_tool", "fireworks": "fireworks",
    "crackling_fire": "crackling_fire",
    "thunderstorm": "thunder", "rain": "rain", "wind": "wind", "sea_waves": "waves",
    "water_drops": "water_drip", "toilet_flush": "toilet_flush", "pouring_water": "water_running",
    "crying_baby": "baby_cry", "clapping": "clapping", "coughing": "cough", "sneezing": "sneeze",
    "snoring": "snoring", "laughing": "laughter", "breathing": "breathing",
}  # fmt: skip
"""Categories of ESC-50 that are labels of ours; of the others (a frog, brushing teeth) nothing is asked."""


@dataclass(frozen=True, slots=True)
class TaskItem:
    """A recording, and what is right about it: a label, an emotion, or words."""

    path: Path
    truth: str


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How a model did: of how many items it was right; for words, of how many words it was wrong."""

    task: Task
    share: Proportion
    """Accuracy, or for `asr` the word error rate."""
    published: str

    def line(self) -> str:
        """For people."""
        what = "word error rate" if self.task == "asr" else "accuracy"
        return f"{self.task}: {what} {100 * self.share.value:.1f} % of {self.share.trials}; {self.published}"


def items(task: Task, folder: Path) -> list[TaskItem]:
    """Everything of a test set that is in its folder. ConfigError where it is not laid out as published."""
    found = list(_LAYOUTS[task](folder))
    if not found:
        raise ConfigError([f"{folder}: this is not how {task} is published; {_LOOKS_LIKE[task]}"])
    return found


def judge_sounds(
    task: Task,
    some: Sequence[TaskItem],
    classifier: Classifier,
    progress: Callable[[Sequence[TaskItem]], Iterable[TaskItem]],
) -> TaskResult:
    """How often the likeliest label, or emotion, is the right one. Raises SourceError, ClassifyError."""
    wanted = {item.truth for item in some}
    right = 0
    for item in progress(some):
        heard = classify_file(read_audio(item.path, SAMPLE_RATE_HZ), classifier)
        scores = heard.emotion if task == "meld" else {k: v for k, v in heard.scores.items() if k in wanted}
        if task == "meld" and not scores:
            raise ConfigError(["MELD asks for emotions: name a classifier with emotion: true"])
        right += bool(scores) and max(scores, key=scores.__getitem__) == item.truth
    return TaskResult(task, Proportion(right, len(some)), PUBLISHED[task])


def judge_words(
    some: Sequence[TaskItem],
    transcriber: Transcriber,
    progress: Callable[[Sequence[TaskItem]], Iterable[TaskItem]],
) -> TaskResult:
    """Words that are wrong, missing or too many, of those that were spoken. Raises SourceError,
    ClassifyError."""
    wrong = spoken = 0
    for item in progress(some):
        truth = words(item.truth)
        pieces = parts(read_audio(item.path, SAMPLE_RATE_HZ), transcriber.longest_s)
        found = [word for piece in transcriber.transcribe(pieces) for word in words(piece.text)]
        wrong, spoken = wrong + edits(truth, found), spoken + len(truth)
    return TaskResult("asr", Proportion(wrong, spoken), PUBLISHED["asr"])


def words(text: str) -> list[str]:
    """The words of a text without case and punctuation; apostrophes stay."""
    return re.sub(r"[^\w']+", " ", text.lower()).split()


def edits(truth: Sequence[str], found: Sequence[str]) -> int:
    """The fewest words to put in, take out or replace (Levenshtein)."""
    row = list(range(len(found) + 1))
    for i, expected in enumerate(truth, start=1):
        before, row[0] = row[0], i
        for j, word in enumerate(found, start=1):
            kept = before + (expected != word)
            before, row[j] = row[j], min(kept, row[j] + 1, row[j - 1] + 1)
    return row[-1]


def _vocalsound(folder: Path) -> Iterator[TaskItem]:
    listed = folder / "datafiles" / "te.json"
    names = (
        {Path(row["wav"]).name for row in json.loads(listed.read_text())["data"]}
        if listed.is_file()
        else None
    )
    for path in sorted(folder.rglob("*.wav")):
        truth = _VOCAL.get(path.stem.rpartition("_")[2])
        if truth and (names is None or path.name in names):
            yield TaskItem(path, truth)


def _meld(folder: Path) -> Iterator[TaskItem]:
    table = folder / "test_sent_emo.csv"
    for row in _rows(table):
        name = f"dia{row['Dialogue_ID']}_utt{row['Utterance_ID']}"
        for path in sorted(folder.glob(f"*/{name}.*")):
            yield TaskItem(path, _FELT[row["Emotion"].lower()])
            break


def _esc50(folder: Path) -> Iterator[TaskItem]:
    for row in _rows(folder / "meta" / "esc50.csv"):
        path = folder / "audio" / row["filename"]
        if row["category"] in _ENVIRONMENT and path.is_file():
            yield TaskItem(path, _ENVIRONMENT[row["category"]])


def _librispeech(folder: Path) -> Iterator[TaskItem]:
    for table in sorted(folder.rglob("*.trans.txt")):
        for line in table.read_text(encoding="utf-8").splitlines():
            name, _, spoken = line.partition(" ")
            yield TaskItem(table.parent / f"{name}.flac", spoken)


def _rows(table: Path) -> list[dict[str, str]]:
    if not table.is_file():
        return []
    with table.open(encoding="utf-8", errors="replace", newline="") as lines:
        return list(csv.DictReader(lines))


_LAYOUTS: dict[Task, Callable[[Path], Iterator[TaskItem]]] = {
    "vocalsound": _vocalsound,
    "meld": _meld,
    "environment": _esc50,
    "asr": _librispeech,
}
_LOOKS_LIKE: dict[Task, str] = {
    "vocalsound": "it holds files such as audio_16k/f0003_0_cough.wav, and datafiles/te.json",
    "meld": "it holds test_sent_emo.csv and a folder with dia0_utt0.mp4",
    "environment": "ESC-50 holds meta/esc50.csv and audio/",
    "asr": "LibriSpeech holds 1089/134686/1089-134686.trans.txt with its .flac files",
}
