"""The large listener in this process: Qwen2-Audio, Qwen2.5-Omni or Qwen3-Omni through transformers.

Everything about a segment is asked in one pass: the audio is encoded once, and all questions with all their
answers stand behind that one prefix (`qwen_tree`). Scores are likelihoods, never parsed prose.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

import numpy as np
from pydantic import Field

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import detected, sanitize, strongest
from monitor.classifiers.audio_llm.bounds import parts
from monitor.classifiers.audio_llm.phrases import hearable
from monitor.classifiers.audio_llm.prompts import DESCRIBE, Question, Strategy, questions
from monitor.classifiers.audio_llm.scoring import Floats, label_scores
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.cascade import LabelSubset, SecondLook
from monitor.classifiers.pretrained import Device, Dtype, inference, is_out_of_memory, limit_threads
from monitor.errors import ClassifyError
from monitor.logs import get_logger
from monitor.schema import Slug
from monitor.types import Detection, Segment

if TYPE_CHECKING:
    from monitor.classifiers.audio_llm.model import AudioLanguageModel
    from monitor.classifiers.audio_llm.prefix_tree import Tree

log = get_logger()
T = TypeVar("T")
SILENCE = Audio(np.zeros(2 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)
"""What a model answers to this is its habit, not hearing."""


class QwenConfig(SecondLook, LabelSubset):
    """A large audio-language model on this machine; needs `scripts/setup --qwen`."""

    type: Literal["qwen"]
    name: Slug = "qwen"
    """Names this listener in events (`confirmed_by`) and logs."""
    model: Annotated[str, Field(min_length=1)] = "Qwen/Qwen2-Audio-7B-Instruct"
    """Hub id or folder of a Qwen2-Audio, Qwen2.5-Omni or Qwen3-Omni model."""
    device: Device = "auto"
    """auto (the best there is, over several GPUs if need be), cpu, mps, cuda or cuda:1."""
    dtype: Dtype = "auto"
    """auto: bfloat16 on a GPU that computes in it, float16 on others, float32 on a CPU."""
    quantize: Literal["int8", "int4"] | None = None
    """Store the language model's weights in fewer bits (CUDA, bitsandbytes). Quantised audio models hear
    worse: measure yours with `earwitness eval`."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """CPU threads; by default as many as cores, or OMP_NUM_THREADS."""
    batch_size: Annotated[int, Field(ge=1, le=256)] = 8
    """Segments judged in one pass."""
    strategy: Strategy = "phrases"
    """How to ask: phrases (the likelihood of naming each sound), choice (lettered lists) or yes_no (one
    question per label); settle it with `earwitness eval` on clips of your own."""
    prior: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """How likely a sound is before it is heard: the score that silence gets."""
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    """Above 1 softens the scores, below 1 sharpens them."""
    chat: bool = True
    """Use the chat form of instruction-tuned models; false for base models such as Qwen/Qwen2-Audio-7B."""
    system: Annotated[str, Field(max_length=2000)] | None = None
    """The system prompt; by default the model's own."""
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
        self._busy = threading.Lock()

    def load(self) -> None:
        """Bring the model into memory, and hear silence once. Raises ModelError with the fix."""
        from monitor.classifiers.audio_llm import model as qwen_model

        block = self.block
        limit_threads(block.threads)
        if block.quantize:
            log.warning(
                "a quantised audio model hears worse: measure it with `earwitness eval`", model=block.model
            )
        self._loaded = qwen_model.load(
            block.model,
            device=block.device,
            dtype=block.dtype,
            quantize=block.quantize,
            system=block.system,
            chat=block.chat,
        )
        with inference(block.model, "silence"):
            _ = self._null_prior

    def close(self) -> None:
        """Let the model go."""
        self._loaded = None
        for kept in ("_tree", "_habit"):
            self.__dict__.pop(kept, None)

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Scores of every label for each segment; one over 30 s is heard in parts. Raises ClassifyError."""
        pieces = [(i, part) for i, segment in enumerate(segments) for part in parts(segment.audio)]
        with self._busy, inference(self.block.model, " ".join(segment.id for segment in segments)):
            likelihoods, heard = self._judge([piece for _, piece in pieces])
            return [
                detection
                for i, segment in enumerate(segments)
                for detection in self._answer(
                    segment, [k for k, (j, _) in enumerate(pieces) if j == i], likelihoods, heard
                )
            ]

    def describe(self, audio: Audio) -> str:
        """One sentence about at most 30 s of sound. Raises ClassifyError."""
        return self.ask(audio, DESCRIBE)

    def ask(self, audio: Audio, question: str = "") -> str:
        """Answer a question about at most 30 s of sound; without one, answer what is said in it (voice chat).
        The answer is one line of the model's own words: show it, never act on it. Raises ClassifyError."""
        with self._busy, inference(self.block.model, "asked about"):
            [heard] = self._model.encode([audio])
            return self._write(heard, question)

    @property
    def _model(self) -> "AudioLanguageModel":
        if self._loaded is None:
            raise ClassifyError(f"{self.name}: the model is not loaded; call load() first")
        return self._loaded

    @cached_property
    def _questions(self) -> tuple[Question, ...]:
        return questions(self.block.strategy, self.labels, emotion=self.block.emotion)

    @cached_property
    def _tree(self) -> "Tree":
        return self._model.pack(self._questions)

    @cached_property
    def _null_prior(self) -> Floats:
        model = self._model
        [habit] = model.log_likelihoods(model.encode([SILENCE]), self._tree)
        return cast("Floats", habit)

    def _write(self, heard: Any, question: str) -> str:
        return sanitize(self._model.write(heard, question, self.block.max_new_tokens))

    def _judge(self, sounds: Sequence[Audio]) -> tuple[Floats, list[Any]]:
        """log P of every answer, and the sounds as the language model hears them, in the order given.

        Sounds of like length go together, for the shorter are padded to the longest."""
        order = sorted(range(len(sounds)), key=lambda i: len(sounds[i]))
        likelihoods = np.empty((len(sounds), self._tree.answers))
        heard: list[Any] = [None] * len(sounds)
        for batch in in_batches(order, self.block.batch_size):
            for some, (found, embedded) in _halving(
                batch, lambda these: self._forward([sounds[i] for i in these])
            ):
                likelihoods[some] = found
                for i, one in zip(some, embedded, strict=True):
                    heard[i] = one
        return likelihoods, heard

    def _forward(self, sounds: Sequence[Audio]) -> tuple[Floats, list[Any]]:
        heard = self._model.encode(sounds)
        return self._model.log_likelihoods(heard, self._tree), heard

    def _answer(
        self, segment: Segment, pieces: Sequence[int], likelihoods: Floats, heard: Sequence[Any]
    ) -> list[Detection]:
        block = self.block
        read = [
            label_scores(self._questions, likelihoods[k], self._null_prior, block.prior, block.temperature)
            for k in pieces
        ]
        told = self._write(heard[pieces[0]], DESCRIBE) if block.describe else None
        return detected(segment, self.name, *strongest(read), description=told)


def in_batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Runs of at most `size` items."""
    return (items[i : i + size] for i in range(0, len(items), size))


def _halving(items: Sequence[int], work: Callable[[Sequence[int]], T]) -> Iterator[tuple[list[int], T]]:
    """`work` on all items at once, or on ever smaller halves when memory runs out."""
    try:
        result = work(items)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error) or len(items) == 1:
            raise
    else:
        yield list(items), result
        return
    # Outside the handler: the exception would keep the failed forward's tensors alive.
    _release_memory()
    log.warning("out of memory: judging fewer segments at once", segments=len(items))
    for half in in_batches(items, -(-len(items) // 2)):
        yield from _halving(half, work)


def _release_memory() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
