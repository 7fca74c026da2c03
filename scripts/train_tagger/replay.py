"""Mixtures kept for a few more looks: making one costs more than learning from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from scripts.train_tagger.mixing import Mixture, MixtureMaker
from scripts.train_tagger.teacher import TeacherNetwork


@dataclass(frozen=True, slots=True)
class ReplayBatch:
    """Examples of one length, side by side."""

    wave: Tensor
    """16 kHz, int16, shape (batch, samples)."""
    labels: Tensor
    known: Tensor
    exact: Tensor
    emotion: Tensor
    teacher_logits: Tensor
    teacher_embedding: Tensor

    def __len__(self) -> int:
        return len(self.wave)

    def tensors(self) -> list[Tensor]:
        """Every field, in order; the first axis of each shape is the example."""
        return [getattr(self, field.name) for field in fields(self)]

    def rows(self, which: Tensor) -> "ReplayBatch":
        """Some of the examples; `which` holds their indices, shape (some,)."""
        return ReplayBatch(*(tensor[which] for tensor in self.tensors()))


class Replay:
    """A ring of the latest examples of one length."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._kept: ReplayBatch | None = None
        self.made = 0
        """Examples added so far, also those that newer ones replaced."""

    def add(self, fresh: ReplayBatch) -> None:
        """Keep new examples in place of the oldest."""
        if self._kept is None:
            empty = (tensor.new_zeros((self._capacity, *tensor.shape[1:])) for tensor in fresh.tensors())
            self._kept = ReplayBatch(*empty)
        at = torch.arange(self.made, self.made + len(fresh)) % self._capacity
        for kept, new in zip(self._kept.tensors(), fresh.tensors(), strict=True):
            kept[at] = new
        self.made += len(fresh)

    def batch(self, size: int, fresh: int, rng: torch.Generator) -> ReplayBatch:
        """The `fresh` newest examples and, for the rest, any that are kept."""
        if self._kept is None:
            raise ValueError("nothing has been added yet")
        newest = torch.arange(self.made - fresh, self.made) % self._capacity
        older = torch.randint(0, min(self.made, self._capacity), (size - fresh,), generator=rng)
        return self._kept.rows(torch.cat([newest, older]))


@dataclass(frozen=True, slots=True)
class Length:
    """One of the lengths of sound that the network is trained on."""

    duration_s: float
    batch: int
    fresh: int
    """New mixtures in each batch; the others are seen again."""
    share: float
    """Of the steps."""


class FreshMixtures(IterableDataset[tuple[int, ReplayBatch]]):
    """Endless fresh examples, one chunk for each training step, lengths drawn by their share."""

    def __init__(
        self,
        mixers: Sequence[MixtureMaker],
        lengths: Sequence[Length],
        teacher: TeacherNetwork,
        seed: tuple[int, ...],
    ) -> None:
        self._mixers = mixers
        self._lengths = lengths
        self._teacher = teacher
        self._seed = seed

    def __iter__(self) -> Iterator[tuple[int, ReplayBatch]]:
        worker = get_worker_info()
        rng = np.random.default_rng([*self._seed, worker.id if worker else 0])
        shares: npt.NDArray[np.float64] = np.array([length.share for length in self._lengths])
        while True:
            which = int(rng.choice(len(shares), p=shares / shares.sum()))
            mixtures = [self._mixers[which].draw(rng) for _ in range(self._lengths[which].fresh)]
            yield which, with_teacher(mixtures, self._teacher)


def with_teacher(mixtures: Sequence[Mixture], teacher: TeacherNetwork) -> ReplayBatch:
    """The mixtures side by side, with what the teacher says of each."""
    logits, embedding = teacher(torch.from_numpy(np.stack([mixture.teacher_wave for mixture in mixtures])))
    return ReplayBatch(
        wave=torch.from_numpy(np.stack([mixture.student_wave for mixture in mixtures])),
        labels=torch.from_numpy(np.stack([mixture.labels for mixture in mixtures])),
        known=torch.from_numpy(np.stack([mixture.known for mixture in mixtures])),
        exact=torch.tensor([mixture.exact for mixture in mixtures]),
        emotion=torch.tensor([mixture.emotion for mixture in mixtures]),
        teacher_logits=logits.half().clone(),  # a tensor made under inference mode cannot leave a process
        teacher_embedding=embedding.half().clone(),
    )
