"""Opening an ONNX model: one thread, CPU, and an error that names the fix."""

import os
from pathlib import Path
from typing import Any

from monitor.errors import ModelError


def open_session(model: Path, name: str) -> Any:
    """An `onnxruntime.InferenceSession` on one thread. ModelError when the model cannot be opened.

    One thread, because several classifiers and a large model share a small computer, and a window takes
    milliseconds.
    """
    ort = _quiet_onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # it keeps the largest batch's 20 MB for ever and is no faster
    options.log_severity_level = 3  # its warnings are about graph details that an owner cannot act on
    try:
        return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime derives its exceptions from Exception directly, one class per status code.
        raise ModelError(f"{name}: not a model that onnxruntime can open ({_brief(error)})") from error


def _quiet_onnxruntime() -> Any:
    """onnxruntime without telemetry, which must be set before it loads: otherwise it reports to its makers,
    and writes an id of this machine into the home directory."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return onnxruntime


def _brief(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0][:200]
