"""Mixtures made beforehand, and learning from them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.train_tagger import stock, yamnet
from scripts.train_tagger.learning import Classes, Learner, Recipe, together
from scripts.train_tagger.network import OWN_EMBEDDING, SETTLED_STAGES
from scripts.train_tagger.targets import EMOTIONS, LABELS
from scripts.train_tagger.teacher import CLASSES, TeacherNetwork
from scripts.train_tagger.training import new_student

LENGTH_S = 1.0


@pytest.fixture(scope="module")
def teacher() -> TeacherNetwork:
    """With random weights, and norms that have seen something."""
    torch.manual_seed(1)
    teacher = TeacherNetwork()
    with torch.no_grad():
        for _ in range(3):
            teacher.features(torch.randn(4, 1, 128, 96))
    return teacher.eval()


@pytest.fixture
def classes() -> Classes:
    """Every label has a class of the first teacher; the second does not know the first label."""
    first, second = torch.zeros(len(LABELS), CLASSES), torch.zeros(len(LABELS), yamnet.CLASSES)
    for label in range(len(LABELS)):
        first[label, label] = 1
        second[label, label + 1] = float(label > 0)
    return Classes(first, second)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One part of random mixtures of one second."""
    rng = np.random.default_rng(0)
    student, count = new_student().eval(), stock.PART
    with torch.no_grad():
        features = student.front(torch.randn(2, 16_000))
        ours = student.maps(features)[SETTLED_STAGES - 1][0].numpy()
    rows = -(-128 // 8)
    part = {
        "ours": rng.standard_normal((count, *ours.shape)).astype(np.float16),
        "theirs": rng.standard_normal((count, ours.shape[0], rows, ours.shape[2])).astype(np.float16),
        "logits": rng.normal(-5, 2, (count, CLASSES)).astype(np.float16),
        "second": rng.normal(-7, 2, (count, len(stock.LOOKS[LENGTH_S]), yamnet.CLASSES)).astype(np.float16),
        "labels": (rng.random((count, len(LABELS))) < 0.03).astype(np.uint8),
        "known": (rng.random((count, len(LABELS))) < 0.8).astype(np.uint8),
        "exact": rng.random(count) < 0.1,
        "emotion": rng.integers(-1, len(EMOTIONS), count).astype(np.int8),
    }
    made = tmp_path / "stock"
    made.mkdir()
    with (made / f"{LENGTH_S}-1-{count}.npz").open("wb") as out:
        np.savez(out, **part)  # type: ignore[arg-type]
    return made


def stocked(folder: Path) -> stock.Stock:
    """All of it."""
    kept = stock.Stock([folder])
    kept.refresh()
    return kept


def test_a_stock_grows_while_it_is_learnt_from(folder: Path) -> None:
    """Parts that come later are taken in; what is being written is not."""
    kept = stocked(folder)
    (folder / "77.part").write_bytes(b"half a file")
    (folder / f"{LENGTH_S}-2-{stock.PART}.npz").write_bytes(next(folder.glob("*.npz")).read_bytes())

    before = len(kept)
    kept.refresh()

    assert (before, len(kept)) == (stock.PART, 2 * stock.PART)
    length_s, batch = next(kept.batches(8, np.random.default_rng(0)))
    assert length_s == LENGTH_S
    assert len(batch["ours"]) == 16


def test_a_part_is_let_go_when_it_was_looked_at_often_enough(folder: Path, tmp_path: Path) -> None:
    """It is not read again after a restart, either; learning goes on with what is added."""
    spent, first = tmp_path / "spent.txt", next(folder.glob("*.npz"))
    kept = stock.Stock([folder], 2, spent)
    batches = kept.batches(8, np.random.default_rng(0))
    for _ in range(2 * stock.PART // 16):
        next(batches)
    assert len(kept) == 0
    assert spent.read_text().splitlines() == [str(first)]

    restarted = stock.Stock([folder], 2, spent)
    restarted.refresh()
    assert len(restarted) == 0

    (folder / f"{LENGTH_S}-2-{stock.PART}.npz").write_bytes(first.read_bytes())
    next(batches)
    assert len(kept) == stock.PART


def test_learning_goes_on_where_it_stopped(
    folder: Path, tmp_path: Path, teacher: TeacherNetwork, classes: Classes
) -> None:
    """Settled stages and wide kernels stay as they are, others learn; every part of the loss is finite."""
    torch.manual_seed(0)
    student = new_student()
    before = {name: value.clone() for name, value in student.state_dict().items()}
    Learner(Recipe(steps=2, batch=4), tmp_path / "run", student, teacher, classes).learn(stocked(folder))

    again = new_student()
    learner = Learner(Recipe(steps=3, batch=4), tmp_path / "run", again, teacher, classes)
    learner.learn(stocked(folder))

    assert learner.step == 3
    changed = {name for name, value in student.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith(tuple(f"stages.{n}." for n in range(SETTLED_STAGES))) for name in changed)
    assert "label.weight" in changed
    assert "to_second.weight" in changed
    assert "stages.14.depthwise.conv.weight" not in changed
    for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines():
        parts = json.loads(line)
        assert np.isfinite([parts["label"], parts["said"], parts["logits"], parts["emotion"]]).all()
        assert len(parts["astray"]) == len(student.stages) - SETTLED_STAGES


def test_two_runs_go_on_from_the_mean_of_their_weights(
    folder: Path, tmp_path: Path, teacher: TeacherNetwork, classes: Classes
) -> None:
    """What the other has learnt since is taken in once."""
    torch.manual_seed(0)
    mine, other = new_student(), new_student()
    Learner(Recipe(steps=1, batch=4), tmp_path / "other", other, teacher, classes).learn(stocked(folder))

    learner = Learner(
        Recipe(steps=1, batch=4), tmp_path / "mine", mine, teacher, classes, [tmp_path / "other"]
    )
    learner.learn(stocked(folder))

    alone = torch.load(tmp_path / "mine" / "checkpoint.pt", weights_only=True)["student"]["label.weight"]
    assert torch.allclose(mine.label.weight, (alone + other.label.weight) / 2)


def test_what_both_teachers_say_is_the_mean_of_their_log_odds(classes: Classes) -> None:
    """Of the second its likeliest look; of a label that it does not know the first says all."""
    first, second = torch.full((1, CLASSES), -4.0), torch.full((1, 2, yamnet.CLASSES), -8.0)
    second[0, 1, 2] = 0.0

    said = together(first, second, classes)[0]

    assert said[0].item() == -4
    assert said[1].item() == -2
    assert said[2].item() == -6
    assert torch.equal(together(first, second[:, :0], classes), torch.full((1, len(LABELS)), -4.0))


def test_the_student_has_channels_of_its_own_beside_the_teachers() -> None:
    """The embedding is wider than the teacher's by what is its own."""
    student = new_student().eval()
    with torch.no_grad():
        heard = student(torch.randn(1, 16_000))
    assert heard.embedding.shape == (1, 384 + OWN_EMBEDDING)
    assert heard.second_logits.shape == (1, 4, yamnet.CLASSES)
