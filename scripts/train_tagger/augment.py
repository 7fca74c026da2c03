"""What is done to a batch in the learner, where it costs next to nothing: sounds together, other moments."""

import torch
from torch import Tensor

from scripts.train_tagger.replay import ReplayBatch

LOUDER_DB = 6.0
"""A voice keeps its emotion in a mixture in which it is louder than the other sound by this much."""
SPREAD_DB, FURTHEST_DB = 5.0, 12.0


def mixed_up(batch: ReplayBatch, share: float, rng: torch.Generator) -> ReplayBatch:
    """Some of the rows with another of the batch added (mixup; Zhang et al., 2018).

    Unlike there the targets are united and not averaged: both sounds are there and both should be heard. So
    their levels stay within `FURTHEST_DB` of each other.
    """
    size = len(batch)
    rows = torch.nonzero(torch.rand(size, generator=rng) < share)[:, 0]
    away = torch.randint(1, size, (1,), generator=rng)
    gain_db = (SPREAD_DB * torch.randn(len(rows), generator=rng)).clamp(-FURTHEST_DB, FURTHEST_DB)
    both = _added(batch.rows(rows), batch.rows((rows + away) % size), gain_db)
    mixed = ReplayBatch(*(tensor.clone() for tensor in batch.tensors()))
    for old, new in zip(mixed.tensors(), both.tensors(), strict=True):
        old[rows] = new
    return mixed


def _added(one: ReplayBatch, other: ReplayBatch, gain_db: Tensor) -> ReplayBatch:
    gain = 10 ** (gain_db / 20)[:, None]
    labels = torch.maximum(one.labels, other.labels)
    emotion = torch.where(gain_db <= -LOUDER_DB, one.emotion, -1)
    return ReplayBatch(
        wave=_as_int16(_even(one.wave) + gain * _even(other.wave)),
        labels=labels,
        known=torch.maximum(labels, torch.minimum(one.known, other.known)),
        exact=one.exact & other.exact,
        emotion=torch.where(gain_db >= LOUDER_DB, other.emotion, emotion),
        teacher_logits=torch.maximum(one.teacher_logits, other.teacher_logits),
        teacher_embedding=((one.teacher_embedding + gain * other.teacher_embedding) / (1 + gain)).half(),
    )


def _even(wave: Tensor) -> Tensor:
    """At the same level."""
    floating = wave.float()
    return floating / floating.square().mean(1, keepdim=True).sqrt().clamp_min(1.0)


def _as_int16(wave: Tensor) -> Tensor:
    return (wave * (16_384 / wave.abs().amax(1, keepdim=True).clamp_min(1e-6))).round().short()


def time_shifted(features: Tensor, rng: torch.Generator, furthest: float = 0.25) -> Tensor:
    """Log-mel frames (batch, 1, mels, frames) turned round by up to a quarter of the window, each row by its
    own: a mixture that is seen again is heard at another moment, and the network's strides fall elsewhere."""
    frames = features.shape[3]
    reach = int(furthest * frames)
    shift = torch.randint(-reach, reach + 1, (len(features), 1), generator=rng)
    at = (torch.arange(frames) + shift) % frames
    return features.gather(3, at[:, None, None].expand_as(features))
