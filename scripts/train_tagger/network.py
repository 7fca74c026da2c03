"""The student: log-mel of 16 kHz, inverted residuals with squeeze-excitation, frame and clip heads.

The trunk narrows where the teacher's does (MobileNetV3; Howard et al., 2019), so that at each of its blocks
the student can be told what the teacher makes of the same sound (`hints.py`). All weights start at random.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

SAMPLE_RATE_HZ = 16_000
WINDOW, HOP, FFT = 400, 160, 512
MELS = 104
"""Bands of the teacher's scale that begin below 8 kHz."""
TEACHER_MELS, TEACHER_TOP_HZ = 128, 15_000.0
PRE_EMPHASIS = 0.97
MEAN_POWER = 0.2
"""Mel power of a window whose level has been taken out: where the teacher, which knows levels, hears best."""
RELATIVE_FLOOR = 1e-5
"""Added to mel power: 43 dB below the window's mean nothing is told apart."""
ABSOLUTE_FLOOR = 1e-7
"""Mean mel power (about -95 dBFS) below which a window is taken for silence and not made louder."""
TIME_STRIDE = 32
FRAME_HOP_S = TIME_STRIDE * HOP / SAMPLE_RATE_HZ


class Shape(NamedTuple):
    """One inverted residual."""

    kernel: int
    hidden: int
    channels: int
    squeeze: bool
    hard_swish: bool
    """Else rectified."""
    stride: int
    own: int = 0
    """Channels of its own, after those in which it is told what the teacher makes of the sound."""


STEM = 8
BLOCKS = (
    Shape(3, 8, 8, False, False, 1),
    Shape(3, 24, 16, False, False, 2),
    Shape(3, 32, 16, False, False, 1),
    Shape(5, 32, 16, True, False, 2),
    Shape(5, 48, 16, True, False, 1),
    Shape(5, 48, 16, True, False, 1),
    Shape(3, 96, 32, False, True, 2),
    Shape(3, 96, 32, False, True, 1),
    Shape(3, 96, 32, False, True, 1),
    Shape(3, 96, 32, False, True, 1),
    Shape(3, 288, 48, True, True, 1, own=16),
    Shape(3, 384, 48, True, True, 1, own=16),
    Shape(5, 384, 64, True, True, 2, own=48),
    Shape(5, 512, 64, True, True, 1, own=48),
    Shape(5, 512, 64, True, True, 1, own=48),
)
"""Channels and strides are the teacher's, and some beside them; between them the later blocks are wider."""
SETTLED_STAGES = 5
"""The stem and four blocks: more than half of the work of a step, in 16 channels every 80 ms."""
HINTED_EMBEDDING, OWN_EMBEDDING, HIDDEN = 384, 192, 768
EMBEDDING = HINTED_EMBEDDING + OWN_EMBEDDING
LOOK = 3
"""Frames that the guess at the second teacher is a mean of: about the 0.975 s that it hears at once."""


class Heard(NamedTuple):
    """What the network says of a batch."""

    frames: Tensor
    """Label logits, shape (batch, frames, labels); one frame every 0.32 s."""
    clips: Tensor
    """Label probabilities, shape (batch, labels)."""
    emotion: Tensor
    """Emotion logits, shape (batch, emotions)."""
    embedding: Tensor
    """Shape (batch, embedding)."""
    teacher_logits: Tensor
    """Guess at the teacher's 527 logits for the whole clip."""
    second_logits: Tensor
    """Guess at the second teacher's 521 logits, shape (batch, frames, classes), each over `LOOK` frames."""


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
        spectrum = torch.fft.rfft(frames, n=FFT)
        power = spectrum.real.square() + spectrum.imag.square()
        mel = power @ self.mel.T
        level = (mel.mean((1, 2), keepdim=True) + ABSOLUTE_FLOOR) / MEAN_POWER
        features = (torch.log(mel / level + RELATIVE_FLOOR) + 4.5) / 5.0
        return features.transpose(1, 2).unsqueeze(1)


def mel_filters() -> npt.NDArray[np.float32]:
    """Triangles even on Kaldi's mel scale, the lower ones of those that reach 15 kHz, with the teacher's
    pre-emphasis in them; shape (mels, 257)."""

    def mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(hz / 700.0))

    edges = np.linspace(0.0, mel(np.array([TEACHER_TOP_HZ]))[0], TEACHER_MELS + 2)[: MELS + 2]
    hz = np.arange(FFT // 2 + 1) * SAMPLE_RATE_HZ / FFT
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    at = mel(hz)
    triangles = np.maximum(np.minimum((at - left) / (centre - left), (right - at) / (right - centre)), 0)
    turn = 2 * np.pi * hz / SAMPLE_RATE_HZ
    emphasis = 1 + PRE_EMPHASIS**2 - 2 * PRE_EMPHASIS * np.cos(turn)
    return np.asarray(triangles * emphasis, np.float32)


def quick_arithmetic() -> torch.autocast:
    """In which to learn: bfloat16 on a processor that has instructions for it, float32 on any other, where a
    convolution in bfloat16 takes three times as long."""
    has = torch.cpu.get_capabilities()
    return torch.autocast("cpu", torch.bfloat16, enabled=bool(has.get("avx512_bf16") or has.get("amx_bf16")))


class Convolution(nn.Module):
    """Convolution, batch norm and, unless it is the last of a block, a non-linearity."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, act: str = "relu"
    ) -> None:
        super().__init__()
        self.act = act
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels, bands, frames) to the same with its own channels and step."""
        y: Tensor = self.norm(self._convolved(x))
        if self.act == "hard_swish":
            return nnf.hardswish(y)
        return torch.relu(y) if self.act == "relu" else y

    def _convolved(self, x: Tensor) -> Tensor:
        """Depthwise in float32 whatever autocast says: oneDNN 3 learns strided and 5x5 ones in bfloat16 by a
        reference loop, which was a third of a step."""
        if self.conv.groups == 1:
            return self.conv(x)  # type: ignore[no-any-return]
        with torch.autocast("cpu", enabled=False):
            return self.conv(x.float()).to(x.dtype)  # type: ignore[no-any-return]


class InvertedResidual(nn.Module):
    """Wide depthwise convolution between two narrow ends; the shortcut when shapes agree."""

    def __init__(self, inputs: int, shape: Shape) -> None:
        super().__init__()
        act = "hard_swish" if shape.hard_swish else "relu"
        self.shortcut = shape.stride == 1 and inputs == shape.channels + shape.own
        self.widen = Convolution(inputs, shape.hidden, 1, act=act) if shape.hidden != inputs else None
        self.depthwise = Convolution(
            shape.hidden, shape.hidden, shape.kernel, shape.stride, shape.hidden, act=act
        )
        inner = -(-shape.hidden // 32) * 8
        channels = shape.channels + shape.own
        self.squeeze = nn.Conv2d(shape.hidden, inner, 1) if shape.squeeze else None
        self.excite = nn.Conv2d(inner, shape.hidden, 1) if shape.squeeze else None
        self.narrow = Convolution(shape.hidden, channels, 1, act="")

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels, bands, frames) to the same with its own channels and step."""
        y = self.depthwise(x if self.widen is None else self.widen(x))
        if self.squeeze is not None and self.excite is not None:
            y = y * torch.sigmoid(self.excite(torch.relu(self.squeeze(y.mean((2, 3), keepdim=True)))))
        narrowed: Tensor = self.narrow(y)
        return x + narrowed if self.shortcut else narrowed


class Student(nn.Module):
    """Waveform (batch, samples) at 16 kHz to `Heard`. At least 25 ms of sound."""

    def __init__(self, labels: int, emotions: int, teacher_classes: int, second_classes: int) -> None:
        super().__init__()
        self.front = LogMel()
        stages: list[nn.Module] = [Convolution(1, STEM, 3, 2, act="hard_swish")]
        width = STEM
        for shape in BLOCKS:
            stages.append(InvertedResidual(width, shape))
            width = shape.channels + shape.own
        stages.append(Convolution(width, EMBEDDING, 1, act="hard_swish"))
        self.stages = nn.ModuleList(stages)
        self.dropout = nn.Dropout(0.1)
        self.hidden = nn.Linear(EMBEDDING, HIDDEN)
        self.label = nn.Linear(HIDDEN, labels)
        self.attention = nn.Linear(HIDDEN, labels)
        self.emotion = nn.Linear(EMBEDDING, emotions)
        self.to_teacher = nn.Linear(HIDDEN, teacher_classes)
        nn.init.constant_(self.label.bias, -4.0)  # most sounds are absent most of the time
        self.to_second = nn.Linear(HIDDEN, second_classes)
        nn.init.constant_(self.to_teacher.bias, -5.0)
        nn.init.constant_(self.to_second.bias, -7.0)

    def settle(self, count: int) -> None:
        """The first stages learn no more."""
        for stage in self.stages[:count]:
            stage.eval().requires_grad_(requires_grad=False)

    def settle_wide_kernels(self) -> None:
        """Depthwise kernels of 5x5 learn no more: oneDNN takes a fifth of a step for what they still gain."""
        for stage in self.stages:
            if isinstance(stage, InvertedResidual) and stage.depthwise.conv.kernel_size == (5, 5):
                stage.depthwise.conv.requires_grad_(requires_grad=False)

    def forward(self, wave: Tensor) -> Heard:
        """From waves of shape (batch, samples) at 16 kHz."""
        return self.judge(self.front(wave))

    def judge(self, features: Tensor) -> Heard:
        """From log-mel features, shape (batch, 1, mels, frames), as SpecAugment wants them."""
        return self.said(self.maps(features)[-1])

    def maps(self, features: Tensor) -> list[Tensor]:
        """What every stage makes of log-mel features, the last of shape (batch, embedding, bands, frames)."""
        return self.maps_after(0, features)

    def maps_after(self, count: int, x: Tensor) -> list[Tensor]:
        """What the stages after the first `count` make of the map of these. Maps have the shape (batch,
        channels, bands, frames)."""
        x = x.contiguous(memory_format=torch.channels_last)
        made = []
        for stage in self.stages[count:]:
            x = stage(x)
            made.append(x)
        return made

    def maps_from(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """What every stage makes of an input of its own; its own channels of it are silent. Maps have the
        shape (batch, channels, bands, frames)."""
        return [stage(_widened(x, stage)) for stage, x in zip(self.stages, inputs, strict=True)]

    def said(self, last: Tensor) -> Heard:
        """From the last stage's map, shape (batch, embedding, bands, frames)."""
        frames = last.mean(2).transpose(1, 2).float()
        embedding = frames.mean(1)
        hidden = self.dropout(nnf.hardswish(self.hidden(frames)))
        logits = self.label(hidden)
        weights = torch.softmax(self.attention(hidden), 1)
        return Heard(
            frames=logits,
            clips=(weights * torch.sigmoid(logits)).sum(1),
            emotion=self.emotion(self.dropout(embedding)),
            embedding=embedding,
            teacher_logits=self.to_teacher(nnf.hardswish(self.hidden(embedding))),
            second_logits=_looks(self.to_second(hidden)),
        )


def _looks(logits: Tensor) -> Tensor:
    """(batch, frames, classes), each frame the mean of itself and its one or two neighbours."""
    return nnf.avg_pool1d(logits.transpose(1, 2), LOOK, 1, LOOK // 2, count_include_pad=False).transpose(1, 2)


def _widened(x: Tensor, stage: nn.Module) -> Tensor:
    first = next(each for each in stage.modules() if isinstance(each, nn.Conv2d))
    missing = first.weight.shape[1] * first.groups - x.shape[1]
    return nnf.pad(x, (0, 0, 0, 0, 0, missing)) if missing > 0 else x


def spec_augment(features: Tensor, rng: torch.Generator) -> Tensor:
    """Bands of mels and stretches of frames set to the batch's floor (Park et al., 2019). Features keep their
    shape, (batch, 1, mels, frames)."""
    batch, _, mels, frames = features.shape
    keep = torch.ones(batch, 1, mels, frames)
    for size, widest, axis in ((mels, 10, 2), (frames, frames // 12, 3)):
        for _ in range(2):
            width = torch.randint(0, widest + 1, (batch, 1, 1, 1), generator=rng)
            start = torch.randint(0, size - widest, (batch, 1, 1, 1), generator=rng)
            at = torch.arange(size).view((1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1))
            keep = keep * ~((at >= start) & (at < start + width))
    return features * keep + (1 - keep) * -1.0
