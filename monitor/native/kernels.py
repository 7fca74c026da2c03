"""The compiled kernels of this machine, loaded once. Calls keep Python's lock, for they take microseconds;
the sound model's let it go.

The C sources lie beside this file. `scripts/kernels` builds the libraries; whoever installs earwitness never
needs it. All libraries give the same bits, but for the sound model's.
"""

import ctypes
import hashlib
import platform
from functools import cache
from itertools import islice
from pathlib import Path

FOLDER = Path(__file__).parent
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Other names of the machines that we build for."""
_LEVELS = {
    "v3": frozenset({"avx2"}),
    "v4": frozenset({"avx2", "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
}
"""Levels of x86-64 that we also build for, and by what a processor shows that it has them."""


@cache
def kernels() -> ctypes.PyDLL:
    """The library for this machine. OSError, naming the fix, where there is none."""
    return load(variant())


def load(variant: str) -> ctypes.PyDLL:
    """The library of one kind of machine, its functions ready to be called. OSError with the fix where it
    cannot be loaded."""
    file = _file(variant)
    try:
        library = ctypes.PyDLL(str(file))
    except OSError as error:
        raise OSError(
            f"{file} cannot be loaded ({error}); earwitness comes built for Linux on x86-64 and 64-bit ARM; "
            "elsewhere run `scripts/kernels --native` (it needs a C compiler)"
        ) from error
    library.put_rows.argtypes = [ctypes.c_void_p] * 7
    library.find_places.argtypes = [ctypes.c_void_p, *[ctypes.c_int32] * 5, *[ctypes.c_void_p] * 2]
    library.measure.argtypes = [
        *(ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p),
        *(ctypes.c_double, ctypes.c_void_p),
    ]
    library.measure.restype = None
    library.listen.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    library.tonal_share.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    library.flatness.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    library.tonal_share.restype = library.flatness.restype = ctypes.c_double
    library.find_needle.argtypes = [
        *(ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p),
        *(ctypes.c_float, ctypes.c_void_p, ctypes.c_int32),
    ]
    library.weigh.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32, *[ctypes.c_void_p] * 5]
    library.weigh.restype = None
    library.widest_frame.argtypes = [ctypes.c_void_p, ctypes.c_int32]
    library.find_period.argtypes = [ctypes.c_void_p, ctypes.c_float, ctypes.c_float]
    return library


@cache
def network_kernels(variant: str) -> ctypes.CDLL:
    """The sound model's, of one kind of machine. They take milliseconds, and let others run meanwhile."""
    library = ctypes.CDLL(str(_file(variant)))
    library.hear.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p]
    library.hear.restype = None
    return library


def _file(variant: str) -> Path:
    return FOLDER / f"kernels-{variant}.so"


def digest() -> str:
    """Of the C sources; each library carries that of the sources it was built from."""
    files = sorted((*FOLDER.glob("*.c"), *FOLDER.glob("*.h")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def variant() -> str:
    """Which library this machine takes."""
    return runnable()[-1]


def runnable() -> list[str]:
    """The libraries that this machine can take, the fastest last."""
    machine = platform.machine().lower()
    machine = _MACHINES.get(machine, machine)
    if machine != "x86_64":
        return [machine]
    has = _instructions()
    return [machine, *(f"{machine}_{level}" for level, needed in _LEVELS.items() if needed <= has)]


def _instructions() -> frozenset[str]:
    """What the processor has beyond the oldest x86-64, as Linux calls it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="ascii", errors="replace") as lines:
            flags = next((line for line in islice(lines, 40) if line.startswith("flags")), "")
    except OSError:
        return frozenset()
    return frozenset(flags.split())
