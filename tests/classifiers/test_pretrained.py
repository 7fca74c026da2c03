"""What goes wrong around a model is said in one line with the fix."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.classifiers.audio_llm.batching import halving
from monitor.classifiers.pretrained import family_of, inference, loading, pick_device, pick_dtype
from monitor.errors import ClassifyError, ModelError
from testkit import tiny_models


def test_memory_that_runs_out_halves_the_batch() -> None:
    """A batch too large is judged in halves, each once, in order; one segment that does not fit fails."""
    judged: list[list[int]] = []

    def work(items: Sequence[int]) -> int:
        if len(items) > 2 or 9 in items:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
        judged.append(list(items))
        return len(items)

    assert [found for found, _ in halving([1, 2, 3, 4, 5], work)] == [[1, 2], [3], [4, 5]]
    assert judged == [[1, 2], [3], [4, 5]]
    with pytest.raises(RuntimeError, match="out of memory"):
        list(halving([8, 9], work))


def test_a_bug_is_not_taken_for_lack_of_memory() -> None:
    """Any other error goes up at once and the batch is not tried again."""
    tried = []

    def work(items: Sequence[int]) -> int:
        tried.append(items)
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        list(halving([1, 2], work))
    assert len(tried) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB\nmore"), "set a smaller batch_size"),
        (MemoryError(), "set a smaller batch_size"),
        (RuntimeError("CUDA error: device-side assert triggered\nCUDA kernel"), "restart earwitness"),
    ],
)
def test_errors_of_the_machine_are_one_line_with_the_fix(error: Exception, words: str) -> None:
    """Out of memory and a broken GPU name the model, the segments and what to do."""
    with pytest.raises(ClassifyError, match=words) as said, inference("qwen", "0123456789ab"):
        raise error
    assert "0123456789ab" in str(said.value)
    assert "\n" not in str(said.value)


def test_errors_of_ours_go_up_as_they_are() -> None:
    """A bug keeps its own type and traceback."""
    with pytest.raises(KeyError), inference("qwen", "0123456789ab"):
        raise KeyError("x")
    with pytest.raises(RuntimeError, match="shapes"), inference("qwen", "0123456789ab"):
        raise RuntimeError("shapes do not match")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError("No module named 'torch'"), r"No module named 'torch'; `scripts/setup --qwen`"),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] can't allocate memory"), "too little memory"),
        (OSError("unable to mmap 9 bytes from file <x>: Cannot allocate memory (12)"), "too little memory"),
        (OSError("nobody/x is not a local folder\nand is not a valid model"), "HF_HUB_OFFLINE is set"),
        (ValueError("weights are odd"), r"cannot be loaded \(ValueError: weights are odd\)"),
    ],
)
def test_a_model_that_cannot_be_loaded_says_why_and_what_to_do(error: Exception, words: str) -> None:
    """Whatever a loader raises becomes a ModelError of one line."""
    with pytest.raises(ModelError, match=words) as said, loading("nobody/x"):
        raise error
    assert str(said.value).startswith("nobody/x: ")
    assert "\n" not in str(said.value)


def test_a_device_that_is_not_there_is_named() -> None:
    """No machine has both kinds of GPU: the one that is missing is named, with what to write instead."""
    import torch

    missing = "mps" if torch.cuda.is_available() or not torch.backends.mps.is_available() else "cuda:1"

    with pytest.raises(ModelError, match=f"device '{missing}'.*write device: auto"):
        pick_device(missing)


def test_the_best_device_and_number_format_are_chosen() -> None:
    """auto takes a GPU where there is one; a CPU computes in float32; what is asked for is taken."""
    import torch

    assert pick_device("auto").startswith("cuda") == torch.cuda.is_available()
    assert pick_device("cpu") == "cpu"
    assert pick_dtype("auto", "cpu") == torch.float32
    assert pick_dtype("bfloat16", "cpu") == torch.bfloat16


OPEN_ALL = """
import sys
from monitor.classifiers.audio_llm.qwen import QwenConfig
from monitor.errors import ModelError
for model in sys.argv[1:]:
    classifier = QwenConfig(type="qwen", model=model, device="cpu", labels=["cough"]).build()
    try:
        classifier.load()
        print(f"{model} is heard")
    except ModelError as error:
        print(error)
"""


def opened_from_cache(cache: Path, hub: str, *models: str) -> list[str]:
    """What loading each of these says, in a process whose cache and hub are these."""
    environment = {name: value for name, value in os.environ.items() if "OFFLINE" not in name}
    environment |= {"HF_HOME": str(cache), "HF_ENDPOINT": hub, "NO_PROXY": "*"}
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ALL, *models], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_a_cached_model_needs_no_hub(tmp_path: Path) -> None:
    """What the cache holds is opened without asking a hub, which may be down; what it holds in part names
    the command that completes it. Nobody calls the hub here, which would never answer."""
    whole, torn = (tmp_path / "hub" / f"models--me--{name}" for name in ("whole", "torn"))
    tiny_models.qwen2_audio(whole / "snapshots" / "0")
    (whole / "refs").mkdir()
    (whole / "refs" / "main").write_text("0")
    shutil.copytree(whole, torn)
    (torn / "snapshots" / "0" / "tokenizer.json").unlink()

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hub = f"http://127.0.0.1:{silent.getsockname()[1]}"
        heard, broken = opened_from_cache(tmp_path, hub, "me/whole", "me/torn")
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()

    assert heard == "me/whole is heard"
    assert broken.startswith("me/torn: its copy in the local cache cannot be read")
    assert broken.endswith("`hf download me/torn` fetches what is missing")


def test_a_folder_shows_its_family(tmp_path: Path) -> None:
    """By its config.json; a folder without a readable one tells nothing."""
    (tmp_path / "config.json").write_text('{"model_type": "qwen2_audio"}')

    assert family_of(tmp_path) == "qwen2_audio"
    (tmp_path / "config.json").write_text("[]")
    assert family_of(tmp_path) is None
    assert family_of(tmp_path / "none") is None
