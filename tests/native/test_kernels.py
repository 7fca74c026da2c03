"""The compiled libraries belong to the sources beside them, and need nothing else."""

import platform
import re
import subprocess
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.gate.level import measure
from monitor.gate.loops import _matches
from monitor.loudness.weighting import HOP, samples_for, weighted_energies
from monitor.native import kernels as native
from monitor.native.kernels import FOLDER, digest, kernels, load
from monitor.rhythm.history import LevelHistory
from monitor.rhythm.spectrum import BLOCK, Spectrum
from testkit.builders import noise

MACHINES = ("x86_64", "x86_64_v3", "x86_64_v4", "aarch64")


@pytest.mark.parametrize("machine", MACHINES)
def test_every_library_is_built_from_the_sources(machine: str) -> None:
    """Whoever changes the C runs scripts/kernels: the digest of the sources is in each library."""
    assert digest().encode() in (FOLDER / f"kernels-{machine}.so").read_bytes(), "run scripts/kernels"


@pytest.mark.parametrize("machine", MACHINES)
def test_libraries_need_no_other(machine: str) -> None:
    """One library for every Linux of a processor: it asks for no libc and no symbol of anyone's."""
    file = FOLDER / f"kernels-{machine}.so"
    dynamic = subprocess.run(["readelf", "-d", file], capture_output=True, text=True, check=True).stdout
    symbols = subprocess.run(
        ["readelf", "--dyn-syms", file], capture_output=True, text=True, check=True
    ).stdout

    assert "NEEDED" not in dynamic
    assert not re.findall(r"UND (\w+)", symbols)


@pytest.mark.skipif(len(native.runnable()) < 2, reason="a processor with AVX2 runs several libraries")
def test_old_and_new_processors_get_the_same_bits() -> None:
    """No sum is reordered and no operation fused: the same sound gives the same rows everywhere."""
    old, *new = (_rows(variant) for variant in native.runnable())

    assert all(each == old for each in new)


def _rows(variant: str) -> bytes:
    spectrum, history, block = Spectrum(load(variant)), LevelHistory(), np.zeros(BLOCK, np.float32)
    rng = np.random.default_rng(3)
    for _ in range(10):
        block[:] = rng.standard_normal(BLOCK) * 10 ** rng.uniform(-4, 0)
        history.append(partial(spectrum.put_rows, block.ctypes.data))
    level_db, prominence_db = history.rows(0, history.end)
    return level_db.tobytes() + prominence_db.tobytes()


@pytest.mark.skipif(len(native.runnable()) < 2, reason="a processor with AVX2 runs several libraries")
def test_old_and_new_processors_weigh_alike() -> None:
    """A block has the same energy, to the bit, whichever others it is transformed with, and in how many
    lanes."""
    samples = noise(4.0, -50, 4)
    whole, *others = (weighted_energies(samples, load(variant)) for variant in native.runnable())
    parts = [weighted_energies(samples[i * HOP : i * HOP + samples_for(3)]) for i in range(0, 15, 3)]

    assert all(each == whole for each in others)
    assert [energy for part in parts for energy in part] == whole[:15]


def test_a_machine_without_a_library_gets_to_know_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere a C compiler builds one: the error names the command."""
    kernels.cache_clear()
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")

    with pytest.raises(OSError, match="scripts/kernels --native"):
        kernels()


def test_old_processors_get_the_library_that_runs_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AVX2 the plain one is loaded, with it and no AVX-512 the one between; 64-bit ARM has its own,
    whatever it calls itself."""
    monkeypatch.setattr(platform, "machine", lambda: "AMD64")
    for has, wanted in ((set(), "x86_64"), ({"avx2", "avx512f"}, "x86_64_v3")):
        monkeypatch.setattr(native, "_instructions", lambda has=has: frozenset(has))
        assert native.variant() == wanted
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert native.variant() == "aarch64"


@pytest.mark.skipif(len(native.runnable()) < 2, reason="a processor with AVX2 runs several libraries")
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), level_dbfs=st.floats(-110, 0), offset=st.floats(-0.9, 0.9))
def test_frames_are_measured_as_by_numpy(seed: int, level_dbfs: float, offset: float) -> None:
    """To a millionth, with the same bits on old and new processors, also where offset is nearly all of it."""
    samples = noise(0.03, level_dbfs, seed) + np.float32(offset)
    measured, *new = (measure(samples, load(variant)) for variant in native.runnable())

    assert all(each == measured for each in new)
    frame = samples.astype(np.float64)
    assert measured.power == pytest.approx(np.mean(frame**2), rel=1e-6)
    assert measured.mean == pytest.approx(np.mean(frame), rel=1e-5, abs=1e-7)
    assert (measured.lowest, measured.highest) == (frame.min(), frame.max())
    assert measured.level_dbfs == pytest.approx(max(-120, 10 * np.log10(measured.fast_power)), abs=1e-9)


def test_a_needle_is_found_where_it_is() -> None:
    """The last places first, and none where a single sample is astray."""
    hay = noise(1.0, -30, 5)
    needle = hay[700:764].copy()
    for start in (40, 5000, 15_936):
        hay[start : start + 64] = needle
    hay[9000:9064] = needle
    hay[9063] += 0.01

    assert _matches(hay, needle, 1e-6) == [15_936, 5000, 700, 40]
