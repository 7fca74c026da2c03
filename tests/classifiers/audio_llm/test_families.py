"""What each family is asked, down to the token ids of its published tokenizer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.audio import Audio
from monitor.classifiers.audio_llm.families import Family, Qwen2Audio, Qwen3Omni, Qwen25Omni
from monitor.classifiers.audio_llm.prompts import Prompts, questions, writing_down
from monitor.classifiers.audio_llm.transcribers.qwen3_asr import Qwen3AsrConfig
from testkit import tiny_models
from testkit.builders import noise

FIXED = json.loads((Path(__file__).parent / "qwen_token_ids.json").read_text(encoding="utf-8"))
"""`vocabulary`: ids of Qwen's published tokenizers and what they spell. `prompts`: what each checkpoint is
given, as ids."""
CHECKPOINTS: dict[str, tuple[Family, bool, str]] = {
    "qwen2_audio_instruct": (Qwen2Audio(), True, "<|AUDIO|>"),
    "qwen2_audio_base": (Qwen2Audio(), False, "<|AUDIO|>"),
    "qwen25_omni": (Qwen25Omni(), True, "<|AUDIO|>"),
    "qwen3_omni": (Qwen3Omni(), True, "<|audio_pad|>"),
}

ASKED: dict[str, Callable[[Prompts], str]] = {
    "describe": lambda prompts: prompts.describe,
    "transcribe": lambda prompts: writing_down(prompts, None, None),
    "transcribe English": lambda prompts: writing_down(prompts, "English", None),
    "translate English": lambda prompts: writing_down(prompts, None, "English"),
}
"""What is asked for words rather than scores."""


@pytest.mark.parametrize("row", [row for row in FIXED["prompts"] if row.split(": ")[0] in CHECKPOINTS])
def test_prompts_are_what_the_checkpoints_were_trained_on(row: str) -> None:
    """Chat form, system prompt, audio tokens, question and beginning of the answer, token for token."""
    name, about = row.split(": ")
    family, chat, audio = CHECKPOINTS[name]
    before, behind = family.prefix(None, chat=chat)
    prompts = family.prompts(chat=chat)
    if about in ASKED:
        asked = family.question(ASKED[about](prompts), chat=chat)
    else:
        labels = frozenset({"glass_break", "cough"})
        [question] = [
            each
            for each in questions("phrases", labels, emotion=True, prompts=prompts)
            if each.answers[0].label == about
        ]
        asked = family.question(question.text, chat=chat, opening=question.opening)
        asked += (" " if question.opening or not chat else "") + question.answers[0].text

    assert before + audio + behind + asked == spelt(row)


def spelt(row: str) -> str:
    """A prompt's ids as text."""
    return "".join(FIXED["vocabulary"][str(token)] for token in FIXED["prompts"][row])


@pytest.mark.parametrize(("language", "words"), [("en", ["help me", "fire"]), (None, [])])
def test_a_transcript_is_asked_for_as_the_checkpoint_was_trained(
    tmp_path: Path, language: str | None, words: list[str]
) -> None:
    """Qwen3-ASR gets the hot words as the system's text, which stands there also when it is empty, and the
    language by its name as the beginning of the answer, token for token."""
    folder = tiny_models.qwen3_asr(tmp_path)
    given = {"type": "qwen3_asr", "model": str(folder), "device": "cpu", "language": language}
    transcriber = Qwen3AsrConfig.model_validate({**given, "hot_words": words}).build()
    transcriber.load()

    [asked] = transcriber.request([Audio(noise(0.5, -20), 16000)], tokenize=False)

    name = ", ".join(["English", *words]) if language else ""
    assert asked == spelt(f"qwen3_asr: {name}")
    transcriber.close()


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("qwen2_audio_instruct", (151647, 151646, 151648)),
        ("qwen25_omni", (151647, 151646, 151648)),
        ("qwen3_omni", (151669, 151675, 151670)),
        ("qwen3_asr", (151669, 151676, 151670)),
    ],
)
def test_a_sound_stands_between_the_tokens_of_its_family(name: str, ids: tuple[int, int, int]) -> None:
    """Begin, sound and end, by the ids in the published configurations: the same word for a sound has other
    ids in Qwen3-Omni and in Qwen3-ASR."""
    family, _, audio = CHECKPOINTS.get(name, CHECKPOINTS["qwen3_omni"])
    words = (family.audio_bos, audio, family.audio_eos)

    assert tuple(FIXED["vocabulary"][str(token)] for token in ids) == words
    for row, prompt in FIXED["prompts"].items():
        if row.split(": ")[0] == name:
            at = prompt.index(ids[0])
            assert tuple(prompt[at : at + 3]) == ids


def test_the_library_takes_a_sound_for_the_same_token() -> None:
    """transformers' own defaults name the ids that are fixed here, so that neither can change alone."""
    import transformers as t

    assert t.Qwen2AudioConfig().audio_token_index == 151646
    assert t.Qwen2_5OmniThinkerConfig().audio_token_index == 151646
    assert t.Qwen3ASRConfig().audio_token_id == 151676


def test_answers_of_chat_models_are_sentences() -> None:
    """A phrase ends a sentence that was begun for the model, in its own words; letters stand alone."""
    family = Qwen2Audio()
    [asked] = questions(
        "phrases", frozenset({"glass_break"}), emotion=False, prompts=family.prompts(chat=True)
    )

    text = family.question(asked.text, chat=True, opening=asked.opening) + " " + asked.answers[0].text

    assert text.endswith("<|im_start|>assistant\nIt is the sound of breaking glass")
