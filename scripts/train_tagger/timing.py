"""How fast the model is, and how much memory it adds; measured in a process that does nothing else."""

import platform
import time
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.clock import BEGINNING
from monitor.types import Segment, new_id


def measure(model: Path) -> dict[str, Any]:
    """Medians of processor time on this machine, through the classifier as the daemon uses it."""
    classifier = EmbeddedConfig(type="embedded", model=model).build()
    before_mb = _resident_mb()
    began = time.perf_counter()
    classifier.load()
    load_s = time.perf_counter() - began
    one_ms, batch_ms = _median_ms(classifier, 1), _median_ms(classifier, 32) / 32
    return {
        "processor": _processor(),
        "load_s": round(load_s, 4),
        "one_ms": round(one_ms, 2),
        "batch_ms": round(batch_ms, 2),
        "memory_mb": round(_resident_mb() - before_mb, 1),
    }


def _median_ms(classifier: EmbeddedClassifier, batch: int) -> float:
    segments = [second_of_noise(seed) for seed in range(batch)]
    times = []
    for _ in range(25):
        began = time.process_time()  # not by the clock: other programs of the machine do not count
        classifier.classify(segments)
        times.append(time.process_time() - began)
    return 1000 * float(np.median(times))


def second_of_noise(seed: int) -> Segment:
    """A segment to judge, the same for the same seed."""
    noise = 0.1 * np.random.default_rng(seed).standard_normal(SAMPLE_RATE_HZ)
    audio = Audio(noise.astype(np.float32), SAMPLE_RATE_HZ)
    return Segment(new_id(), "timing", BEGINNING, audio, 0.0, -60.0, audio.rms_dbfs, 0.0, "silence")


def _resident_mb() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
