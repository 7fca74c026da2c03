"""A student that goes on from a released model."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from scripts.tests.training.test_onnx_graph import HEADS, NEUTRAL, sound
from scripts.train_tagger.network import SETTLED_STAGES, Student
from scripts.train_tagger.onnx_graph import student_graph
from scripts.train_tagger.start import begin_with, renormed
from scripts.train_tagger.training import new_student

SHIPPED = Path("monitor/models/earwitness.onnx")


@pytest.fixture
def released(tmp_path: Path) -> tuple[Student, Path]:
    """A student whose norms have seen something, and its file."""
    torch.manual_seed(0)
    student = new_student()
    with torch.no_grad():
        for _ in range(3):
            student(0.1 * torch.randn(8, 8_000))
    file = tmp_path / "model.onnx"
    file.write_bytes(student_graph(student, NEUTRAL, HEADS, compact=False).SerializeToString())
    return student.eval(), file


def test_it_says_what_the_released_model_says(released: tuple[Student, Path]) -> None:
    """Labels and emotions, to within rounding, though the file has its norms folded away."""
    before, file = released
    after = new_student().eval()
    begin_with(after, file)

    with torch.no_grad():
        wave = torch.from_numpy(sound(2, 16_000))
        said, expected = after(wave), before(wave)

    assert said.frames.numpy() == pytest.approx(expected.frames.numpy(), abs=1e-3)
    assert said.emotion.numpy() == pytest.approx(expected.emotion.numpy(), abs=1e-3)


def test_norms_take_on_the_spread_of_real_maps_and_nothing_is_said_otherwise(
    released: tuple[Student, Path],
) -> None:
    """In training, the first step begins where the released model stood: batch statistics are its own."""
    _, file = released
    student = new_student().eval()
    begin_with(student, file)
    with torch.no_grad():
        settled = student.maps(student.front(torch.from_numpy(sound(16, 16_000))))[SETTLED_STAGES - 1]
        before = student.maps_after(SETTLED_STAGES, settled)[-1]
        renormed(student, settled)
        after = student.maps_after(SETTLED_STAGES, settled)[-1]
        student.train()
        learning = student.maps_after(SETTLED_STAGES, settled)[-1]

    assert after.numpy() == pytest.approx(before.numpy(), abs=1e-3)
    assert learning.numpy() == pytest.approx(before.numpy(), abs=0.05)


def test_the_shipped_model_can_be_gone_on_from() -> None:
    """Whatever its version: the student is at least as large in everything."""
    student = new_student().eval()
    begin_with(student, SHIPPED)
    wave = sound(1, 16_000)

    with torch.no_grad():
        emotion = torch.softmax(student(torch.from_numpy(wave)).emotion, 1).numpy()

    session = ort.InferenceSession(str(SHIPPED), providers=["CPUExecutionProvider"])
    assert emotion == pytest.approx(session.run(["emotion"], {"wave": wave})[0], abs=0.01)


def test_a_larger_model_is_refused(released: tuple[Student, Path]) -> None:
    """Its weights would not fit."""
    _, file = released
    student = new_student()
    student.label = torch.nn.Linear(student.label.in_features - 1, student.label.out_features)

    with pytest.raises(ValueError, match="the earlier model has weights of shape"):
        begin_with(student, file)
    assert np.isfinite(student.label.weight.detach().numpy()).all()
