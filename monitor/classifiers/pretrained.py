"""Loading models that other people trained: from a folder or the Hugging Face hub, never running their code.

Weights are read as safetensors only: a pickle can run anything.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from monitor.errors import ClassifyError, ModelError
from monitor.logs import get_logger

log = get_logger()

Device = Annotated[str, Field(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")]
"""Where a model runs: auto, cpu, mps, cuda or cuda:1."""
Dtype = Literal["auto", "float32", "bfloat16", "float16"]


def offline() -> bool:
    """Whether HF_HUB_OFFLINE (or TRANSFORMERS_OFFLINE) forbids the hub."""
    return any(os.environ.get(name, "").upper() in {"1", "ON", "YES", "TRUE"} for name in _OFFLINE)


_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")


def safe(model: str) -> dict[str, Any]:
    """The arguments without which nothing is loaded here. What lies on this machine is read without asking
    the hub: a start at night must not wait for it."""
    return {"trust_remote_code": False, "local_files_only": offline() or is_here(model)}


def is_here(model: str) -> bool:
    """Whether `model` is a folder, or the cache of the hub holds its configuration and all its weights."""
    if os.path.isdir(model):
        return True
    try:
        index = _cached(model, "model.safetensors.index.json")
        names = set(json.loads(index.read_text())["weight_map"].values()) if index else {"model.safetensors"}
        return all(_cached(model, name) for name in ("config.json", *names))
    except (ValueError, KeyError, OSError):  # no hub id, or an index that cannot be read
        return False


def family_of(folder: Path) -> str | None:
    """The `model_type` that a model's folder names; None where there is no such folder or name."""
    try:
        named = json.loads((folder / "config.json").read_text())["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return named if isinstance(named, str) else None


def _cached(model: str, name: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(model, name)
    return Path(found) if isinstance(found, str) else None


def open_weights(model_class: Any, model: str, **more: Any) -> Any:
    """The model with its weights, ready to judge. ModelError when some are missing: transformers would go on
    with random ones, and the model's scores would be random."""
    loaded, found = model_class.from_pretrained(
        model, use_safetensors=True, output_loading_info=True, **more, **safe(model)
    )
    if absent := [*found["missing_keys"], *found["mismatched_keys"]]:
        raise ModelError(f"{model}: {len(absent)} weights missing, such as {absent[0]}; download it again")
    return loaded.eval()


def pick_device(wanted: str) -> str:
    """`wanted`, or the best device there is for "auto". ModelError when it is not there."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError(
            f"device {wanted!r}: PyTorch finds no CUDA GPU here; write device: auto or device: cpu"
        )
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise ModelError("device 'mps': there is no Apple GPU here; write device: auto or device: cpu")
    return wanted


def pick_dtype(wanted: Dtype, device: str) -> Any:
    """The torch dtype; "auto": bfloat16 on GPUs that compute in it, float32 elsewhere. Never float16 unasked:
    these models were trained in bfloat16, whose range it lacks, and overflow in it."""
    import torch

    if wanted != "auto":
        return getattr(torch, wanted)
    return torch.bfloat16 if _computes_in_bfloat16(device) else torch.float32


def _computes_in_bfloat16(device: str) -> bool:
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "mps":
        return False
    try:  # macOS before 14 has no bfloat16 on its GPU
        return bool(torch.ones(1, dtype=torch.bfloat16, device=device).add(1).isfinite().all())
    except (RuntimeError, TypeError):
        return False


def limit_threads(threads: int | None) -> None:
    """Bound the CPU threads of PyTorch, for the whole process."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def quiet() -> None:
    """Keep progress bars and retries out of the log: we log their result once."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


@contextmanager
def loading(model: str) -> Iterator[None]:
    """Turn whatever goes wrong while `model` is loaded into one ModelError that names the fix."""
    # Read when huggingface_hub is imported: it would report to its makers what runs here, and wait for them.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        with warnings.catch_warnings():
            # AST has more mel bands than its FFT can fill; its makers' extractor warns of it each time.
            warnings.filterwarnings("ignore", "At least one mel filter has all zero values")
            _warn_if_fetching(model)
            yield
    except ModelError:
        raise
    except ImportError as error:
        if "pip install" in str(error):  # transformers names the package itself
            raise ModelError(f"{model}: {_first_line(error)}") from error
        raise ModelError(
            f"{model}: {_first_line(error)}; `scripts/setup --qwen` (or `pip install '.[qwen]'` in the "
            "checkout) brings what large models need"
        ) from error
    except Exception as error:
        # Of every kind: a damaged folder fails in whichever library reads the damaged file.
        raise ModelError(f"{model}: {_loading_fix(model, error)}") from error


def _warn_if_fetching(model: str) -> None:
    if not offline() and not _is_path(model) and not is_here(model):
        log.warning(
            "not on this machine yet: fetching it from the Hugging Face hub",
            model=model,
            progress=f"stop this and run `hf download {model}` to see it",
        )


def _loading_fix(model: str, error: Exception) -> str:
    if is_out_of_memory(error):
        return "too little memory to load it; choose a smaller model, `quantize: int8`, or a remote server"
    if os.path.isdir(model):
        return f"the folder cannot be read as a model ({_first_line(error)}); download it again"
    if _is_path(model):
        return "there is no such folder; check the path and that this user may read it"
    if is_here(model):
        return (
            f"its copy in the local cache cannot be read ({_first_line(error)}); `hf download {model}` "
            "fetches what is missing"
        )
    if not isinstance(error, OSError):
        return f"cannot be loaded ({type(error).__name__}: {_first_line(error)})"
    if offline():
        return (
            "not in the local cache, and HF_HUB_OFFLINE is set; unset it or fetch it once with "
            f"`hf download {model}`"
        )
    return _hub_fix(model, error)


def _is_path(model: str) -> bool:
    return model.startswith(("/", "./", "../", "~")) or os.path.isdir(model)


def _hub_fix(model: str, error: Exception) -> str:
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error.__cause__, LocalEntryNotFoundError):
        return (
            "not in the local cache, and the Hugging Face hub cannot be reached; check the network, or name "
            "the folder of a copy"
        )
    return f"the hub does not give it ({_first_line(error)}); check the name, and HF_TOKEN for gated models"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` means that memory ran out, on the host or on an accelerator: torch, safetensors and the
    operating system each have a type and words of their own for it."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(
        words in text for words in ("out of memory", "allocate memory", "alloc_cpu")
    )


@contextmanager
def inference(model: str, segment_ids: str) -> Iterator[None]:
    """Turn what goes wrong while `model` judges sound into one ClassifyError that names the fix.

    Only errors of the machine are turned; what is wrong with our own code goes up as it is.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            fix = "out of memory; set a smaller batch_size, `quantize: int8`, or device: cpu"
        elif "cuda" in str(error).lower() or type(error).__name__ == "AcceleratorError":
            fix = f"the GPU failed ({_first_line(error)}); restart earwitness; if it recurs, check the driver"
        else:
            raise
        raise ClassifyError(f"{model}: segments {segment_ids}: {fix}") from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
