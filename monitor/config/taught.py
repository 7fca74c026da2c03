"""The sounds that a house has taught, as files of its state folder: `taught/washer_done.json`.

The file's name is the sound's name. So a rule may name a sound whose file is damaged: the daemon runs on,
hears everything else, and logs what is wrong.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from monitor.classifiers import ClassifierConfig
from monitor.classifiers.base import Classifier
from monitor.classifiers.taggers.embedded import EmbeddedClassifier
from monitor.classifiers.taught.classifier import TaughtClassifier
from monitor.classifiers.taught.sound import TaughtSound, read_sound
from monitor.classifiers.taught.veto import VetoBook
from monitor.errors import StoreError
from monitor.evidence.privacy import SPOKEN, holds_words
from monitor.labels import check_taught_name
from monitor.store.files import write_private
from monitor.types import Detection, Segment

FOLDER = "taught"
MOST_SOUNDS = 50
"""A house with more is no house that somebody taught: the rest is not read."""


@dataclass(frozen=True, slots=True)
class TaughtHere:
    """What a state folder holds."""

    labels: tuple[str, ...] = ()
    """Every name, of damaged files too."""
    sounds: tuple[TaughtSound, ...] = ()
    problems: tuple[str, ...] = ()
    """What is wrong with the others, with the fix."""
    vetoes: VetoBook | None = field(default=None, compare=False)
    """What the daemon has learnt from verdicts, for those who hear; None: nothing holds anything back."""

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """What was found of each sound when it was taught."""
        return {
            one.label: {"onset": 0.5, "hits": one.hits, "within_s": one.within_s, "hold_s": one.hold_s}
            for one in self.sounds
        }


def read_taught(folder: Path) -> TaughtHere:
    """The taught sounds of a state folder. Never raises."""
    try:
        files = sorted((folder / FOLDER).glob("*.json"))
    except OSError as error:
        return TaughtHere(problems=(f"{folder / FOLDER}: cannot be read ({error.strerror})",))
    named = [file for file in files if _is_name(file.stem)]
    problems = [f"{file}: no name for a taught sound; remove it" for file in files if file not in named]
    if len(named) > MOST_SOUNDS:
        problems.append(f"{folder / FOLDER}: only the first {MOST_SOUNDS} sounds are heard; forget some")
    sounds: list[TaughtSound] = []
    for file in named[:MOST_SOUNDS]:
        try:
            sounds.append(read_sound(file))
        except StoreError as error:
            problems.append(str(error))
    labels = tuple(file.stem for file in named[:MOST_SOUNDS])
    return TaughtHere(labels, tuple(sounds), tuple(problems), VetoBook())


def write_taught(folder: Path, sound: TaughtSound) -> Path:
    """Keep a sound, whole or not at all, even after a power cut. Raises StoreError."""
    file = folder / FOLDER / f"{sound.label}.json"
    write_private(file, (sound.model_dump_json() + "\n").encode())
    return file


def forget_taught(folder: Path, label: str) -> bool:
    """Whether there was such a sound to forget. Raises StoreError."""
    file = folder / FOLDER / f"{label}.json"
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"{file}: cannot be removed ({error.strerror})") from error
    return True


def built(block: ClassifierConfig, taught: TaughtHere) -> Classifier:
    """The classifier of a block, not loaded, with what was taught on it. ModelError as `block.build`."""
    classifier: Classifier = block.build()
    if not isinstance(classifier, EmbeddedClassifier) or not (taught.sounds or taught.vetoes):
        return classifier
    return TaughtClassifier(
        classifier, classifier.sidecar.embedding_id, taught.sounds, taught.vetoes, _without_words
    )


def _without_words(segment: Segment, found: Sequence[Detection]) -> bool:
    """Only of such a sound the history keeps what it was like (`monitor.history.best_looks`)."""
    words = max((one.score for one in found if one.label in SPOKEN), default=0.0)
    return not holds_words(words, segment.speech_ratio)


def unheard(taught: TaughtHere, heard: frozenset[str]) -> list[str]:
    """What keeps taught sounds from being heard, with the fix; `heard` are the labels of the classifiers."""
    others = [
        f"{one.label} was taught with another model and is not heard; teach it again: earwitness teach "
        + (one.label if _there(one.clips) else f"{one.label} CLIPS...")
        for one in taught.sounds
        if one.label not in heard
    ]
    return [*taught.problems, *others]


def _there(clips: Sequence[str]) -> bool:
    with suppress(OSError):
        return bool(clips) and all(Path(one).is_file() for one in clips)
    return False


def _is_name(word: str) -> bool:
    with suppress(ValueError):
        return bool(check_taught_name(word))
    return False
