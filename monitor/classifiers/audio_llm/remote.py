"""The large classifier on another machine: vLLM, llama-server, Ollama, or any server of OpenAI's interface.

One GPU box can so serve many microphones. Each segment is asked as lettered multiple choice, one token an
answer; where the server gives log probabilities those are the scores, calibrated against silence as for a
model of our own. What a server does not list is unknown, and an unknown label gets no score.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from monitor.audio import Audio
from monitor.classifiers.audio_llm.answers import ReadScores, answer_in, detected, strongest
from monitor.classifiers.audio_llm.bounds import SILENCE, bounded, parts
from monitor.classifiers.audio_llm.engines.client import Api
from monitor.classifiers.audio_llm.engines.connection import Engine, ProbeFindings, UselessAnswers, Wishes
from monitor.classifiers.audio_llm.engines.letters import Letters
from monitor.classifiers.audio_llm.engines.server import ServerOptions
from monitor.classifiers.audio_llm.phrases import hearable
from monitor.classifiers.audio_llm.prompts import INSTRUCT, Question, describing, questions, writing_down
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
HABITS_MAX = 1000
"""Answers to silence that are remembered: one for each set of labels that were in doubt together."""


class RemoteConfig(SecondLook, LabelSubset, ServerOptions):
    """A large audio-language model behind a server."""

    type: Literal["remote"]
    name: Slug = "remote"
    """Name of this classifier in events (`confirmed_by`) and logs."""
    engine: Literal["auto", "vllm", "llama", "ollama", "openai", "dashscope"] = "auto"
    """Program that serves the model. auto asks the server. `earwitness check --probe` prints what it is
    and what it can do."""
    audio_part: Literal["input_audio", "audio_url"] | None = None
    """The form in which sound is sent. By default the form that works with the server."""
    guided: Literal["structured_outputs", "guided_choice"] | None = None
    """Field of the request that limits the model to the given letters: structured_outputs (vLLM),
    guided_choice (vLLM before 0.12). By default the field that the server knows."""
    logprobs: bool = True
    """true: ask for log probabilities. Without them the model only names labels, and gives no scores."""
    min_mass: Score = 0.2
    """An answer counts only if the given letters get this share of the probability. Otherwise the model
    would have written something else, and its answer is no evidence."""
    named_score: Score = 0.6
    """The score of a label that is named without log probabilities."""
    prior: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """How likely a sound is before anything is heard."""
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Above 1 softens the scores, below 1 sharpens them."""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 64
    """The longest answer of `describe` and `ask`, in tokens."""
    longest_s: Annotated[float, Field(ge=1, le=2400)] = 30.0
    """How much sound the model hears at once, for `describe` and `ask`: 30 (Qwen2-Audio), 300
    (Qwen2.5-Omni), 2400 (Qwen3-Omni). The server may take less."""
    extra: dict[str, Any] = {}
    """More fields for every request to the server, for example {chat_template_kwargs: {enable_thinking:
    false}}."""

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
        self._server: Engine | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._habits: dict[Question, Letters | None] = {}
        """What it answers to each question about silence; None where that answer is not usable."""
        self._useless: tuple[str, float] | None = None
        """Why the server is not asked, and until when."""

    @property
    def audio_goes_to(self) -> str:
        """Which audio goes where, in words."""
        return f"{self.name}: {self.block.audio_goes_to}"

    @property
    def trouble(self) -> str | None:
        """Why the server could not be asked when it was loaded."""
        return self._trouble

    def load(self) -> None:
        """Log where audio goes, ask the server for its models, and test whether it hears. Raises ModelError
        for a wrong key or model, and for a server that cannot distinguish a tone from silence. For a server
        that is down, only a warning is logged: it may come back."""
        block = self.block
        self._api = Api(block, self._clock)
        self._threads = ThreadPoolExecutor(block.concurrency, f"ask-{self.name}")
        self._server = self._connection(self._api)
        log.info(self.audio_goes_to)
        self._trouble = None
        try:
            found = self._server.meet(PROBE_S)
        except UselessAnswers as error:
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

    def probe(self) -> ProbeFindings:
        """Ask the server what it is and whether it hears, with made-up sounds, for as long as `timeout_s`
        allows; nothing is left open. Raises ModelError or ClassifyError with the fix."""
        api = Api(self.block, self._clock)
        try:
            return self._connection(api).meet(self.block.timeout_s)
        finally:
            api.close()

    def _connection(self, api: Api) -> Engine:
        block = self.block
        wishes = Wishes(
            block.engine, block.audio_part, block.guided, block.logprobs, block.min_mass, block.extra
        )
        return Engine(api, block.model, wishes)

    @property
    def found(self) -> ProbeFindings | None:
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
        """Scores for each segment that may be sent, of each label that the server's answer decides.
        Raises ClassifyError; at once while the server rests after failures."""
        # The cascade has checked already, by the small model's scores; this is the last check before sending.
        sent = [segment for segment in segments if self.block.may_hear(segment, ())]
        if not sent:
            return []
        server = self._ready()
        pieces = [(i, bounded(part)) for i, segment in enumerate(sent) for part in parts(segment.audio)]
        asked = [self._questions(segment.about) for segment in sent]
        self._learn_habits(server, {question for each in asked for question in each})
        read = self._judge(server, [(piece, asked[i]) for i, piece in pieces])
        descriptions = self._descriptions([parts(segment.audio)[0] for segment in sent])
        return [
            detection
            for i, segment in enumerate(sent)
            for detection in detected(
                segment,
                self.name,
                *strongest([one for one, (j, _) in zip(read, pieces, strict=True) if j == i]),
                description=descriptions[i],
                unscored=sorted(self.labels),
            )
        ]

    def describe(self, audio: Audio) -> str:
        """One sentence about at most `longest_s` of sound. Raises ClassifyError."""
        return self.ask(audio, describing(self.block.model, INSTRUCT))

    def write_down(self, audio: Audio, language: str | None = None, translate_to: str | None = None) -> str:
        """See `Describer`."""
        return self.ask(audio, writing_down(INSTRUCT, language, translate_to))

    @property
    def longest_s(self) -> float:
        """How much sound is sent at once."""
        return self.block.longest_s

    def summarize(self, words: str) -> str | None:
        """The model's own words about words."""
        return answer_in(self._ready().words(None, words, self.block.max_new_tokens), self.name)

    def ask(self, audio: Audio, question: str = "") -> str:
        """Answer a question about at most `longest_s` of sound, which is sent whatever is in it; without a
        question, answer the speech in it. One line of the model's own words: never act on it. Raises
        ClassifyError."""
        sound = bounded(audio, self.block.longest_s)
        return answer_in(self._ready().words(sound, question, self.block.max_new_tokens), self.name)

    def _ready(self) -> Engine:
        """The server once it has shown that it hears. ClassifyError with the reason until then."""
        if self._server is None:
            raise ClassifyError(f"{self.name}: not connected; call load() first")
        if self._server.found is None:
            self._meet_late(self._server)
        return self._server

    def _meet_late(self, server: Engine) -> None:
        if self._useless is not None and self._clock.monotonic_s() < self._useless[1]:
            raise ClassifyError(self._useless[0])
        try:
            server.meet(self.block.timeout_s)
        except (UselessAnswers, ModelError) as error:
            self._useless = str(error), self._clock.monotonic_s() + self.block.rest_s
            raise ClassifyError(str(error)) from error

    def _questions(self, about: frozenset[str] | None) -> tuple[Question, ...]:
        """What is asked about these labels; None: about all."""
        labels = self.labels if about is None else self.labels & about
        return questions("choice", labels, emotion=self.block.emotion)

    def _judge(self, server: Engine, asked: Sequence[tuple[Audio, Sequence[Question]]]) -> list[ReadScores]:
        """What each sound is, by its questions. ClassifyError where none of them had a usable answer."""
        flat = [(sound, question) for sound, each in asked for question in each]
        answers = iter(list(self._in_parallel(lambda one: self._usable(server, *one), flat)))
        return [self._read(server, [(question, next(answers)) for question in each]) for _, each in asked]

    def _learn_habits(self, server: Engine, asked: Iterable[Question]) -> None:
        if server.names_only:
            return
        new = [question for question in asked if question not in self._habits]
        found = list(self._in_parallel(lambda question: self._usable(server, SILENCE, question), new))
        if len(self._habits) + len(new) > HABITS_MAX:
            self._habits.clear()
        self._habits.update(zip(new, found, strict=True))

    def _in_parallel(self, work: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
        if self._threads is None:
            raise ClassifyError(f"{self.name}: not connected; call load() first")
        return self._threads.map(work, items)

    def _usable(self, server: Engine, sound: Audio, question: Question) -> Letters | None:
        """The letters of an answer, or None when too little of the probability is on them."""
        found = server.letters(sound, question.text, [answer.text for answer in question.answers])
        return found if found.mass >= self.block.min_mass else None

    def _read(self, server: Engine, answers: Sequence[tuple[Question, Letters | None]]) -> ReadScores:
        block = self.block
        if server.names_only:
            return named_off(answers, block.named_score)
        sure = [
            (question, letters, habit)
            for question, letters in answers
            if letters is not None and (habit := self._habits[question]) is not None
        ]
        if answers and not sure:
            raise ClassifyError(
                f"{self.name}: the letters get under {100 * block.min_mass:g} % of the probability; make the "
                "model answer with them by guided: structured_outputs, or lower min_mass"
            )
        return read_off_bounds(sure, block.prior, block.temperature)

    def _descriptions(self, sounds: Sequence[Audio]) -> list[str | None]:
        if not self.block.describe:
            return [None] * len(sounds)
        return list(self._in_parallel(self._described, sounds))

    def _described(self, sound: Audio) -> str | None:
        """A description, or None where the server gives none: the scores that it gave are not lost by it."""
        try:
            return self.describe(sound)
        except ClassifyError as error:
            log.debug("no description", classifier=self.name, reason=str(error))
            return None
