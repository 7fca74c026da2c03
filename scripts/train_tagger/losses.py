"""What the student is told: people's labels, the teacher's guesses where nobody said, acted emotion."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as nnf

from scripts.train_tagger.network import HINTED_EMBEDDING, Heard
from scripts.train_tagger.replay import ReplayBatch
from scripts.train_tagger.targets import CRITICAL

SMOOTHING = 0.03
TEACHER_TRUST = 0.7
"""A teacher's probability counts for this much where a clip's labels do not name the sound: most label sets
name one sound of several."""
OPEN_WEIGHT = 0.4
"""Weight of a label on which the clip says nothing, so that only the teacher speaks."""


class Losses(NamedTuple):
    """Parts of the loss, each a scalar but the last."""

    label: Tensor
    teacher: Tensor
    embedding: Tensor
    emotion: Tensor
    astray: Tensor
    """By stage, what of the teacher's map is missed; shape (stages,)."""

    @property
    def total(self) -> Tensor:
        """Weighted so that at the end of training the label and teacher parts are alike in size. Of shape
        ()."""
        said = self.label + 0.3 * self.teacher + 4.0 * self.embedding + 0.7 * self.emotion
        return said + self.astray.sum()


def label_targets(batch: ReplayBatch, mapping: Tensor) -> tuple[Tensor, Tensor]:
    """Targets and weights, shape (batch, labels); `mapping` (labels, 527) is 1 where a class means it."""
    guess = (torch.sigmoid(batch.teacher_logits.float())[:, None, :] * mapping).amax(2)
    everyday = torch.from_numpy(~CRITICAL).float()
    by_teacher = TEACHER_TRUST * guess * everyday * (~batch.exact).float()[:, None]
    told = batch.labels * (1 - SMOOTHING)
    targets = torch.where(batch.known > 0, torch.maximum(told, by_teacher), guess)
    weights = torch.where(batch.known > 0, 1.0, OPEN_WEIGHT)
    return targets, weights


def losses(heard: Heard, batch: ReplayBatch, mapping: Tensor, astray: Tensor) -> Losses:
    """All parts for one batch. `mapping` has the shape (labels, 527), `astray` (maps,)."""
    targets, weights = label_targets(batch, mapping)
    probability = heard.clips.clamp(1e-6, 1 - 1e-6)
    label = nnf.binary_cross_entropy(probability, targets, weights, reduction="none").sum(1).mean()
    teacher = nnf.binary_cross_entropy_with_logits(
        heard.teacher_logits, torch.sigmoid(batch.teacher_logits.float()), reduction="none"
    )
    embedding = 1 - nnf.cosine_similarity(
        heard.embedding[:, :HINTED_EMBEDDING], batch.teacher_embedding.float()
    )
    acted = batch.emotion >= 0
    emotion = (
        nnf.cross_entropy(heard.emotion[acted], batch.emotion[acted], label_smoothing=0.1)
        if acted.any()
        else heard.emotion.sum() * 0
    )
    return Losses(label, teacher.sum(1).mean(), embedding.mean(), emotion, astray)
