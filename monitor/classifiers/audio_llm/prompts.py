"""How to ask a large listener: three ways of turning labels into questions whose answers have likelihoods.

Which way hears best only real weights on labelled clips can tell (`earwitness eval`), so it is an option.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal

from monitor.classifiers.audio_llm.phrases import NO_SOUND, NO_VOICE, NOTHING, PHRASES, of_kind
from monitor.labels import emotions

DESCRIBE = "Describe in one sentence what can be heard in this audio."
Strategy = Literal["phrases", "choice", "yes_no"]
Kind = Literal["sounds", "emotion"]
CHOICES_MAX = 19
"""Labels in one multiple choice: with "none of these" twenty letters, as many as an OpenAI-compatible server
gives log probabilities for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Words a listener may begin its answer with, and the label they speak for (`NOTHING` for none)."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a sound. Of kind "sounds" several labels may be true at once, and one answer stands
    for `NOTHING`; of kind "emotion" exactly one is true."""

    text: str
    answers: tuple[Answer, ...]
    kind: Kind = "sounds"


def questions(strategy: Strategy, labels: frozenset[str], *, emotion: bool) -> tuple[Question, ...]:
    """Everything to be asked about a segment to give each of `labels` (sounds) a score, and the emotion."""
    asked = [question for ask in _WAYS[strategy] for question in ask(labels)]
    if emotion:
        asked += _emotion_by_choice() if strategy == "choice" else _emotion_by_phrase()
    return tuple(asked)


def _by_phrase(kind: str, text: str, none: Sequence[str]) -> Callable[[frozenset[str]], list[Question]]:
    def ask(labels: frozenset[str]) -> list[Question]:
        wanted = of_kind(kind, labels)
        answers = [*_spoken(wanted), *(Answer(phrase, NOTHING) for phrase in none)]
        return [Question(text, tuple(answers))] if wanted else []

    return ask


def _spoken(labels: Sequence[str]) -> list[Answer]:
    return [Answer(phrase, label) for label in labels for phrase in PHRASES[label]]


def _by_choice(kind: str, text: str, none: Sequence[str]) -> Callable[[frozenset[str]], list[Question]]:
    def ask(labels: frozenset[str]) -> list[Question]:
        wanted = of_kind(kind, labels)
        groups = [wanted[i : i + CHOICES_MAX] for i in range(0, len(wanted), CHOICES_MAX)]
        return [_choice(text, group, f"none of these, or {none[0]}") for group in groups]

    return ask


def _choice(text: str, labels: Sequence[str], none: str | None, kind: Kind = "sounds") -> Question:
    options = [(PHRASES[label][0], label) for label in labels] + ([(none, NOTHING)] if none else [])
    listed = "\n".join(
        f"{letter}. {phrase}" for letter, (phrase, _) in zip(ascii_uppercase, options, strict=False)
    )
    answers = tuple(
        Answer(letter, label) for letter, (_, label) in zip(ascii_uppercase, options, strict=False)
    )
    return Question(f"{text}\n{listed}\nAnswer with one letter.", answers, kind)


def _by_yes_no(labels: frozenset[str]) -> list[Question]:
    wanted = of_kind("environment", labels) + of_kind("vocal", labels)
    return [
        Question(
            f"Can you hear this sound in the audio: {PHRASES[label][0]}? Answer yes or no.",
            (Answer("yes", label), Answer("Yes", label), Answer("no", NOTHING), Answer("No", NOTHING)),
        )
        for label in wanted
    ]


_ENVIRONMENT = "What is the main environmental sound in this audio? Answer with the name of the sound alone."
_VOCAL = "What is the human voice in this audio doing? Answer with one or two words."
_EMOTION = "What emotion does the voice in this audio express? Answer with one word."

_WAYS: dict[Strategy, list[Callable[[frozenset[str]], list[Question]]]] = {
    "phrases": [_by_phrase("environment", _ENVIRONMENT, NO_SOUND), _by_phrase("vocal", _VOCAL, NO_VOICE)],
    "choice": [
        _by_choice("environment", "Which of these sounds is in this audio?", NO_SOUND),
        _by_choice("vocal", "Which of these is the human voice in this audio doing?", NO_VOICE),
    ],
    "yes_no": [_by_yes_no],
}


def _emotion_by_phrase() -> list[Question]:
    return [Question(_EMOTION, tuple(_spoken(emotions())), "emotion")]


def _emotion_by_choice() -> list[Question]:
    return [_choice("Which emotion does the voice in this audio express?", emotions(), None, "emotion")]
