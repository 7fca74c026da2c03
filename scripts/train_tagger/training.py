"""The first part of learning, from random weights: fresh mixtures, and at every stage what the teacher makes
of them.

What comes of it is the stages that then settle, and a beginning for the others (learning.py).
"""

import copy
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from scripts.train_tagger import yamnet
from scripts.train_tagger.augment import mixed_up, time_shifted
from scripts.train_tagger.hints import hints, missed
from scripts.train_tagger.losses import Losses, losses
from scripts.train_tagger.mixing import MixtureMaker
from scripts.train_tagger.network import Convolution, Heard, Student, quick_arithmetic, spec_augment
from scripts.train_tagger.recordings import Recording, SampleCache
from scripts.train_tagger.replay import FreshMixtures, Length, Replay, ReplayBatch
from scripts.train_tagger.targets import EMOTIONS, LABELS, teacher_mapping
from scripts.train_tagger.teacher import CLASSES, TeacherNetwork, load_teacher, read_class_names

HASTE = 10.0
"""How much faster norms learn that are told their means and spreads."""
FILL_BATCHES = 4
"""So many batches' worth of mixtures are made before the first is learnt from."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what is learnt."""

    steps: int = 4_500
    seed: int = 0
    apart_steps: int = 500
    """First every stage learns by itself, from the teacher's map before it to the teacher's map after it;
    then all learn together, each still told its map."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up_steps: int = 200
    decay_share: float = 0.3
    """The last part of the steps, over which the learning rate falls to zero; before, it is constant, so that
    a run can be resumed with more steps."""
    ema: float = 0.999
    mixed_share: float = 0.3
    """Of the examples that are mixed with another one once more."""
    lengths: tuple[Length, ...] = (Length(3.0, 32, 8, 0.75), Length(1.0, 64, 16, 0.25))
    kept: int = 5_000
    """Mixtures of each length that are kept for further looks."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are."""

    data: Path
    """Folder with train/, models/ and rir/."""
    cache: Path
    """Decoded samples and rooms."""
    run: Path
    """Checkpoints, log and report of this training run."""


def new_student() -> Student:
    """With random weights, for our labels."""
    student = Student(len(LABELS), len(EMOTIONS), CLASSES, yamnet.CLASSES)
    laid_out: Student = student.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return laid_out


class Run:
    """One training run, resumable from its last checkpoint."""

    def __init__(self, recipe: Recipe, places: Places, recordings: Sequence[Recording]) -> None:
        self._recipe = recipe
        self._places = places
        self._recordings = recordings
        torch.manual_seed(recipe.seed)
        self.student = new_student()
        self.averaged = copy.deepcopy(self.student).eval()
        self.step = 0
        self._optimizer = torch.optim.AdamW(
            _parameter_groups(self.student), recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._rng = torch.Generator()
        self._teacher: TeacherNetwork = load_teacher(places.data / "models" / "mn04_as_mAP_432.pt")
        self._mapping = _mapping_matrix(places.data / "models" / "audioset_class_labels_indices.csv")

    def train(self) -> None:
        """Until the recipe's last step, with a checkpoint every 250 steps; resumes what it finds."""
        self._resume()
        if self.step >= self._recipe.steps:
            return
        self._rng.manual_seed(self._recipe.seed * 1_000_003 + self.step)
        replays = [Replay(self._recipe.kept) for _ in self._recipe.lengths]
        began, recent = time.monotonic(), []
        for which, fresh in self._fresh():
            replays[which].add(fresh)
            length = self._recipe.lengths[which]
            if replays[which].made < FILL_BATCHES * length.batch:
                continue  # also after a resumption: the same few would be learnt by heart
            recent.append(self._learn(replays[which].batch(length.batch, length.fresh, self._rng)))
            if self.step % 50 == 0:
                self._log(recent, time.monotonic() - began)
                recent = []
            if self.step % 250 == 0 or self.step >= self._recipe.steps:
                self._save()
            if self.step >= self._recipe.steps:
                return

    def _fresh(self) -> Iterator[tuple[int, ReplayBatch]]:
        """Made by a process of its own: mixing and the teacher use one core, learning the others."""
        cache, rooms = (
            SampleCache(self._places.cache),
            np.load(self._places.cache / "rooms.npy", mmap_mode="r"),
        )
        lengths = self._recipe.lengths
        mixers = [MixtureMaker(self._recordings, cache, rooms, length.duration_s) for length in lengths]
        fresh = FreshMixtures(mixers, lengths, self._teacher, (self._recipe.seed, self.step))
        loader = DataLoader(
            fresh, batch_size=None, num_workers=1, prefetch_factor=4, worker_init_fn=_one_thread
        )
        yield from loader

    def _learn(self, batch: ReplayBatch) -> Losses:
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate() * group["haste"]
        self.student.train()
        batch = mixed_up(batch, self._recipe.mixed_share, self._rng)
        with torch.no_grad():
            features = self.student.front(batch.wave.float() / 32768)
        features = spec_augment(time_shifted(features, self._rng), self._rng)
        with quick_arithmetic():
            heard, logits, astray = self._told(features)
        batch = replace(batch, teacher_logits=logits.half())
        parts = losses(_as_float(heard), batch, self._mapping, astray)
        self._optimizer.zero_grad()
        parts.total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 20.0)
        self._optimizer.step()
        self.step += 1
        self._average()
        return Losses(*(part.detach() for part in parts))

    def _told(self, features: Tensor) -> tuple[Heard, Tensor, Tensor]:
        """What the student says, what the teacher says of the same features, and how far stages are off."""
        told = hints(self._teacher, features)
        if self.step < self._recipe.apart_steps:
            maps = self.student.maps_from(told.inputs)
            heard = self.student.said(maps[-1])
        else:
            maps = self.student.maps(features)
            heard = self.student.said(maps[-1])
        return heard, told.logits, missed(maps, told.maps)

    def _learning_rate(self) -> float:
        recipe = self._recipe
        left = (recipe.steps - self.step) / max(1, recipe.steps * recipe.decay_share)
        return recipe.learning_rate * min(1.0, (self.step + 1) / recipe.warm_up_steps, max(left, 0.002))

    @torch.no_grad()
    def _average(self) -> None:
        """Exponential moving average of weights and norms; shorter while there is little to average."""
        keep = min(self._recipe.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(
            self.averaged.state_dict().values(), self.student.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def _log(self, recent: list[Losses], elapsed_s: float) -> None:
        means = {
            name: np.mean([getattr(x, name).numpy() for x in recent], 0).round(4).tolist()
            for name in Losses._fields
        }
        line = {"step": self.step, "elapsed_s": round(elapsed_s, 1), "lr": self._learning_rate(), **means}
        with (self._places.run / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")

    def _save(self) -> None:
        state = {
            "step": self.step,
            "recipe": asdict(self._recipe),
            "student": self.student.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        part = self._places.run / "checkpoint.part"
        torch.save(state, part)
        part.replace(self._places.run / "checkpoint.pt")

    def _resume(self) -> None:
        self._places.run.mkdir(parents=True, exist_ok=True)
        file = self._places.run / "checkpoint.pt"
        if not file.exists():
            return
        state: dict[str, Any] = torch.load(file, weights_only=True)
        self.step = state["step"]
        self.student.load_state_dict(state["student"])
        self.averaged.load_state_dict(state["averaged"])
        self._optimizer.load_state_dict(state["optimizer"])


def _parameter_groups(student: Student) -> list[dict[str, Any]]:
    """The norms at the ends of stages learn faster while there are hints, and are never decayed: means and
    spreads of the teacher's maps are far from where norms begin."""
    ends = [stage if isinstance(stage, Convolution) else stage.narrow for stage in student.stages]
    norms = [each for end in ends for each in end.norm.parameters()]  # type: ignore[union-attr]
    hasty = {id(each) for each in norms}
    others = [each for each in student.parameters() if id(each) not in hasty]
    return [{"params": others, "haste": 1.0}, {"params": norms, "haste": HASTE, "weight_decay": 0.0}]


def _as_float(heard: Any) -> Any:
    return type(heard)(*(part.float() for part in heard))


def _one_thread(_: int) -> None:
    torch.set_num_threads(1)


def _mapping_matrix(class_names: Path) -> Tensor:
    matrix = torch.zeros(len(LABELS), CLASSES)
    for row, classes in zip(matrix, teacher_mapping(read_class_names(class_names)), strict=True):
        row[classes] = 1
    return matrix
