import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import torch

from scripts.train_tagger.int8 import quantised
from scripts.train_tagger.onnx_graph import Calibration, student_graph
from scripts.train_tagger.targets import LABELS
from scripts.train_tagger.training import new_student


def sounds(seed: int) -> npt.NDArray[np.float32]:
    """Two seconds of noise."""
    return 0.1 * np.random.default_rng(seed).standard_normal((2, 16_000), np.float32)


def test_eight_bits_are_smaller_and_say_nearly_the_same() -> None:
    """A fraction of the size of float32; scores move by a few hundredths."""
    torch.manual_seed(0)
    count = len(LABELS)
    neutral = Calibration(np.ones(count, np.float32), np.zeros(count, np.float32))
    graph = student_graph(new_student(), neutral, compact=False)
    full = graph.SerializeToString()

    small = quantised(graph, (sounds(seed) for seed in range(3)), seven_bits=False)

    said, expected = (
        ort.InferenceSession(content, providers=["CPUExecutionProvider"]).run(["scores"], {"wave": sounds(9)})
        for content in (small, full)
    )
    assert len(small) < 0.4 * len(full)
    assert np.abs(said[0] - expected[0]).max() < 0.05
