"""The teacher: EfficientAT mn04 (Schmid et al., "Efficient large-scale audio tagging via transformer-to-CNN
knowledge distillation", 2023), rebuilt in plain torch from the paper and the shapes of its published weights.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as nnf

TEACHER_RATE_HZ = 32_000
CLASSES = 527
EMBEDDING = 384

_N_FFT, _WIN, _HOP, _MELS, _TOP_HZ = 1024, 800, 320, 128, 15_000.0

# kernel, expanded, out, squeeze-excitation, hard-swish, stride
_BLOCKS = (
    (3, 8, 8, False, False, 1),
    (3, 24, 16, False, False, 2),
    (3, 32, 16, False, False, 1),
    (5, 32, 16, True, False, 2),
    (5, 48, 16, True, False, 1),
    (5, 48, 16, True, False, 1),
    (3, 96, 32, False, True, 2),
    (3, 80, 32, False, True, 1),
    (3, 72, 32, False, True, 1),
    (3, 72, 32, False, True, 1),
    (3, 192, 48, True, True, 1),
    (3, 272, 48, True, True, 1),
    (5, 272, 64, True, True, 2),
    (5, 384, 64, True, True, 1),
    (5, 384, 64, True, True, 1),
)


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, act: str = "hs"
) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, eps=1e-3),
    ]
    if act:
        layers.append(nn.Hardswish() if act == "hs" else nn.ReLU())
    return nn.Sequential(*layers)


class _Squeeze(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.fc2(torch.relu(self.fc1(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


class _Squeezes(nn.Module):
    """The published weights allow several squeezes side by side; mn04 has one, over channels."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conc_se_layers = nn.ModuleList([_Squeeze(channels, hidden)])

    def forward(self, x: Tensor) -> Tensor:
        squeezed: Tensor = self.conc_se_layers[0](x)
        return squeezed


class _Inverted(nn.Module):
    def __init__(
        self, inputs: int, kernel: int, expanded: int, out: int, squeeze: bool, hs: bool, stride: int
    ) -> None:
        super().__init__()
        act = "hs" if hs else "relu"
        self.residual = stride == 1 and inputs == out
        layers: list[nn.Module] = [_conv(inputs, expanded, 1, act=act)] if expanded != inputs else []
        layers.append(_conv(expanded, expanded, kernel, stride, expanded, act))
        if squeeze:
            layers.append(_Squeezes(expanded, _eighths(expanded // 4)))
        layers.append(_conv(expanded, out, 1, act=""))
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.block(x)
        return x + y if self.residual else y


def _eighths(channels: int) -> int:
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded


class TeacherNetwork(nn.Module):
    """Waveform at 32 kHz, shape (batch, samples), to logits (batch, 527) and embedding (batch, 384)."""

    mel: Tensor
    window: Tensor

    def __init__(self) -> None:
        super().__init__()
        features: list[nn.Module] = [_conv(1, 8, 3, 2)]
        inputs = 8
        for kernel, expanded, out, squeeze, hs, stride in _BLOCKS:
            features.append(_Inverted(inputs, kernel, expanded, out, squeeze, hs, stride))
            inputs = out
        features.append(_conv(inputs, EMBEDDING, 1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.ModuleDict({"2": nn.Linear(EMBEDDING, 512), "5": nn.Linear(512, CLASSES)})
        self.register_buffer("mel", torch.from_numpy(_kaldi_mel()), persistent=False)
        self.register_buffer("window", torch.hann_window(_WIN, periodic=False), persistent=False)

    @torch.inference_mode()
    def forward(self, wave: Tensor) -> tuple[Tensor, Tensor]:
        """See the class: shape (batch, samples) to (batch, 527) and (batch, 384)."""
        x = self._log_mel(wave)[:, None].contiguous(memory_format=torch.channels_last)
        embedding = self.features(x).mean((2, 3))
        return self.judged(embedding), embedding

    def judged(self, embedding: Tensor) -> Tensor:
        """The logits, shape (batch, 527), of an embedding, (batch, 384)."""
        logits: Tensor = self.classifier["5"](nnf.hardswish(self.classifier["2"](embedding)))
        return logits

    def _log_mel(self, wave: Tensor) -> Tensor:
        emphasised = wave[:, 1:] - 0.97 * wave[:, :-1]
        spectrum = torch.stft(emphasised, _N_FFT, _HOP, _WIN, self.window, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return (torch.log(self.mel @ power + 1e-5) + 4.5) / 5


def _kaldi_mel() -> npt.NDArray[np.float32]:
    """Kaldi's triangles, straight in mel; shape (mels, bins)."""

    def mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return 1127.0 * np.log1p(hz / 700.0)

    edges = np.linspace(0.0, mel(np.array([_TOP_HZ]))[0], _MELS + 2)
    at = mel(np.arange(_N_FFT // 2 + 1) * TEACHER_RATE_HZ / _N_FFT)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.minimum((at - left) / (centre - left), (right - at) / (right - centre))
    triangles[:, -1] = 0  # Kaldi leaves the Nyquist bin out
    return np.asarray(np.maximum(triangles, 0), np.float32)


def load_teacher(weights: Path) -> TeacherNetwork:
    """The published weights in our module, with batch norms folded into the convolutions."""
    teacher = TeacherNetwork()
    teacher.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    teacher.eval()
    for parent in teacher.modules():
        if isinstance(parent, nn.Sequential) and len(parent) > 1 and isinstance(parent[1], nn.BatchNorm2d):
            parent[0] = nn.utils.fuse_conv_bn_eval(parent[0], parent[1])  # type: ignore[type-var]
            parent[1] = nn.Identity()
    return teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def read_class_names(path: Path) -> list[str]:
    """AudioSet display names in the order of the teacher's logits."""
    import csv

    with path.open(encoding="utf-8", newline="") as lines:
        return [row["display_name"] for row in csv.DictReader(lines)]


def padded(clips: Sequence[npt.NDArray[np.float32]], samples: int) -> Tensor:
    """Clips of shape (samples,), cut or zero-padded to one length, stacked: (clips, samples)."""
    batch = np.zeros((len(clips), samples), np.float32)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip[:samples]
    return torch.from_numpy(batch)
