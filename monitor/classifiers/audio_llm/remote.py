"""The large listener on another machine: vLLM, llama-server, Ollama, or any server of OpenAI's interface.

One GPU box can so serve many microphones. Each segment is asked as lettered multiple choice, one token an
answer; where the server gives log probabilities those are the scores, calibrated against silence as for a
model of our own. What a server does not list is not known, and what is not known is not said.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import Read, detected, sanitize, strongest
from monitor.classifiers.audio_llm.bounds import bounded, parts
from monitor.classifiers.audio_llm.engines.client import Api
from monitor.classifiers.audio_llm.engines.connection import Connection, Deaf, Findings, Wishes
from monitor.classifiers.audio_llm.engines.letters import Letters
from monitor.classifiers.audio_llm.engines.server import Server
from monitor.classifiers.audio_llm.phrases import hearable
from monitor.classifiers.audio_llm.prompts import DESCRIBE, Question, questions
from monitor.classifiers.audio_llm.scoring import named_off, read_off_bounds
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.cascade import LabelSubset, SecondLook, sounds_private
from monitor.clock import Clock, SystemClock
from monitor.errors import ClassifyError, ModelError
from monitor.logs import get_logger
from monitor.schema import Score, Slug
from monitor.types import Detection, Segment

log = get_logger()
T = TypeVar("T")
R = TypeVar("R")
PROBE_S = 10.0
"""What the questions about three made-up sounds may delay the start; a slower server is asked them later."""
SILENCE = Audio(np.zeros(2 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)


class RemoteConfig(SecondLook, LabelSubset, Server):
    """A large audio-language model behind a server."""

    type: Literal["remote"]
    name: Slug = "remote"
    """Names this listener in events (`confirmed_by`) and logs."""
    engine: Literal["auto", "vllm", "llama", "ollama", "openai", "dashscope"] = "auto"
    """What serves the model; auto asks the server. `earwitness check --probe` prints what it is and can
    do."""
    audio_part: Literal["input_audio", "audio_url"] | None = None
    """How the server takes sound; by default whichever it hears with."""
    guided: Literal["structured_outputs", "guided_choice"] | None = None
    """Hold the model to the letters on offer, by this field: structured_outputs (vLLM), guided_choice (vLLM
    before 0.12). By default whatever the server is found to know."""
    logprobs: bool = True
    """Ask for log probabilities; without them a label is only ever named."""
    min_mass: Score = 0.2
    """An answer counts only when the letters on offer get this share of the probability: what a model would
    rather not have answered at all is no evidence."""
    named_score: Score = 0.6
    """The score of a label that is named without log probabilities."""
    prior: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """How likely a sound is before it is heard."""
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Above 1 softens the scores, below 1 sharpens them."""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 64
    """The longest answer of `describe` and `ask`, in tokens."""
    extra: dict[str, Any] = {}
    """Further fields of every request, as the server knows them, for example
    {chat_template_kwargs: {enable_thinking: false}}."""

    def may_hear(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        """Not a voice, unless `send_speech`."""
        return self.send_speech or not sounds_private(segment, detections)

    def build(self) -> "RemoteClassifier":
        """The classifier; nothing is sent yet."""
        return RemoteClassifier(self)


class RemoteClassifier(ClassifierDefaults):
    """A server as a classifier. One thread at a time; requests go out in parallel from threads of its own,
    for a batch on one connection would keep a GPU box waiting for the network."""

    window_s = 10.0
    hop_s = 10.0

    def __init__(self, block: RemoteConfig, clock: Clock | None = None) -> None:
        self.block = block
        self.name = block.name
        self.labels = frozenset(block.labels) or hearable()
        self._trouble: str | None = None
        """Why the server did not answer when it was met; None if it did."""
        self._clock = clock or SystemClock()
        self._api: Api | None = None
        self._server: Connection | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._habits: dict[Question, Letters | None] = {}
        """What it answers to each question about silence; None where that answer is not usable."""
        self._deaf: tuple[str, float] | None = None
        """Why the server is not asked, and until when."""
        self._questions: tuple[Question, ...] = questions("choice", self.labels, emotion=block.emotion)

    @property
    def audio_goes_to(self) -> str:
        """Which audio goes where, in words."""
        return f"{self.name}: {self.block.audio_goes_to}"

    @property
    def trouble(self) -> str | None:
        """Why the server could not be asked when it was loaded."""
        return self._trouble

    def load(self) -> None:
        """Say where audio goes, ask the server for its models, and whether it hears. Raises ModelError for a
        wrong key or model, and for a server that cannot tell a tone from silence; one that is down may come
        back, and is only warned of."""
        block = self.block
        self._api = Api(block, self._clock)
        self._threads = ThreadPoolExecutor(block.concurrency, f"ask-{self.name}")
        self._server = Connection(
            self._api,
            block.model,
            Wishes(block.engine, block.audio_part, block.guided, block.logprobs, block.min_mass, block.extra),
        )
        log.info(self.audio_goes_to)
        self._trouble = None
        try:
            found = self._server.meet(PROBE_S)
        except Deaf as error:
            self.close()
            raise ModelError(str(error)) from error
        except ClassifyError as error:
            self._trouble = str(error)
            log.warning("the server does not answer yet", classifier=self.name, reason=str(error))
        else:
            log.info(
                "the server hears",
                classifier=self.name,
                engine=found.way.dialect.name,
                scores_by=found.way.means,
                audio_part=found.way.part,
            )

    @property
    def found(self) -> Findings | None:
        """What the probe of the server found; None while it has not answered."""
        return self._server.found if self._server else None

    def close(self) -> None:
        """Wait for what is under way and close all connections."""
        if self._api is not None:
            self._api.close()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        self._api = self._threads = self._server = None
        self._habits = {}

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Scores for each segment that may be sent, of each label of which the server's answer says
        something. Raises ClassifyError; at once while the server is left alone."""
        # The cascade has asked already, and knows what the small model heard; this is the last door.
        sent = [segment for segment in segments if self.block.may_hear(segment, ())]
        if not sent:
            return []
        server = self._ready()
        pieces = [(i, bounded(part)) for i, segment in enumerate(sent) for part in parts(segment.audio)]
        read = self._judge(server, [piece for _, piece in pieces])
        told = self._descriptions([parts(segment.audio)[0] for segment in sent])
        return [
            detection
            for i, segment in enumerate(sent)
            for detection in detected(
                segment,
                self.name,
                *strongest([one for one, (j, _) in zip(read, pieces, strict=True) if j == i]),
                description=told[i],
                unscored=sorted(self.labels),
            )
        ]

    def describe(self, audio: Audio) -> str:
        """One sentence about at most 30 s of sound. Raises ClassifyError."""
        return self.ask(audio, DESCRIBE)

    def ask(self, audio: Audio, question: str = "") -> str:
        """Answer a question about at most 30 s of sound, which is sent whatever is in it; without a question,
        answer what is said in it. One line of the model's own words: never act on it. Raises
        ClassifyError."""
        return sanitize(self._ready().words(bounded(audio), question, self.block.max_new_tokens))

    def _ready(self) -> Connection:
        """The server once it has shown that it hears. ClassifyError with the reason until then."""
        if self._server is None:
            raise ClassifyError(f"{self.name}: not connected; call load() first")
        if self._server.found is None:
            self._meet_late(self._server)
        return self._server

    def _meet_late(self, server: Connection) -> None:
        if self._deaf is not None and self._clock.monotonic_s() < self._deaf[1]:
            raise ClassifyError(self._deaf[0])
        try:
            server.meet(self.block.timeout_s)
        except (Deaf, ModelError) as error:
            self._deaf = str(error), self._clock.monotonic_s() + self.block.rest_s
            raise ClassifyError(str(error)) from error

    def _judge(self, server: Connection, sounds: Sequence[Audio]) -> list[Read]:
        """What each sound is, by all questions. ClassifyError where no question had a usable answer."""
        self._learn_habits(server)
        asked = [(sound, question) for sound in sounds for question in self._questions]
        answers = list(self._in_parallel(lambda one: self._usable(server, *one), asked))
        n = len(self._questions)
        return [self._read(server, answers[i : i + n]) for i in range(0, len(answers), n)]

    def _learn_habits(self, server: Connection) -> None:
        if server.names_only:
            return
        new = [question for question in self._questions if question not in self._habits]
        found = self._in_parallel(lambda question: self._usable(server, SILENCE, question), new)
        self._habits.update(zip(new, found, strict=True))

    def _in_parallel(self, work: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
        if self._threads is None:
            raise ClassifyError(f"{self.name}: not connected; call load() first")
        return self._threads.map(work, items)

    def _usable(self, server: Connection, sound: Audio, question: Question) -> Letters | None:
        """The letters of an answer, or None when too little of the probability is on them."""
        found = server.letters(sound, question.text, [answer.text for answer in question.answers])
        return found if found.mass >= self.block.min_mass else None

    def _read(self, server: Connection, answers: Sequence[Letters | None]) -> Read:
        block = self.block
        if server.names_only:
            return named_off(zip(self._questions, answers, strict=True), block.named_score)
        told = [
            (question, letters, habit)
            for question, letters in zip(self._questions, answers, strict=True)
            if letters is not None and (habit := self._habits[question]) is not None
        ]
        if not told:
            raise ClassifyError(
                f"{self.name}: the letters get under {100 * block.min_mass:g} % of the probability; hold the "
                "model to them with guided: structured_outputs, or lower min_mass"
            )
        return read_off_bounds(told, block.prior, block.temperature)

    def _descriptions(self, sounds: Sequence[Audio]) -> list[str | None]:
        if not self.block.describe:
            return [None] * len(sounds)
        return list(self._in_parallel(self.describe, sounds))
