"""Weights between what a student began with and what it became.

Learning from a stock teaches much, and loses some of what the earlier model knew. On the straight line
between the two lie weights that hear unknown homes better than either end (Wortsman et al., *Robust
fine-tuning of zero-shot models*, 2022).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scripts.train_tagger.network import SETTLED_STAGES, Student
from scripts.train_tagger.stock import LENGTHS_S, Stock
from scripts.train_tagger.training import new_student

START = "start.pt"
"""In a run's folder: the student before its first step."""
GUESSES = ("to_teacher", "to_second")
"""Layers that an earlier model's file does not have whole: they stay as they have become."""
BATCHES, SIZE = 48, 32
Weights = dict[str, Tensor]


def between(run: Path, share: float, kept: Stock) -> dict[str, Any]:
    """A checkpoint of weights so far from the run's start (0) to what it has learnt (1). What the norms of
    its later stages expect is measured anew on mixtures of the stock. FileNotFoundError without a start."""
    state: dict[str, Any] = torch.load(run / "checkpoint.pt", weights_only=True)
    start: Weights = torch.load(run / START, weights_only=True)
    student = new_student()
    student.load_state_dict(mixed(start, state["averaged"], share))
    measure_norms(student, maps_of(kept))
    return {
        "step": state["step"],
        "recipe": state["recipe"] | {"share_of_the_learnt": share},
        "averaged": student.state_dict(),
    }


def mixed(start: Weights, learnt: Weights, share: float) -> Weights:
    """Between the two, weight by weight."""
    return {
        name: now
        if name.startswith(GUESSES) or not now.dtype.is_floating_point
        else torch.lerp(start[name], now, share)
        for name, now in learnt.items()
    }


@torch.no_grad()
def measure_norms(student: Student, batches: Sequence[Tensor]) -> None:
    """Give every norm after the settled stages the mean and spread that it meets on these maps. A batch has
    the shape (batch, channels, bands, frames)."""
    student.eval()
    norms = [
        module
        for stage in list(student.stages)[SETTLED_STAGES:]
        for module in stage.modules()
        if isinstance(module, torch.nn.BatchNorm2d)
    ]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches
        norm.train()
    for maps in batches:
        student.maps_after(SETTLED_STAGES, maps)
    for norm in norms:
        norm.momentum = 0.1
        norm.eval()


def maps_of(kept: Stock) -> list[Tensor]:
    """Batches of the settled maps of a stock's longest mixtures, shape (batch, channels, bands, frames)."""
    drawn = kept.batches(SIZE, np.random.default_rng(0))
    longest = (batch["ours"].float() for length_s, batch in drawn if length_s == LENGTHS_S[0])
    return [next(longest) for _ in range(BATCHES)]
