"""The large classifier in this process: Qwen2-Audio, Qwen2.5-Omni or Qwen3-Omni through transformers.

Everything about a segment is asked in one pass: the audio is encoded once, and all questions with all their
answers stand behind that one prefix (`qwen_tree`). Scores are likelihoods, never parsed prose.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from monitor.audio import Audio
from monitor.classifiers.audio_llm.answers import answer_in, detected, strongest
from monitor.classifiers.audio_llm.batching import halving, in_batches
from monitor.classifiers.audio_llm.bounds import LONGEST_S, SILENCE, parts
from monitor.classifiers.audio_llm.engines.probe import probe_sounds
from monitor.classifiers.audio_llm.phrases import hearable
from monitor.classifiers.audio_llm.prompts import Question, Strategy, describing, questions, writing_down
from monitor.classifiers.audio_llm.scoring import Floats, label_scores
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.cascade import LabelSubset, SecondLook
from monitor.classifiers.pretrained import Device, Dtype, inference, limit_threads
from monitor.errors import ClassifyError, ModelError
from monitor.logs import get_logger
from monitor.schema import Slug
from monitor.types import Detection, Segment

if TYPE_CHECKING:
    from monitor.classifiers.audio_llm.model import AudioLanguageModel
    from monitor.classifiers.audio_llm.prefix_tree import Tree

log = get_logger()
T = TypeVar("T")
PACKED_MAX = 64
"""Sets of labels whose questions stay packed."""
LEAST_APART_NATS = 1e-3
"""Two sounds get some answer that differs by more; the same one in another batch, none."""


class QwenConfig(SecondLook, LabelSubset):
    """A large audio-language model on this machine. It needs `scripts/setup --qwen`."""

    type: Literal["qwen"]
    name: Slug = "qwen"
    """Name of this classifier in events (`confirmed_by`) and logs."""
    model: Annotated[str, Field(min_length=1)] = "Qwen/Qwen2-Audio-7B-Instruct"
    """Hub id or folder of a Qwen2-Audio, Qwen2.5-Omni or Qwen3-Omni model."""
    device: Device = "auto"
    """auto (the best of this machine, several GPUs if needed), cpu, mps, cuda or cuda:1."""
    dtype: Dtype = "auto"
    """auto: bfloat16 on a GPU that supports it, otherwise float32."""
    quantize: Literal["int8", "int4"] | None = None
    """Store the language model's weights in fewer bits (CUDA, bitsandbytes). Quantised audio models hear
    worse: measure yours with `earwitness eval`."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """Number of CPU threads. By default the number of cores, or OMP_NUM_THREADS."""
    batch_size: Annotated[int, Field(ge=1, le=256)] = 8
    """Segments judged in one pass."""
    strategy: Strategy = "phrases"
    """How to ask: phrases (the likelihood of naming each sound), choice (lettered lists) or yes_no (one
    question for each label). Compare them with `earwitness eval` on your own clips."""
    prior: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """How likely a sound is before anything is heard. Silence gets this score."""
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Above 1 softens the scores, below 1 sharpens them."""
    chat: bool = True
    """true: use the chat form of instruction-tuned models. false: for base models such as
    Qwen/Qwen2-Audio-7B."""
    system: Annotated[str, Field(max_length=2000)] | None = None
    """The system prompt. By default the model's own."""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 64
    """The longest answer of `describe` and `ask`, in tokens."""

    def build(self) -> "QwenClassifier":
        """The classifier, not yet loaded."""
        return QwenClassifier(self)


class QwenClassifier(ClassifierDefaults):
    """Qwen audio models as a classifier that can also describe and answer. `classify` and `ask` from any
    thread, one after the other: the classifier and the transcriber of a house may share one model."""

    window_s = 10.0
    hop_s = 10.0

    def __init__(self, block: QwenConfig) -> None:
        self.block = block
        self.name = block.name
        self.labels = frozenset(block.labels) or hearable()
        self._loaded: AudioLanguageModel | None = None
        self._null_priors: dict[tuple[str, str], float] = {}
        """By question and answer, the log likelihood of the answer to silence."""
        self._packed: dict[frozenset[str] | None, _Asked] = {}
        self._busy = threading.Lock()

    def load(self) -> None:
        """Bring the model into memory, and let it hear silence, a tone and a voice. Raises ModelError with
        the fix."""
        from monitor.classifiers.audio_llm.loading import load

        block = self.block
        limit_threads(block.threads)
        if block.quantize:
            log.warning(
                "a quantised audio model hears worse; measure it with `earwitness eval`", model=block.model
            )
        self._loaded = load(
            block.model,
            device=block.device,
            dtype=block.dtype,
            quantize=block.quantize,
            system=block.system,
            chat=block.chat,
        )
        try:
            with inference(block.model, "silence"):
                self._check_that_it_hears(self._asked(None))
        except ClassifyError as error:
            self.close()
            raise ModelError(str(error)) from error

    def close(self) -> None:
        """Let the model go."""
        self._loaded = None
        self._null_priors.clear()
        self._packed.clear()
        self.__dict__.pop("_questions", None)

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Scores of every label that is asked about in each segment; one over 30 s is heard in parts. Raises
        ClassifyError."""
        by_labels: dict[frozenset[str] | None, list[Segment]] = {}
        for segment in segments:
            by_labels.setdefault(segment.about, []).append(segment)
        with self._busy, inference(self.block.model, " ".join(segment.id for segment in segments)):
            return [
                detection
                for about, some in by_labels.items()
                for detection in self._classified(some, self._asked(about))
            ]

    def describe(self, audio: Audio) -> str:
        """One sentence about at most `longest_s` of sound. Raises ClassifyError."""
        return self.ask(audio, self._describing)

    def write_down(self, audio: Audio, language: str | None = None, translate_to: str | None = None) -> str:
        """See `Describer`."""
        return self.ask(audio, writing_down(self._model.prompts, language, translate_to))

    @property
    def longest_s(self) -> float:
        """How much sound it hears at once; known once it is loaded."""
        return self._loaded.family.longest_s if self._loaded else LONGEST_S

    def summarize(self, words: str) -> str | None:
        """The model's own words about words; None for a base model, which is not to be talked to."""
        if not self._model.chat:
            return None
        with self._busy, inference(self.block.model, "summarized"):
            return answer_in(self._model.write_about(words, self.block.max_new_tokens), self.name)

    def ask(self, audio: Audio, question: str = "") -> str:
        """Answer a question about a sound; without one, answer what is said in it (voice chat).
        The answer is one line of the model's own words: show it, never act on it. Raises ClassifyError."""
        with self._busy, inference(self.block.model, "asked about"):
            [answer] = self._write(self._model.encode([audio]), question)
            return answer_in(answer, self.name)

    @property
    def _model(self) -> "AudioLanguageModel":
        if self._loaded is None:
            raise ClassifyError(f"{self.name}: the model is not loaded; call load() first")
        return self._loaded

    @cached_property
    def _questions(self) -> tuple[Question, ...]:
        return questions(
            self.block.strategy, self.labels, emotion=self.block.emotion, prompts=self._model.prompts
        )

    def _asked(self, about: frozenset[str] | None) -> "_Asked":
        """The questions about these labels (None: all), packed, with the answers that silence gets."""
        if about in self._packed:
            return self._packed[about]
        if len(self._packed) >= PACKED_MAX:
            self._packed.pop(next(iter(self._packed)))
        asked = self._questions if about is None else self._narrowed(about & self.labels)
        tree = self._model.pack(asked) if asked else None
        null_prior = self._null_prior(asked, tree) if tree else np.empty(0)
        found = self._packed[about] = _Asked(asked, tree, null_prior)
        return found

    def _narrowed(self, labels: frozenset[str]) -> tuple[Question, ...]:
        if self.block.strategy == "choice":
            return questions("choice", labels, emotion=self.block.emotion, prompts=self._model.prompts)
        kept = (
            question if question.kind == "emotion" else question.only(labels) for question in self._questions
        )
        return tuple(question for question in kept if question is not None)

    def _null_prior(self, asked: Sequence[Question], tree: "Tree") -> Floats:
        """What silence gets. The likelihood of an answer does not depend on the others on offer, so that what
        is known from a longer list holds for a shorter one."""
        keys = [(question.text, answer.text) for question in asked for answer in question.answers]
        if not all(key in self._null_priors for key in keys):
            [found] = self._likelihoods([SILENCE], tree)[0]
            self._null_priors.update(zip(keys, found.tolist(), strict=True))
        return np.array([self._null_priors[key] for key in keys])

    def _check_that_it_hears(self, asked: "_Asked") -> None:
        """ClassifyError for a model that gives a tone, a voice and silence the same answers."""
        if asked.tree is None:
            return
        sounds = probe_sounds()
        found, _ = self._likelihoods([sounds["tone"], sounds["voice"]], asked.tree)
        rows = [*found, asked.null_prior]
        if any(float(np.abs(a - b).max()) < LEAST_APART_NATS for a, b in combinations(rows, 2)):
            raise ClassifyError(
                f"{self.block.model}: it gives the same answer to a tone, a voice and silence, so it "
                f"does not hear; "
                "download it again"
            )

    @property
    def _describing(self) -> str:
        return describing(self.block.model, self._model.prompts)

    def _write(self, heard: Sequence[Any], question: str) -> list[str]:
        return self._model.write(heard, question, self.block.max_new_tokens)

    def _classified(self, segments: Sequence[Segment], asked: "_Asked") -> list[Detection]:
        """Detections of segments that are asked the same."""
        pieces = [(i, part) for i, segment in enumerate(segments) for part in parts(segment.audio)]
        likelihoods, heard = self._judge([piece for _, piece in pieces], asked)
        of = [[k for k, (j, _) in enumerate(pieces) if j == i] for i in range(len(segments))]
        descriptions = self._descriptions([heard[ks[0]] for ks in of])
        return [
            detection
            for segment, ks, words in zip(segments, of, descriptions, strict=True)
            for detection in self._answer(segment, [likelihoods[k] for k in ks], asked, words)
        ]

    def _judge(self, sounds: Sequence[Audio], asked: "_Asked") -> tuple[Floats, list[Any]]:
        """log P of every answer, and the sounds as the language model hears them, in the order given.

        Sounds of like length go together, for the shorter are padded to the longest."""
        order = sorted(range(len(sounds)), key=lambda i: len(sounds[i]))
        likelihoods = np.empty((len(sounds), len(asked.null_prior)))
        heard: list[Any] = [None] * len(sounds)
        for batch in in_batches(order, self.block.batch_size):
            for some, (found, embedded) in halving(
                batch, lambda these: self._likelihoods([sounds[i] for i in these], asked.tree)
            ):
                likelihoods[some] = found
                for i, one in zip(some, embedded, strict=True):
                    heard[i] = one
        return likelihoods, heard

    def _likelihoods(self, sounds: Sequence[Audio], tree: "Tree | None") -> tuple[Floats, list[Any]]:
        """log P of every answer of the tree, every one a number, and the sounds as the model hears them."""
        heard = self._model.encode(sounds)
        if tree is None:
            return np.empty((len(sounds), 0)), heard
        found = self._model.log_likelihoods(heard, tree)
        if not np.isfinite(found).all():
            raise ClassifyError(
                f"{self.block.model}: its answers are not numbers, because the model overflows; set "
                f"dtype: bfloat16 "
                "or float32"
            )
        return found, heard

    def _descriptions(self, heard: Sequence[Any]) -> list[str | None]:
        if not self.block.describe:
            return [None] * len(heard)
        question, batches = self._describing, in_batches(heard, self.block.batch_size)
        return [words for batch in batches for words in self._write(batch, question)]

    def _answer(
        self, segment: Segment, likelihoods: Sequence[Floats], asked: "_Asked", description: str | None
    ) -> list[Detection]:
        weighing = self.block.prior, self.block.temperature
        read = [label_scores(asked.questions, one, asked.null_prior, *weighing) for one in likelihoods]
        return detected(
            segment, self.name, *strongest(read), description=description, unscored=sorted(self.labels)
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Questions, packed, with the log likelihood of each answer to silence; without any no tree."""

    questions: tuple[Question, ...]
    tree: "Tree | None"
    null_prior: Floats
