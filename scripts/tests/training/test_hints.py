"""What the student is told of the teacher's maps."""

import pytest
import torch

from scripts.train_tagger.hints import hints, missed
from scripts.train_tagger.network import MELS, OWN_EMBEDDING, Student
from scripts.train_tagger.teacher import CLASSES, TeacherNetwork
from scripts.train_tagger.training import new_student


@pytest.fixture(scope="module")
def teacher() -> TeacherNetwork:
    """With random weights, and norms that have seen something."""
    torch.manual_seed(1)
    teacher = TeacherNetwork()
    for _ in range(20):
        teacher(0.1 * torch.randn(4, 32_000))
    return teacher.eval()


@pytest.fixture
def student() -> Student:
    """With random weights."""
    torch.manual_seed(0)
    return new_student()


def features(batch: int, samples: int, student: Student) -> torch.Tensor:
    """Log-mel of noise."""
    generator = torch.Generator().manual_seed(2)
    told: torch.Tensor = student.front(0.1 * torch.randn(batch, samples, generator=generator))
    return told


@pytest.mark.parametrize("samples", [400, 16_000, 48_000])
def test_every_stage_has_a_map_of_its_own_shape(
    teacher: TeacherNetwork, student: Student, samples: int
) -> None:
    """At any length: rows above 8 kHz are cut away, frames are the same; later stages have channels of
    their own after those that they are told."""
    heard = features(2, samples, student)

    told = hints(teacher, heard)

    assert heard.shape[2] == MELS
    for maps in (student.eval().maps(heard), student.maps_from(told.inputs)):
        assert [made.shape[2:] for made in maps] == [hint.shape[2:] for hint in told.maps]
        own = [made.shape[1] - hint.shape[1] for made, hint in zip(maps, told.maps, strict=True)]
        assert own == [0] * 11 + [16, 16, 48, 48, 48, OWN_EMBEDDING]
    assert told.logits.shape == (2, CLASSES)


def test_nothing_is_missed_of_the_same_map_and_all_of_its_mean(
    teacher: TeacherNetwork, student: Student
) -> None:
    """1 is what saying the mean of every channel would miss, a little less where channels hardly vary."""
    told = hints(teacher, features(4, 16_000, student)).maps

    nothing = missed(told, told)
    mean = missed([hint.mean((0, 2, 3), keepdim=True).expand_as(hint) for hint in told], told)

    assert nothing.tolist() == [0.0] * len(told)
    assert all(0.3 < share <= 1.0 for share in mean.tolist())


def test_stages_learn_their_maps_apart_from_each_other(teacher: TeacherNetwork, student: Student) -> None:
    """A few steps on one batch bring every stage nearer to what the teacher makes of its own input."""
    told = hints(teacher, features(4, 16_000, student))
    optimizer = torch.optim.Adam(student.parameters(), 3e-3)
    before = missed(student.maps_from(told.inputs), told.maps).detach()
    for _ in range(30):
        optimizer.zero_grad()
        missed(student.maps_from(told.inputs), told.maps).sum().backward()
        optimizer.step()

    after = missed(student.maps_from(told.inputs), told.maps).detach()

    assert (after < before).all()
