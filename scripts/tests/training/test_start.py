"""A student that goes on from a released model."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from scripts.tests.training.test_onnx_graph import FIRST, HEADS, NEUTRAL, SECOND, sound
from scripts.train_tagger.join import joined
from scripts.train_tagger.network import SETTLED_STAGES, Student
from scripts.train_tagger.onnx_graph import student_graph
from scripts.train_tagger.start import begin_with, renormed
from scripts.train_tagger.training import new_student

SHIPPED = Path("monitor/models/earwitness.onnx")
MASK = np.arange(len(FIRST)) % 2 == 0
KEPT, ALSO_KEPT = (sorted({number for each in classes for number in each}) for classes in (FIRST, SECOND))


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
    """Whatever its version: the student is at least as large in everything, and no label stays as it was."""
    student = new_student().eval()
    before = student.label.bias.detach().clone()

    begin_with(student, SHIPPED)

    assert (student.label.bias != before).all()
    with torch.no_grad():
        assert np.isfinite(student(torch.from_numpy(sound(1, 16_000))).frames.numpy()).all()


def test_of_two_networks_in_a_file_the_later_goes_on(released: tuple[Student, Path], tmp_path: Path) -> None:
    """With its guesses at the teachers; the emotion, which it does not keep, is the earlier one's."""
    earlier, file = released
    later = new_student().eval()
    later.stages[0].load_state_dict(earlier.stages[0].state_dict())
    other = student_graph(later, NEUTRAL, HEADS, compact=False)
    both = tmp_path / "joined.onnx"
    both.write_bytes(joined(onnx.load(str(file)), other, MASK).SerializeToString())
    after = new_student().eval()

    begin_with(after, both, (KEPT, ALSO_KEPT))

    with torch.no_grad():
        wave = torch.from_numpy(sound(2, 16_000))
        said, expected = after(wave), later(wave)
    assert said.frames.numpy() == pytest.approx(expected.frames.numpy(), abs=1e-3)
    first, second = said.teacher_logits[:, KEPT], said.second_logits[..., ALSO_KEPT]
    assert first.numpy() == pytest.approx(expected.teacher_logits[:, KEPT].numpy(), abs=1e-3)
    assert second.numpy() == pytest.approx(expected.second_logits[..., ALSO_KEPT].numpy(), abs=1e-3)
    assert after.emotion.weight.detach().numpy() == pytest.approx(
        earlier.emotion.weight.detach().numpy(), abs=1e-3
    )


def test_a_larger_model_is_refused(released: tuple[Student, Path]) -> None:
    """Its weights would not fit."""
    _, file = released
    student = new_student()
    student.label = torch.nn.Linear(student.label.in_features - 1, student.label.out_features)

    with pytest.raises(ValueError, match="the earlier model has weights of shape"):
        begin_with(student, file)
    assert np.isfinite(student.label.weight.detach().numpy()).all()
