"""What the kernels compute here, written to a file, and compared on another machine (scripts/check-arm)."""

import platform
import sys
import zipfile
from dataclasses import dataclass
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
import numpy.typing as npt

MODEL = Path("monitor/models/earwitness.onnx")
OUTPUTS = ["scores", "frames", "emotion", "embedding"]
WINDOWS = [(1, 400), (1, 5_120), (3, 25_600), (2, 51_200), (6, 20_480), (1, 40_001)]
"""How many, and of how many samples."""
TOLERANCE = 1e-5


@dataclass(frozen=True)
class _GateDefaults:
    """The gate's defaults: its configuration needs pydantic, which is not there."""

    quietest_floor_dbfs: float = -80.0
    open_above_floor_db: float = 9.0
    close_above_floor_db: float = 6.0
    loud_noise_above_floor_db: float = 40.0


def main() -> int:
    """`write FILE` here, `compare FILE` there: 1 where they differ."""
    command, file = sys.argv[1:]
    if command == "write":
        with zipfile.ZipFile(file, "w") as archive:
            ours: dict[str, npt.NDArray[Any]] = {"rows": _rows(), "frames": _frames()}
            for name, array in {**ours, **_as_onnxruntime_says()}.items():
                with archive.open(f"{name}.npy", "w") as entry:
                    np.lib.format.write_array(entry, array)
        return 0
    here = np.load(file)
    print(f"on {platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    same = np.array_equal(_rows(), here["rows"])
    print(f"spectra of the rhythm detector: {'the same bits' if same else 'OTHER BITS'}")
    alike = np.array_equal(_frames(), here["frames"])
    print(f"frames of the gate: {'the same bits' if alike else 'OTHER BITS'}")
    furthest = _furthest(here)
    print(f"sound model, {len(WINDOWS)} shapes of windows: at most {furthest:.1e} from onnxruntime")
    return 0 if same and alike and furthest <= TOLERANCE else 1


def _waves() -> list[npt.NDArray[np.float32]]:
    """Noise that swells, a whistle in it: float32, each (windows, samples)."""
    rng = np.random.default_rng(3)
    return [
        (rng.uniform(-0.3, 0.3, shape) * np.linspace(0, 1, shape[1])).astype(np.float32) for shape in WINDOWS
    ]


def _rows() -> npt.NDArray[np.float32]:
    """Levels and prominences of ten blocks of noise between -80 and 0 dBFS, (2, rows, bins)."""
    _bare_packages("monitor", "monitor.native", "monitor.rhythm")
    from monitor.native.kernels import kernels
    from monitor.rhythm.history import LevelHistory
    from monitor.rhythm.spectrum import BLOCK, Spectrum

    spectrum, history, block = Spectrum(kernels()), LevelHistory(), np.zeros(BLOCK, np.float32)
    rng = np.random.default_rng(3)
    for number in range(10):
        block[:] = rng.uniform(-1, 1, BLOCK) * 10.0 ** (number % 5 - 4)
        history.append(partial(spectrum.put_rows, block.ctypes.data))
    return np.stack(history.rows(0, history.end))


def _frames() -> npt.NDArray[np.float64]:
    """Level, floor and marks of 12 s of noise, swelling or not, and of a tone: shape (3, frames)."""
    _bare_packages("monitor", "monitor.native", "monitor.gate")
    from monitor.gate.listening import FrameMarker

    rng, marked = np.random.default_rng(5), list[tuple[float, float, int]]()
    tone = np.sin(np.arange(12 * 16_000) * 0.7) * 0.1 * (np.arange(12 * 16_000) > 10 * 16_000)
    swelling = np.repeat(10.0 ** rng.uniform(-4, -1, 24), 8_000)
    samples = (rng.uniform(-1, 1, 12 * 16_000) * swelling + tone).astype(np.float32)
    marker = FrameMarker(cast(Any, _GateDefaults()))
    for first in range(0, 396, 33):
        heard = marker.hear(samples, first, 33)
        marked += zip(heard.levels_dbfs, heard.floors_dbfs, heard.marks, strict=True)
    return np.array(marked).T


def _as_onnxruntime_says() -> dict[str, npt.NDArray[np.float32]]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    return {
        f"{name}{number}": value
        for number, wave in enumerate(_waves())
        for name, value in zip(OUTPUTS, session.run(OUTPUTS, {"wave": wave}), strict=True)
    }


def _furthest(expected: "np.lib.npyio.NpzFile") -> float:
    """The greatest difference of any output."""
    _bare_packages("monitor.classifiers", "monitor.classifiers.network")
    from monitor.classifiers.network.network import SoundNetwork

    network = SoundNetwork(MODEL.read_bytes())
    return max(
        float(np.abs(value - expected[f"{name}{number}"]).max())
        for number, wave in enumerate(_waves())
        for name, value in zip(OUTPUTS, network.run(OUTPUTS, {"wave": wave}), strict=True)
    )


def _bare_packages(*names: str) -> None:
    """Packages without their own first lines, which import what is not installed for the other machine."""
    for name in names:
        package = ModuleType(name)
        place = name.replace(".", "/")
        package.__path__ = [place]
        package.__spec__ = ModuleSpec(name, SourceFileLoader(name, f"{place}/__init__.py"), is_package=True)
        sys.modules.setdefault(name, package)


if __name__ == "__main__":
    sys.exit(main())
