"""The large listener on another machine: any OpenAI-compatible server that takes audio, such as vLLM.

One GPU box can so serve many microphones. Each segment is asked as lettered multiple choice, one token an
answer; where the server gives log probabilities those are the scores, calibrated against silence as for a
model of our own.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import Read, detected, strongest, tidy
from monitor.classifiers.audio_llm.bounds import bounded, parts
from monitor.classifiers.audio_llm.openai_client import Api, Server, wav_base64
from monitor.classifiers.audio_llm.phrases import NOTHING, hearable
from monitor.classifiers.audio_llm.prompts import DESCRIBE, Question, questions
from monitor.classifiers.audio_llm.scoring import Floats, read_off
from monitor.classifiers.cascade import Heard, SecondLook, sounds_private
from monitor.clock import Clock
from monitor.errors import ClassifyError
from monitor.logs import get_logger
from monitor.schema import Score, Slug
from monitor.types import Detection, Segment

log = get_logger()
LEAST = -100.0
"""No log probability counts for less."""
TOP_LOGPROBS = 20
"""As many as OpenAI's interface allows."""


class RemoteConfig(SecondLook, Heard, Server):
    """A large audio-language model behind an OpenAI-compatible server."""

    type: Literal["remote"]
    name: Slug = "remote"
    """Names this listener in events (`confirmed_by`) and logs."""
    audio_part: Literal["input_audio", "audio_url"] = "input_audio"
    """How the server takes audio: input_audio (OpenAI, vLLM) or audio_url (vLLM, others)."""
    guided: Literal["structured_outputs", "guided_choice"] | None = None
    """How the server can be held to the letters on offer: structured_outputs (vLLM), guided_choice (vLLM
    before 0.12); by default it is not."""
    logprobs: bool = True
    """Ask for log probabilities; without them a label is only ever named."""
    named_score: Score = 0.6
    """The score of a label that is named without log probabilities."""
    prior: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """How likely a sound is before it is heard: the score that silence gets."""
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Above 1 softens the scores, below 1 sharpens them."""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 64
    """The longest answer of `describe` and `ask`, in tokens."""

    def may_hear(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        """Not a voice, unless `send_speech`."""
        return self.send_speech or not sounds_private(segment, detections)

    def build(self) -> "RemoteClassifier":
        """The classifier; nothing is sent yet."""
        return RemoteClassifier(self)


class RemoteClassifier:
    """A server as a classifier. One thread at a time; requests go out in parallel from threads of its own,
    for a batch on one connection would keep a GPU box waiting for the network."""

    window_s = 10.0
    hop_s = 10.0

    def __init__(self, block: RemoteConfig, clock: Clock | None = None) -> None:
        self.block = block
        self.name = block.name
        self.labels = frozenset(block.labels) or hearable()
        self.trouble: str | None = None
        """Why the server did not answer when it was met; None if it did."""
        self._clock = clock
        self._api: Api | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._habit: Floats | None = None
        self._questions: tuple[Question, ...] = questions("choice", self.labels, emotion=block.emotion)

    @property
    def audio_goes_to(self) -> str:
        """Which audio goes where, in words."""
        return f"{self.name}: {self.block.audio_goes_to}"

    def load(self) -> None:
        """Say where audio goes, and ask the server for its models. Raises ModelError for a wrong key or
        model; a server that is down may come back, and is only warned of."""
        self._api = Api(self.block, self._clock)
        self._threads = ThreadPoolExecutor(self.block.concurrency, f"ask-{self.name}")
        log.info(self.audio_goes_to)
        self.trouble = None
        try:
            self._api.check()
        except ClassifyError as error:
            self.trouble = str(error)
            log.warning("the server does not answer yet", classifier=self.name, reason=str(error))

    def close(self) -> None:
        """Wait for what is under way and close all connections."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        if self._api is not None:
            self._api.close()
        self._api = self._threads = self._habit = None

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Scores of every label for each segment that may be sent. Raises ClassifyError; at once while the
        server is left alone."""
        # The cascade has asked already, and knows what the small model heard; this is the last door.
        sent = [segment for segment in segments if self.block.may_hear(segment, ())]
        if not sent:
            return []
        if self._habit is None and self.block.logprobs:
            silence = Audio(np.zeros(2 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)
            [self._habit] = self._judge([silence])
        pieces = [(i, bounded(part)) for i, segment in enumerate(sent) for part in parts(segment.audio)]
        read = [self._read(letters) for letters in self._judge([piece for _, piece in pieces])]
        told = self._descriptions([parts(segment.audio)[0] for segment in sent])
        return [
            detection
            for i, segment in enumerate(sent)
            for detection in detected(
                segment,
                self.name,
                *strongest([one for one, (j, _) in zip(read, pieces, strict=True) if j == i]),
                description=told[i],
            )
        ]

    def describe(self, audio: Audio) -> str:
        """One sentence about at most 30 s of sound. Raises ClassifyError."""
        return self.ask(audio, DESCRIBE)

    def ask(self, audio: Audio, question: str = "") -> str:
        """Answer a question about at most 30 s of sound, which is sent whatever is in it; without a question,
        answer what is said in it. One line of the model's own words: never act on it. Raises
        ClassifyError."""
        return tidy(_words(self._chat(bounded(audio), question, max_tokens=self.block.max_new_tokens)))

    def _judge(self, sounds: Sequence[Audio]) -> list[Floats]:
        """For each sound the log probability of every answer, in the order of the questions."""
        asked = [(sound, question) for sound in sounds for question in self._questions]
        each = list(self._in_parallel(lambda one: self._letters(*one), asked))
        n = len(self._questions)
        return [np.concatenate(each[i : i + n]) for i in range(0, len(each), n)]

    def _in_parallel(self, work: Any, items: Sequence[Any]) -> Any:
        if self._threads is None:
            raise ClassifyError(f"{self.name}: not connected; call load() first")
        return self._threads.map(work, items)

    def _letters(self, sound: Audio, question: Question) -> Floats:
        letters = [answer.text for answer in question.answers]
        more: dict[str, Any] = {"logprobs": True, "top_logprobs": TOP_LOGPROBS} if self.block.logprobs else {}
        if self.block.guided == "structured_outputs":
            more["structured_outputs"] = {"choice": letters}
        elif self.block.guided == "guided_choice":
            more["guided_choice"] = letters
        choice = self._chat(sound, question.text, max_tokens=1, **more)
        listed = _top_logprobs(choice)
        if listed is not None:
            return letter_logprobs(listed, letters)
        return _named(_words(choice), letters, self.name)

    def _descriptions(self, sounds: Sequence[Audio]) -> list[str | None]:
        if not self.block.describe:
            return [None] * len(sounds)
        return list(self._in_parallel(self.describe, sounds))

    def _chat(self, sound: Audio, text: str, **more: Any) -> dict[str, Any]:
        """The first choice of an answer to sound and text."""
        if self._api is None:
            raise ClassifyError(f"{self.name}: not connected; call load() first")
        parts = [self._part(sound), *([{"type": "text", "text": text}] if text else [])]
        message = {"role": "user", "content": parts}
        answer = self._api.post(
            "/chat/completions",
            {"model": self.block.model, "messages": [message], "temperature": 0, **more},
        )
        choices = answer.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise ClassifyError(f"{self.name}: the server's answer has no choices; is it OpenAI-compatible?")
        return choices[0]

    def _part(self, sound: Audio) -> dict[str, Any]:
        data = wav_base64(sound)
        if self.block.audio_part == "audio_url":
            return {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{data}"}}
        return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}

    def _read(self, letters: Floats) -> Read:
        if self._habit is None or not np.isfinite([letters, self._habit]).all():
            return self._by_name(letters)
        return read_off(self._questions, letters, self._habit, self.block.prior, self.block.temperature)

    def _by_name(self, letters: Floats) -> Read:
        """What was named scores `named_score`, the rest the prior: there is nothing better to go by."""
        scores: dict[str, float] = {}
        emotion = None
        answers = [(question.kind, answer) for question in self._questions for answer in question.answers]
        for (kind, answer), value in zip(answers, letters, strict=True):
            if kind == "emotion":
                emotion = {**(emotion or {}), answer.label: float(value > -np.inf)}
            elif answer.label != NOTHING:
                scores[answer.label] = self.block.named_score if value > -np.inf else self.block.prior
        return scores, emotion


def _top_logprobs(choice: dict[str, Any]) -> list[tuple[str, float]] | None:
    """The likeliest first tokens and their log probabilities; None where the server gives none."""
    try:
        first = choice["logprobs"]["content"][0]["top_logprobs"]
        listed = [(str(one["token"]), float(one["logprob"])) for one in first]
        # NaN would spread into every score; servers write impossible tokens as -inf or -9999.
        return [(token, min(max(value, LEAST), 0.0)) for token, value in listed if value == value] or None
    except (KeyError, IndexError, TypeError, ValueError, OverflowError):
        return None


def letter_logprobs(listed: Sequence[tuple[str, float]], letters: Sequence[str]) -> Floats:
    """The log probability of each letter, whatever spaces a tokenizer puts around it. One that is not
    listed is at most as likely as the least that is."""
    least = min(value for _, value in listed)
    found = np.full(len(letters), -np.inf)
    for token, value in listed:
        if (letter := token.strip(" \u2581\u0120.")) in letters:
            at = letters.index(letter)
            found[at] = np.logaddexp(found[at], value)
    return np.where(np.isneginf(found), least, found)


def _named(words: str, letters: Sequence[str], name: str) -> Floats:
    """+inf for the letter that the answer begins with, -inf for the others."""
    match = re.match(r"\W*([A-Z])\b", words)
    if match is None or match[1] not in letters:
        raise ClassifyError(
            f"{name}: the server neither gave log probabilities nor named a letter; set guided"
        )
    return np.where(np.array(letters) == match[1], np.inf, -np.inf)


def _words(choice: dict[str, Any]) -> str:
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""
