"""How fast the model is, and how much memory it adds; measured in a process of its own."""

import platform
import time
from pathlib import Path
from typing import Any

import numpy as np


def measure(model: Path) -> dict[str, Any]:
    """Medians on one thread of this machine."""
    import onnxruntime as ort

    from monitor.classifiers.session import open_session

    before_mb = _resident_mb()
    began = time.perf_counter()
    session = open_session(model.read_bytes(), "timing")
    load_s = time.perf_counter() - began
    one_ms = _median_ms(session, 1)
    batch_ms = _median_ms(session, 32) / 32
    return {
        "processor": _processor(),
        "onnxruntime": ort.__version__,
        "load_s": round(load_s, 4),
        "one_ms": round(one_ms, 2),
        "batch_ms": round(batch_ms, 2),
        "memory_mb": round(_resident_mb() - before_mb, 1),
    }


def _median_ms(session: Any, batch: int) -> float:
    wave = np.random.default_rng(0).standard_normal((batch, 16_000)).astype(np.float32)
    times = []
    for _ in range(25):
        began = time.perf_counter()
        session.run(None, {"wave": wave})
        times.append(time.perf_counter() - began)
    return 1000 * float(np.median(times))


def _resident_mb() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
