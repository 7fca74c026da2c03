"""How to ask a large classifier: three ways of turning labels into questions whose answers have likelihoods.

A model is asked as it was trained to be asked. `INSTRUCT` follows the model card of Qwen2-Audio-7B-Instruct,
`OMNI` the cookbooks of Qwen2.5-Omni and Qwen3-Omni, `BASE` the evaluation code of Qwen2-Audio-7B
(https://github.com/QwenLM/Qwen2-Audio, eval_audio). Only real weights on labelled
clips show which way hears best (`earwitness eval`), so it is an option.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal

from monitor.classifiers.audio_llm.phrases import NO_SOUND, NO_VOICE, NOTHING, PHRASES, of_kind
from monitor.labels import emotions

Strategy = Literal["phrases", "choice", "yes_no"]
QuestionKind = Literal["sounds", "emotion"]
CHOICES_MAX = 19
"""Labels in one multiple choice: with "none of these" twenty letters, as many as an OpenAI-compatible server
gives log probabilities for."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """What one kind of checkpoint is asked. Each of the first three is a question and the words that its
    answer begins with, so that an answer is a sentence which ends with a phrase."""

    environment: tuple[str, str]
    vocal: tuple[str, str]
    emotion: tuple[str, str]
    describe: str
    transcribe: str
    """With {language}, by its English name; without a name it is left to the model."""
    translate: str
    """With {language}, the one to translate into."""
    capital: bool = False
    """Whether the name of a sound begins with a capital letter, for an answer begins with it."""


INSTRUCT = Prompts(
    environment=("What's that sound?", "It is the sound of"),
    vocal=("What vocal sound is it?", "It is the sound of"),
    emotion=("What emotion does the voice express?", "The emotion of the speaker is"),
    describe="Describe in one sentence what can be heard in this audio.",
    transcribe="Transcribe the {language} speech into text. Give the words alone.",
    translate="Translate the speech into {language}. Give the translation alone.",
)
OMNI = Prompts(
    environment=("Classify the given sound in English.", "It is the sound of"),
    vocal=("Classify the given human vocal sound in English.", "The vocal sound is"),
    emotion=("Recognize the emotion with keywords in English.", "The emotion is"),
    describe="Describe in one sentence what can be heard in this audio.",
    transcribe="Transcribe the {language} audio into text.",
    translate="Listen to the provided speech and produce a translation in {language} text.",
)
BASE = Prompts(
    environment=("Generate the caption in English:", ""),
    vocal=("Classify the human vocal sound to VocalSound in English:", ""),
    emotion=("Recognize the emotion with keywords in English:", ""),
    describe="Generate the caption in English:",
    transcribe="Detect the language and recognize the speech:",
    translate="Translate the speech into {language}:",
    capital=True,
)


def describing(model: str, prompts: Prompts) -> str:
    """What a model of that name is asked for a description: a captioner nothing, for it knows nothing else
    (model card of Qwen3-Omni-30B-A3B-Captioner)."""
    return "" if "captioner" in model.lower() else prompts.describe


def writing_down(prompts: Prompts, language: str | None, translate_to: str | None) -> str:
    """What a model is asked for the words of a sound: as they are said, in `language` if that is known, or
    translated."""
    if translate_to:
        return prompts.translate.format(language=translate_to)
    return " ".join(prompts.transcribe.format(language=language or "").split())


@dataclass(frozen=True, slots=True)
class AnswerPhrase:
    """Words a classifier may begin its answer with, and the label they speak for (`NOTHING` for none)."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question about a sound. Of kind "sounds" several labels may be true at once, and one answer stands
    for `NOTHING`; of kind "emotion" exactly one is true. Every answer follows `opening`, if there is one."""

    text: str
    answers: tuple[AnswerPhrase, ...]
    kind: QuestionKind = "sounds"
    opening: str = ""

    def only(self, labels: frozenset[str]) -> "Question | None":
        """The same question with the answers for `labels` and for nothing; None where no label is left. The
        likelihood of an answer does not depend on which others are on offer, for the text does not list
        them."""
        kept = tuple(answer for answer in self.answers if answer.label in labels or answer.label == NOTHING)
        asks = any(answer.label != NOTHING for answer in kept)
        return Question(self.text, kept, self.kind, self.opening) if asks else None


def questions(
    strategy: Strategy, labels: frozenset[str], *, emotion: bool, prompts: Prompts = INSTRUCT
) -> tuple[Question, ...]:
    """Everything to be asked about a segment to give each of `labels` (sounds) a score, and the emotion."""
    asked = [question for ask in _WAYS[strategy] for question in ask(labels, prompts)]
    if emotion:
        asked += [_emotion_by_choice() if strategy == "choice" else _emotion_by_phrase(prompts)]
    return tuple(asked)


def _by_phrase(kind: str, none: Sequence[str]) -> Callable[[frozenset[str], Prompts], list[Question]]:
    def ask(labels: frozenset[str], prompts: Prompts) -> list[Question]:
        if not (wanted := of_kind(kind, labels)):
            return []
        text, opening = prompts.environment if kind == "environment" else prompts.vocal
        answers = [*_spoken(wanted), *(AnswerPhrase(phrase, NOTHING) for phrase in none)]
        if prompts.capital:
            answers = [
                AnswerPhrase(answer.text[0].upper() + answer.text[1:], answer.label) for answer in answers
            ]
        return [Question(text, tuple(answers), opening=opening)]

    return ask


def _spoken(labels: Sequence[str]) -> list[AnswerPhrase]:
    return [AnswerPhrase(phrase, label) for label in labels for phrase in PHRASES[label]]


def _by_choice(
    kind: str, text: str, none: Sequence[str]
) -> Callable[[frozenset[str], Prompts], list[Question]]:
    def ask(labels: frozenset[str], prompts: Prompts) -> list[Question]:
        wanted = of_kind(kind, labels)
        groups = [wanted[i : i + CHOICES_MAX] for i in range(0, len(wanted), CHOICES_MAX)]
        return [_choice(text, group, f"none of these, or {none[0]}") for group in groups]

    return ask


def _choice(text: str, labels: Sequence[str], none: str | None, kind: QuestionKind = "sounds") -> Question:
    options = [(PHRASES[label][0], label) for label in labels] + ([(none, NOTHING)] if none else [])
    listed = "\n".join(
        f"{letter}. {phrase}" for letter, (phrase, _) in zip(ascii_uppercase, options, strict=False)
    )
    answers = tuple(
        AnswerPhrase(letter, label) for letter, (_, label) in zip(ascii_uppercase, options, strict=False)
    )
    return Question(f"{text}\n{listed}\nAnswer with one letter.", answers, kind)


def _by_yes_no(labels: frozenset[str], prompts: Prompts) -> list[Question]:
    wanted = of_kind("environment", labels) + of_kind("vocal", labels)
    return [
        Question(
            f"Can you hear this sound in the audio: {PHRASES[label][0]}? Answer yes or no.",
            (
                AnswerPhrase("yes", label),
                AnswerPhrase("Yes", label),
                AnswerPhrase("no", NOTHING),
                AnswerPhrase("No", NOTHING),
            ),
        )
        for label in wanted
    ]


_WAYS: dict[Strategy, list[Callable[[frozenset[str], Prompts], list[Question]]]] = {
    "phrases": [_by_phrase("environment", NO_SOUND), _by_phrase("vocal", NO_VOICE)],
    "choice": [
        _by_choice("environment", "Which of these sounds is in this audio?", NO_SOUND),
        _by_choice("vocal", "Which of these is the human voice in this audio doing?", NO_VOICE),
    ],
    "yes_no": [_by_yes_no],
}


def _emotion_by_phrase(prompts: Prompts) -> Question:
    text, opening = prompts.emotion
    return Question(text, tuple(_spoken(emotions())), "emotion", opening)


def _emotion_by_choice() -> Question:
    return _choice("Which emotion does the voice in this audio express?", emotions(), None, "emotion")
