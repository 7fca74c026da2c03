"""Hints (Romero et al., "FitNets: hints for thin deep nets", 2015): what the teacher makes of the very same
log-mel features at every one of its blocks, and what it says of them at the end.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as nnf

from scripts.train_tagger.network import RELATIVE_FLOOR, TEACHER_MELS
from scripts.train_tagger.teacher import EMBEDDING, TeacherNetwork

SILENCE = (float(np.log(RELATIVE_FLOOR)) + 4.5) / 5.0
"""What the teacher is shown above 8 kHz, where the student hears nothing."""

FAINT = 0.05
"""Of the mean variance of a map's channels: a channel of less would be held to its rounding errors."""


class Hints(NamedTuple):
    """Of a batch of features."""

    maps: list[Tensor]
    """After the stem, every block and the last convolution, each cut to the rows that the student has."""
    inputs: list[Tensor]
    """What stands before each of them."""
    logits: Tensor
    """Shape (batch, 527); of no meaning where the stages were not gone through to the end."""
    whole: Tensor
    """The last map with the rows that only the teacher has."""


@torch.no_grad()
def hints(teacher: TeacherNetwork, features: Tensor, stages: int | None = None) -> Hints:
    """What the teacher makes of the student's features (batch, 1, mels, frames), in its first `stages`."""
    rows = features.shape[2]
    x = nnf.pad(features, (0, 0, 0, TEACHER_MELS - rows), value=SILENCE)
    x = x.contiguous(memory_format=torch.channels_last)
    return _onward(teacher, x, features, slice(stages))


@torch.no_grad()
def later_hints(teacher: TeacherNetwork, whole: Tensor, rows: int, stages: int) -> Hints:
    """The same from the map after the first `stages` on, of which the student has so many rows. Maps have the
    shape (batch, channels, bands, frames)."""
    x = whole.contiguous(memory_format=torch.channels_last)
    return _onward(teacher, x, x[:, :, :rows], slice(stages, None))


def _onward(teacher: TeacherNetwork, x: Tensor, kept: Tensor, stages: slice) -> Hints:
    rows, before, after = kept.shape[2], [kept], []
    for stage in list(teacher.features)[stages]:
        whole, x = x.shape[2], stage(x)
        rows = rows if x.shape[2] == whole else -(-rows // 2)
        kept = x[:, :, :rows].contiguous(memory_format=torch.channels_last)
        after.append(kept)
        before.append(kept)
    said = teacher.judged(x.mean((2, 3))) if x.shape[1] == EMBEDDING else x.new_zeros(0)
    return Hints(after, before[:-1], said, x)


def missed(maps: Sequence[Tensor], hinted: Sequence[Tensor]) -> Tensor:
    """For each stage the share of the teacher's variance that the student's map leaves unexplained, the mean
    over channels; shape (stages,). Channels that hardly vary count less."""
    shares = []
    for ours, theirs in zip(maps, hinted, strict=True):
        error = (ours[:, : theirs.shape[1]].float() - theirs).square().mean((0, 2, 3))
        variance = theirs.var((0, 2, 3))
        variance = variance + FAINT * variance.mean()
        shares.append((error / variance).mean())
    return torch.stack(shares)
