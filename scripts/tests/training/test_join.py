"""Two networks in one graph."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch

from monitor.classifiers.taggers.embedded import read_sidecar
from scripts.train_tagger.join import OF_THE_FIRST, join
from scripts.train_tagger.network import SETTLED_STAGES, Student
from scripts.train_tagger.onnx_graph import Blend, Calibration, Heads, student_graph
from scripts.train_tagger.release import write_model
from scripts.train_tagger.targets import LABELS
from scripts.train_tagger.training import new_student

COUNT = len(LABELS)
ONE, NONE = np.ones(COUNT, np.float32), np.zeros(COUNT, np.float32)
OUTPUTS = ["scores", "frames", "emotion", "embedding"]
FIRST = np.array([label in OF_THE_FIRST for label in LABELS])


@pytest.fixture(scope="module")
def students() -> tuple[Student, Student]:
    """One, and another that has its first stages."""
    torch.manual_seed(0)
    one = new_student()
    other = copy.deepcopy(one)
    with torch.no_grad():
        for stage in list(other.stages)[SETTLED_STAGES:]:
            for weight in stage.parameters():
                weight.add_(0.01 * torch.randn_like(weight))
        torch.nn.init.normal_(other.label.bias)
    return one, other


def written(file: Path, student: Student, onset: float) -> Path:
    """A model of it, and what is said of it."""
    heads = Heads([[n] for n in range(COUNT)], [[n] for n in range(COUNT)], Blend(ONE, NONE, NONE))
    content = student_graph(student, Calibration(ONE, NONE), heads).SerializeToString()
    each = dict.fromkeys(LABELS, onset)
    about = {
        "onsets": each,
        "second_look": dict.fromkeys(LABELS, (onset - 0.1, onset + 0.1)),
        "calibration": {"scale": ONE.tolist(), "shift": NONE.tolist()},
        "training": {"clips": round(100 * onset), "clips_by_label": each},
    }
    write_model(file, content, about)
    return file


def heard(file: Path, wave: np.ndarray) -> dict[str, np.ndarray]:
    """What a model makes of it."""
    session: Any = ort.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return dict(zip(OUTPUTS, session.run(OUTPUTS, {"wave": wave}), strict=True))


def test_each_label_is_heard_by_its_network(students: tuple[Student, Student], tmp_path: Path) -> None:
    """As by that network alone; emotion, and the embedding that sounds are taught on, are the first's."""
    one, other = (
        written(tmp_path / f"{name}.onnx", student, onset)
        for name, student, onset in zip("ab", students, (0.4, 0.6), strict=True)
    )
    both = tmp_path / "both.onnx"
    join(one, other, both)
    wave = np.random.default_rng(0).normal(0, 0.1, (2, 16_000)).astype(np.float32)

    by_one, by_other, by_both = (heard(file, wave) for file in (one, other, both))

    for name in ("scores", "frames"):
        assert by_both[name][..., FIRST] == pytest.approx(by_one[name][..., FIRST], abs=1e-6)
        assert by_both[name][..., ~FIRST] == pytest.approx(by_other[name][..., ~FIRST], abs=1e-6)
    for name in ("emotion", "embedding"):
        assert by_both[name] == pytest.approx(by_one[name], abs=1e-6)
    assert both.stat().st_size < one.stat().st_size + other.stat().st_size
    about, first = read_sidecar(both), read_sidecar(one)
    assert {about.onsets[label] for label in OF_THE_FIRST & set(LABELS)} == {0.4}
    assert {about.onsets[label] for label in set(LABELS) - OF_THE_FIRST} == {0.6}
    assert about.embedding_id == first.sha256 == first.embedding_id
    training = json.loads(both.with_suffix(".json").read_text())["training"]
    assert training["joined"]["clips"] == 40
