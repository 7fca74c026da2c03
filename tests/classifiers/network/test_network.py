"""Our own arithmetic for the sound model, beside onnxruntime's."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import pytest

from monitor.classifiers.network.lowering import lowered
from monitor.classifiers.network.network import SoundNetwork
from monitor.classifiers.network.onnx_file import read_graph
from monitor.classifiers.network.steps import laid_out
from monitor.classifiers.taggers.embedded import shipped_model
from monitor.native import kernels as native

OUTPUTS = ["scores", "frames", "emotion", "embedding"]


def sound(windows: int, samples: int, level: float = 0.1) -> npt.NDArray[np.float32]:
    """Noise that swells, a whistle in it."""
    rng = np.random.default_rng(samples)
    whistle = np.sin(np.arange(samples) * 0.9)
    loud = level * (rng.standard_normal((windows, samples)) + whistle)
    return np.asarray(loud * np.linspace(0, 1, samples), np.float32)


@pytest.fixture(scope="module")
def session() -> Any:
    """The shipped model in onnxruntime."""
    return ort.InferenceSession(str(shipped_model()), providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module", params=native.runnable())
def network(request: pytest.FixtureRequest) -> SoundNetwork:
    """The shipped model in our kernels, as built for each machine that this one can stand in for."""
    return SoundNetwork(shipped_model().read_bytes(), request.param)


@pytest.mark.parametrize(
    ("windows", "samples"), [(1, 400), (1, 5_120), (3, 25_600), (2, 51_200), (6, 20_480), (1, 40_001)]
)
def test_it_says_what_onnxruntime_says(
    network: SoundNetwork, session: Any, windows: int, samples: int
) -> None:
    """At any length and in any batch, to a hundred-thousandth."""
    wave = sound(windows, samples)

    ours, its = network.run(OUTPUTS, {"wave": wave}), session.run(OUTPUTS, {"wave": wave})

    for own, other in zip(ours, its, strict=True):
        assert own.shape == other.shape
        assert own == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("wave", [np.zeros((1, 16_000), "f"), sound(1, 16_000, 1e-7), sound(1, 16_000, 30.0)])
def test_silence_and_noise_beyond_full_scale_too(
    network: SoundNetwork, session: Any, wave: npt.NDArray[np.float32]
) -> None:
    """Where a logarithm or an exponential could go wrong."""
    for own, other in zip(
        network.run(OUTPUTS, {"wave": wave}), session.run(OUTPUTS, {"wave": wave}), strict=True
    ):
        assert own == pytest.approx(other, abs=1e-4)


def test_a_window_scores_the_same_whoever_asks(network: SoundNetwork) -> None:
    """From several threads, after other lengths, alone or among others: no call leaves a trace in another."""
    waves = [sound(windows, 5_120 * length) for windows in (1, 4) for length in (1, 3, 10)]
    alone = [network.run(["scores"], {"wave": wave})[0] for wave in waves]

    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda wave: network.run(["scores"], {"wave": wave})[0], waves * 8))

    for own, other in zip(alone * 8, together, strict=True):
        assert np.array_equal(own, other)
    rows = np.concatenate([network.run(["scores"], {"wave": row[None]})[0] for row in waves[-1]])
    assert rows == pytest.approx(alone[-1], abs=1e-6)


def test_windows_together_do_not_need_the_sum_of_their_room() -> None:
    """The largest maps are made window by window: so six looks at once stay in the caches, too."""
    model = lowered(read_graph(shipped_model().read_bytes()), halves=True, panel=16)
    one, six = (laid_out(model.steps, model.wanted, (windows, 20_480)).floats for windows in (1, 6))

    assert six < 3 * one


def test_a_window_without_a_frame_is_an_error(network: SoundNetwork) -> None:
    """Below 25 ms; and a batch of none."""
    with pytest.raises(ValueError, match="1 windows of 399 samples hold no frame"):
        network.run(OUTPUTS, {"wave": sound(1, 399)})


def test_the_shipped_model_needs_no_onnxruntime() -> None:
    """It is 40 MB and a tenth of a second that the daemon does without."""
    program = (
        "import sys; from monitor.classifiers.taggers.embedded import EmbeddedConfig; "
        "EmbeddedConfig(type='embedded').build().load(); print('onnxruntime' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "False\n"
