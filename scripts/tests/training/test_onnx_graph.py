from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest
import torch

from monitor.classifiers.network.network import SoundNetwork
from scripts.train_tagger.network import Heard, Student
from scripts.train_tagger.onnx_graph import Blend, Calibration, Heads, student_graph
from scripts.train_tagger.targets import LABELS
from scripts.train_tagger.training import new_student

COUNT = len(LABELS)
ONE, NONE = np.ones(COUNT, np.float32), np.zeros(COUNT, np.float32)
NEUTRAL = Calibration(ONE, NONE)
FIRST = [[n, n + 60] if n % 2 else [n] for n in range(COUNT)]
SECOND = [[] if n == 3 else [2 * n] for n in range(COUNT)]
"""Classes of the teachers for every label; of the second one for all but one label."""
HEADS = Heads(FIRST, SECOND, Blend(ONE, NONE, NONE))


@pytest.fixture(scope="module")
def student() -> Student:
    """Random weights, and norms that have seen something, so that folding them matters."""
    torch.manual_seed(0)
    student = new_student()
    with torch.no_grad():
        for _ in range(3):
            student(0.1 * torch.randn(8, 8_000))
        torch.nn.init.normal_(student.label.bias)
    return student.eval()


def session(
    student: Student, calibration: Calibration = NEUTRAL, heads: Heads = HEADS, *, compact: bool = False
) -> Any:
    """The student in onnxruntime."""
    graph = student_graph(student, calibration, heads, compact=compact)
    return ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])


def heard(student: Student, wave: npt.NDArray[np.float32]) -> Heard:
    """What torch says."""
    with torch.no_grad():
        said: Heard = student(torch.from_numpy(wave))
    return said


def sound(batch: int, samples: int) -> npt.NDArray[np.float32]:
    """Noise that swells."""
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal((batch, samples)) * np.linspace(0, 1, samples)).astype(np.float32)


@pytest.mark.parametrize(("batch", "samples"), [(1, 400), (3, 16_000), (2, 51_200), (1, 40_001)])
def test_the_graph_says_what_the_network_says(student: Student, batch: int, samples: int) -> None:
    """At any length and batch, to within 1e-4."""
    wave = sound(batch, samples)
    said = heard(student, wave)

    scores, frames, emotion, embedding = session(student).run(None, {"wave": wave})

    assert scores == pytest.approx(said.clips.numpy(), abs=1e-4)
    assert frames == pytest.approx(torch.sigmoid(said.frames).numpy(), abs=1e-4)
    assert emotion == pytest.approx(torch.softmax(said.emotion, 1).numpy(), abs=1e-4)
    assert embedding == pytest.approx(said.embedding.numpy(), abs=1e-3)


@pytest.mark.parametrize("compact", [False, True])
def test_the_kernels_compute_what_it_says(student: Student, compact: bool) -> None:
    """Every graph that is written here runs in our own kernels, with weights of either size."""
    wave, graph = sound(3, 20_480), student_graph(student, NEUTRAL, HEADS, compact=compact)
    names = ["scores", "frames", "emotion", "embedding"]

    own = SoundNetwork(graph.SerializeToString()).run(names, {"wave": wave})

    for one, other in zip(own, session(student, compact=compact).run(names, {"wave": wave}), strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_scores_do_not_depend_on_the_batch(student: Student) -> None:
    """A window scores the same alone and among 31 others."""
    wave = sound(32, 16_000)
    graph = session(student, compact=True)

    together = graph.run(["scores"], {"wave": wave})[0]
    alone = np.concatenate([graph.run(["scores"], {"wave": row[None]})[0] for row in wave])

    assert together == pytest.approx(alone, abs=1e-4)


def test_half_precision_weights_change_scores_by_less_than_a_hundredth(student: Student) -> None:
    """Half the file for nothing that matters; computing stays in single precision."""
    wave = sound(4, 16_000)

    compact, full = (session(student, compact=c).run(["scores"], {"wave": wave})[0] for c in (True, False))

    assert compact == pytest.approx(full, abs=0.01)


def test_calibration_is_inside_the_graph(student: Student) -> None:
    """Scale and shift of each label's logit, for clips and frames."""
    rng = np.random.default_rng(0)
    calibration = Calibration(
        rng.uniform(0.5, 2, COUNT).astype(np.float32), rng.normal(size=COUNT).astype(np.float32)
    )
    wave = sound(2, 16_000)
    said = heard(student, wave)

    scores, frames = session(student, calibration).run(["scores", "frames"], {"wave": wave})

    logits = torch.logit(said.clips.clamp(1e-6, 1 - 1e-6)).numpy()
    expected = 1 / (1 + np.exp(-(calibration.scale * logits + calibration.shift)))
    assert scores == pytest.approx(expected, abs=1e-4)
    of_frames = calibration.scale * said.frames.numpy() + calibration.shift
    assert frames == pytest.approx(1 / (1 + np.exp(-of_frames)), abs=1e-4)


@pytest.mark.parametrize("samples", [400, 8_000, 51_200])
def test_scores_are_blended_from_labels_and_both_guesses(student: Student, samples: int) -> None:
    """In log odds: of each teacher its likeliest class, of the second also its likeliest look."""
    blend = Blend(0.5 * ONE, 0.3 * ONE, 0.2 * ONE)
    wave = sound(2, samples)
    said = heard(student, wave)

    scores, frames = session(student, heads=Heads(FIRST, SECOND, blend)).run(
        ["scores", "frames"], {"wave": wave}
    )

    first = np.stack([said.teacher_logits[:, n].amax(1) for n in FIRST], axis=1)
    looks = np.stack([said.second_logits[:, :, n or [0]].amax(2) for n in SECOND], axis=2)
    label = torch.logit(said.clips.clamp(1e-6, 1 - 1e-6)).numpy()
    of_clips = 0.5 * label + 0.3 * first + 0.2 * looks.max(axis=1)
    assert scores == pytest.approx(1 / (1 + np.exp(-of_clips)), abs=1e-4)
    of_frames = 0.5 * said.frames.numpy() + 0.3 * first[:, None] + 0.2 * looks
    assert frames == pytest.approx(1 / (1 + np.exp(-of_frames)), abs=1e-4)


@pytest.mark.parametrize("level", [0.0, 1e-4, 1.0])
def test_a_sound_scores_the_same_at_any_level(student: Student, level: float) -> None:
    """From -80 dBFS to full scale; silence gives finite scores."""
    wave = sound(1, 16_000)
    graph = session(student)

    scores = graph.run(["scores"], {"wave": wave * np.float32(level)})[0]

    assert np.isfinite(scores).all()
    if level == 1e-4:
        assert scores == pytest.approx(graph.run(["scores"], {"wave": wave})[0], abs=0.05)


def test_an_offset_does_not_count(student: Student) -> None:
    """A microphone's DC offset is no low tone."""
    wave = sound(1, 16_000)
    graph = session(student)

    with_offset = graph.run(["scores"], {"wave": wave + np.float32(0.3)})[0]

    assert with_offset == pytest.approx(graph.run(["scores"], {"wave": wave})[0], abs=0.01)
