"""`check --probe` against a real HTTP server with a real (tiny, random) model behind it."""

from pathlib import Path

import pytest

from monitor.classifiers.audio_llm.loading import load
from testkit import tiny_models
from testkit.openai_server import MODEL, OpenAIServer
from tests.cli.test_commands import earwitness, unboxed


def test_each_server_is_asked_and_one_that_is_no_use_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What serves it, how its scores are had and whether it hears; exit code 1 where one puts nothing on the
    letters."""
    folder = tiny_models.qwen2_audio(tmp_path / "model", seed=2)
    model = load(str(folder), device="cpu", dtype="float32", quantize=None, system=None, chat=True)
    config = tmp_path / "house.yaml"
    with OpenAIServer(model) as server:
        server.owner = "vllm"
        block = (
            f"{{type: remote, name: nas, url: '{server.url}', model: {MODEL}, guided: structured_outputs}}"
        )
        config.write_text(
            f"sources: [{{type: demo, name: none}}]\nclassifiers: [{{type: embedded}}, {block}]\n"
        )
        assert earwitness("check", "--probe", "--config", config) == 0
        said = unboxed(capsys.readouterr().err)
        assert "nas: it hears" in said
        assert "engine vllm" in " ".join(said.split())
        assert "held to the letters (structured_outputs)" in said

        config.write_text(config.read_text().replace("guided: structured_outputs", "min_mass: 1"))
        assert earwitness("check", "--probe", "--config", config) == 1
        assert "of the probability" in unboxed(capsys.readouterr().err)
