"""The student: log-mel of 16 kHz, dense residual convolutions with squeeze-excitation, frame and clip heads.

Plain 3x3 convolutions behind an early down-sampling, because on a processor of few cores they do several
times the work per second of depthwise ones (docs/decisions/sound-model.md).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

SAMPLE_RATE_HZ = 16_000
WINDOW, HOP, MELS = 400, 160, 64
LOW_HZ, HIGH_HZ = 60.0, 7_800.0
RELATIVE_FLOOR = 1e-5
"""Added to mel power over its window's mean: 50 dB below the mean nothing is told apart."""
ABSOLUTE_FLOOR = 1e-7
"""Mean mel power (about -95 dBFS) below which a window is taken for silence and not made louder."""
TIME_STRIDE = 16
FRAME_HOP_S = TIME_STRIDE * HOP / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class Size:
    """Widths of the stages."""

    stem: int = 32
    stages: tuple[tuple[int, int], ...] = ((48, 1), (96, 1), (160, 2))
    """(channels, blocks); each stage halves time and frequency."""
    embedding: int = 384


class Heard(NamedTuple):
    """What the network says of a batch."""

    frames: Tensor
    """Label logits, shape (batch, frames, labels); one frame every 0.16 s."""
    clips: Tensor
    """Label probabilities, shape (batch, labels)."""
    emotion: Tensor
    """Emotion logits, shape (batch, emotions)."""
    embedding: Tensor
    """Shape (batch, embedding)."""
    teacher_logits: Tensor
    """Guess at the teacher's 527 logits; left out of the exported model."""
    teacher_embedding: Tensor
    """Guess at the teacher's embedding; left out of the exported model."""


class LogMel(nn.Module):
    """Log-mel power relative to the window's mean, so that a sound looks the same at any level."""

    mel: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mel", torch.from_numpy(mel_filters()), persistent=False)
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        """(batch, samples) to (batch, 1, mels, frames); frames start every 10 ms, the last ends inside."""
        wave = wave - wave.mean(1, keepdim=True)  # an offset would leak into the lowest bands
        frames = wave.unfold(1, WINDOW, HOP) * self.window
        spectrum = torch.fft.rfft(frames, n=512)
        power = spectrum.real.square() + spectrum.imag.square()
        mel = power @ self.mel.T
        level = mel.mean((1, 2), keepdim=True) + ABSOLUTE_FLOOR
        features = (torch.log(mel / level + RELATIVE_FLOOR) + 4.0) / 4.0
        return features.transpose(1, 2).unsqueeze(1)


def mel_filters() -> npt.NDArray[np.float32]:
    """Triangles even on the HTK mel scale, unit peak; shape (mels, 257)."""
    top, bottom = (2595 * np.log10(1 + hz / 700) for hz in (HIGH_HZ, LOW_HZ))
    edges_hz = 700 * (10 ** (np.linspace(bottom, top, MELS + 2) / 2595) - 1)
    hz = np.arange(257) * SAMPLE_RATE_HZ / 512
    left, centre, right = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    triangles = np.minimum((hz - left) / (centre - left), (right - hz) / (right - centre))
    return np.maximum(triangles, 0).astype(np.float32)


class Residual(nn.Module):
    """Two 3x3 convolutions, squeeze-excitation, and the shortcut when shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.squeeze = nn.Conv2d(outputs, outputs // 4, 1)
        self.excite = nn.Conv2d(outputs // 4, outputs, 1)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        y = y * torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        return torch.relu(x + y if self.shortcut else y)


class Student(nn.Module):
    """Waveform (batch, samples) at 16 kHz to `Heard`. At least 25 ms of sound."""

    def __init__(
        self, labels: int, emotions: int, teacher_classes: int, teacher_embedding: int, size: Size
    ) -> None:
        super().__init__()
        self.front = LogMel()
        self.stem = nn.Conv2d(1, size.stem, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(size.stem)
        blocks: list[Residual] = []
        width = size.stem
        for channels, count in size.stages:
            blocks += [
                Residual(width if n == 0 else channels, channels, 2 if n == 0 else 1) for n in range(count)
            ]
            width = channels
        self.blocks = nn.ModuleList(blocks)
        self.fold = nn.Conv2d(width, size.embedding, (MELS // 16, 1), bias=False)
        self.fold_norm = nn.BatchNorm2d(size.embedding)
        self.context = nn.Conv2d(
            size.embedding, size.embedding, (1, 5), padding=(0, 2), groups=size.embedding
        )
        self.mix = nn.Conv2d(size.embedding, size.embedding, 1, bias=False)
        self.mix_norm = nn.BatchNorm2d(size.embedding)
        self.dropout = nn.Dropout(0.1)
        self.label = nn.Linear(size.embedding, labels)
        self.attention = nn.Linear(size.embedding, labels)
        self.emotion = nn.Linear(size.embedding, emotions)
        self.to_teacher = nn.Linear(size.embedding, teacher_classes)
        self.to_embedding = nn.Linear(size.embedding, teacher_embedding)
        nn.init.constant_(self.label.bias, -4.0)  # most sounds are absent most of the time
        nn.init.constant_(self.to_teacher.bias, -5.0)

    def forward(self, wave: Tensor) -> Heard:
        return self.judge(self.front(wave))

    def judge(self, features: Tensor) -> Heard:
        """From log-mel features, as SpecAugment wants them."""
        frames = self.frame_features(features).float()
        frames = self.dropout(frames)
        embedding = frames.mean(1)
        logits = self.label(frames)
        weights = torch.softmax(self.attention(frames), 1)
        return Heard(
            frames=logits,
            clips=(weights * torch.sigmoid(logits)).sum(1),
            emotion=self.emotion(embedding),
            embedding=embedding,
            teacher_logits=self.to_teacher(embedding),
            teacher_embedding=self.to_embedding(embedding),
        )

    def frame_features(self, features: Tensor) -> Tensor:
        """(batch, 1, mels, frames) to (batch, frames / 16, embedding)."""
        x = torch.relu(self.stem_norm(self.stem(features.contiguous(memory_format=torch.channels_last))))
        for block in self.blocks:
            x = block(x)
        x = torch.relu(self.fold_norm(self.fold(x)))
        x = torch.relu(x + self.mix_norm(self.mix(self.context(x))))
        return x.squeeze(2).transpose(1, 2)


def spec_augment(features: Tensor, rng: torch.Generator) -> Tensor:
    """Bands of mels and stretches of frames set to the batch's floor (Park et al., 2019)."""
    batch, _, mels, frames = features.shape
    keep = torch.ones(batch, 1, mels, frames)
    for size, widest, axis in ((mels, 10, 2), (frames, frames // 12, 3)):
        for _ in range(2):
            width = torch.randint(0, widest + 1, (batch, 1, 1, 1), generator=rng)
            start = torch.randint(0, size - widest, (batch, 1, 1, 1), generator=rng)
            at = torch.arange(size).view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
            keep = keep * ~((at >= start) & (at < start + width))
    return features * keep + (1 - keep) * -1.0
