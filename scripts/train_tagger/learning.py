"""Learning from a stock: the stages after the settled ones, from both teachers and from labels at once."""

import copy
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from scripts.train_tagger import stock
from scripts.train_tagger.hints import later_hints, missed
from scripts.train_tagger.network import SETTLED_STAGES, Heard, Student, quick_arithmetic
from scripts.train_tagger.targets import CRITICAL
from scripts.train_tagger.teacher import TeacherNetwork

Batch = dict[str, Tensor]
EVERY = 50
"""Steps between lines of the log, between checkpoints, and between looks for new parts of the stock."""
FAINTEST = -9.0
"""Logits below are all the same: never."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides what is learnt from a stock."""

    steps: int
    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up_steps: int = 100
    decay_share: float = 0.35
    ema: float = 0.998
    hint_weight: float = 1.0
    label_weight: float = 1.0
    logit_weight: float = 8.0
    said_weight: float = 0.3
    emotion_weight: float = 0.5
    teacher_trust: float = 0.6
    """A teacher's probability counts for this much where a clip's labels do not name the sound."""
    open_weight: float = 0.5
    smoothing: float = 0.03
    seed: int = 0


class Parts(NamedTuple):
    """Of the loss; scalars but for the last."""

    label: Tensor
    said: Tensor
    """Of the teachers' probabilities."""
    logits: Tensor
    """Share of the variance of the teachers' logits that is missed."""
    emotion: Tensor
    astray: Tensor
    """By stage."""


class Classes(NamedTuple):
    """Which classes of each teacher mean which label, (labels, classes), 1 where they do."""

    first: Tensor
    second: Tensor


class Learner:
    """One run over a stock, resumable from its last checkpoint."""

    def __init__(
        self,
        recipe: Recipe,
        run: Path,
        student: Student,
        teacher: TeacherNetwork,
        classes: Classes,
        beside: Sequence[Path] = (),
    ) -> None:
        """`beside`: folders of runs with which this one shares what it learns, by the mean of all weights."""
        self.recipe = recipe
        self._run = run
        self._beside = dict.fromkeys(beside, 0.0)
        self.student = student
        self._teacher = teacher
        self._classes = classes
        self.averaged = copy.deepcopy(student).eval()
        self.step = 0
        student.train()
        student.settle(SETTLED_STAGES)
        student.settle_wide_kernels()
        learnt = [p for p in student.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(learnt, recipe.learning_rate, weight_decay=recipe.weight_decay)

    def learn(self, stocked: stock.Stock) -> None:
        """Until the recipe's last step; goes on with the checkpoint of the run's folder."""
        self._resume()
        rng = np.random.default_rng([self.recipe.seed, self.step])
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.step)
        began, recent = time.monotonic(), []
        stocked.refresh()
        for length_s, batch in stocked.batches(self.recipe.batch, rng):
            if self.step >= self.recipe.steps:
                break
            recent.append(self._learn(length_s, batch))
            if self.step % EVERY == 0 or self.step >= self.recipe.steps:
                self._log(recent, time.monotonic() - began, len(stocked))
                recent = []
                self._save()
                self._share()
                stocked.refresh()

    def _learn(self, length_s: float, batch: Batch) -> Parts:
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        ours, theirs = batch["ours"].float(), batch["theirs"].float()
        with quick_arithmetic():
            told = later_hints(self._teacher, theirs, ours.shape[2], SETTLED_STAGES)
            maps = self.student.maps_after(SETTLED_STAGES, ours)
            heard = self.student.said(maps[-1])
        heard = Heard(*(part.float() for part in heard))
        parts = self._parts(length_s, heard, batch, missed(maps, told.maps))
        self._optimizer.zero_grad()
        self._total(parts).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 20.0)
        self._optimizer.step()
        self.step += 1
        self._average()
        return Parts(*(part.detach() for part in parts))

    def _total(self, parts: Parts) -> Tensor:
        r = self.recipe
        return (
            r.label_weight * parts.label
            + r.said_weight * parts.said
            + r.logit_weight * parts.logits
            + r.emotion_weight * parts.emotion
            + r.hint_weight * parts.astray.sum()
        )

    def _parts(self, length_s: float, heard: Heard, batch: Batch, astray: Tensor) -> Parts:
        first, second = batch["logits"].float(), batch["second"].float()
        guesses = _second_guess(heard.second_logits, length_s)
        said = _said(heard.teacher_logits, first)
        logits = _unexplained(heard.teacher_logits, first, self._classes.first)
        if guesses is not None:
            said = said + _said(guesses, second)
            logits = logits + _unexplained(guesses, second, self._classes.second)
        targets, weights = self._label_targets(batch, first, second)
        clips = heard.clips.clamp(1e-6, 1 - 1e-6)
        label = nnf.binary_cross_entropy(clips, targets, weights, reduction="none").sum(1).mean()
        return Parts(label, said, logits, _emotion(heard.emotion, batch["emotion"].long()), astray)

    def _label_targets(self, batch: Batch, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """A person's word where there is one; else the mean of what both teachers say, in log odds."""
        guess = torch.sigmoid(together(first, second, self._classes))
        known, exact = batch["known"].float(), batch["exact"].float()[:, None]
        trusted = self.recipe.teacher_trust * guess * torch.from_numpy(~CRITICAL).float() * (1 - exact)
        told = batch["labels"].float() * (1 - self.recipe.smoothing)
        targets = torch.where(known > 0, torch.maximum(told, trusted), guess)
        return targets, torch.where(known > 0, 1.0, self.recipe.open_weight)

    def _learning_rate(self) -> float:
        r = self.recipe
        left = (r.steps - self.step) / max(1, r.steps * r.decay_share)
        return r.learning_rate * min(1.0, (self.step + 1) / r.warm_up_steps, max(left, 0.002))

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        for mean, now in zip(
            self.averaged.state_dict().values(), self.student.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def _log(self, recent: Sequence[Parts], elapsed_s: float, stocked: int) -> None:
        means = {
            name: np.mean([getattr(x, name).numpy() for x in recent], 0).round(4).tolist()
            for name in Parts._fields
        }
        line = {
            "step": self.step,
            "elapsed_s": round(elapsed_s, 1),
            "stock": stocked,
            "lr": self._learning_rate(),
        }
        with (self._run / "log.jsonl").open("a") as log:
            log.write(json.dumps(line | means) + "\n")

    def _save(self) -> None:
        state = {
            "step": self.step,
            "recipe": asdict(self.recipe),
            "student": self.student.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        part = self._run / "checkpoint.part"
        torch.save(state, part)
        part.replace(self._run / "checkpoint.pt")

    @torch.no_grad()
    def _share(self) -> None:
        """Go on from the mean of own weights and those of the runs beside that have new ones."""
        states = []
        for folder, seen in self._beside.items():
            file = folder / "checkpoint.pt"
            if file.exists() and file.stat().st_mtime > seen:
                self._beside[folder] = file.stat().st_mtime
                states.append(torch.load(file, weights_only=True)["student"])
        for name, own in self.student.state_dict().items():
            if states and own.dtype.is_floating_point:
                own.copy_(torch.stack([own, *(state[name] for state in states)]).mean(0))

    def _resume(self) -> None:
        self._run.mkdir(parents=True, exist_ok=True)
        file = self._run / "checkpoint.pt"
        if file.exists():
            state: dict[str, Any] = torch.load(file, weights_only=True)
            self.step = state["step"]
            self.student.load_state_dict(state["student"])
            self.averaged.load_state_dict(state["averaged"])
            self._optimizer.load_state_dict(state["optimizer"])


def together(first: Tensor, second: Tensor, classes: Classes) -> Tensor:
    """Mean log odds of both teachers for every label, shape (batch, labels): of each its likeliest class, of
    the second also its likeliest look. What one of them has no class for is the other's to say."""
    one = _likeliest(first, classes.first)
    if not second.shape[1]:
        return one
    other = _likeliest(second.amax(1), classes.second)
    both = (classes.first.sum(1) > 0).float() + (classes.second.sum(1) > 0).float()
    one = torch.where(classes.first.sum(1) > 0, one, 0.0)
    other = torch.where(classes.second.sum(1) > 0, other, 0.0)
    return (one + other) / both.clamp_min(1)


def _likeliest(logits: Tensor, classes: Tensor) -> Tensor:
    masked = logits[:, None, :] + (classes - 1) * 1e4
    return masked.amax(2).clamp(-30, 30)


def _second_guess(frames: Tensor, length_s: float) -> Tensor | None:
    looks = list(stock.LOOKS[length_s])
    return frames[:, looks] if looks else None


def _said(guess: Tensor, logits: Tensor) -> Tensor:
    loss = nnf.binary_cross_entropy_with_logits(guess, torch.sigmoid(logits), reduction="none")
    return loss.sum(-1).mean()


def _unexplained(guess: Tensor, logits: Tensor, classes: Tensor) -> Tensor:
    """Squared error of logits as a share of a batch's variance; classes that mean a label count threefold."""
    guess, logits = guess.flatten(0, -2), logits.flatten(0, -2).clamp_min(FAINTEST)
    guess = torch.maximum(guess, guess.clamp_min(FAINTEST - 1))
    weight = 1 + 2 * classes.amax(0)
    spread = logits.var(0).mean()
    error = (guess - logits).square().mean(0)
    return (weight * error).sum() / weight.sum() / spread


def _emotion(logits: Tensor, emotion: Tensor) -> Tensor:
    acted = emotion >= 0
    if not acted.any():
        return logits.sum() * 0
    return nnf.cross_entropy(logits[acted], emotion[acted], label_smoothing=0.1)
