"""What figures were measured on."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """Processor, cores and Python, without a name of the host."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.split(":")[1].strip() for line in cpu.splitlines() if "model name" in line), "a CPU")
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python {platform.python_version()}"
