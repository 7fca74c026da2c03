"""classify, describe and ask with models that are named on the command line."""

import json
from pathlib import Path

import pytest

from testkit import tiny_models
from testkit.builders import noise
from tests.cli.test_commands import earwitness, recorded, unboxed


@pytest.fixture(name="clip")
def _clip(tmp_path: Path) -> Path:
    return recorded(tmp_path / "clip.wav", noise(1.5, -20))


@pytest.fixture(name="qwen", scope="module")
def _qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name does not give its family away."""
    return tiny_models.qwen2_audio(tmp_path_factory.mktemp("large"))


def test_a_folder_is_known_by_its_family(clip, qwen, capsys):
    """A Qwen model classifies, describes and answers, whatever its folder is called."""
    assert earwitness("classify", "--format", "jsonl", "--model", qwen, clip) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "qwen"
    assert earwitness("describe", "--model", qwen, clip) == 0
    assert earwitness("ask", "--model", qwen, clip, "What happened here?") == 0
    described, answered = capsys.readouterr().out.splitlines()
    assert described != answered


def test_a_tagger_of_emotions_shows_what_it_heard(clip, tmp_path, capsys):
    """As text, too: its scores alone would be zeros."""
    folder = tiny_models.wav2vec2(tmp_path / "feeling", ["ang", "hap", "neu", "sad"])
    assert earwitness("classify", "--model", folder, clip) == 0
    assert "emotion: " in capsys.readouterr().out


def test_a_model_without_words_is_not_asked(clip, tmp_path, capsys):
    """Neither the embedded one nor a tagger can answer; the message names one that can."""
    for model in ("embedded", tiny_models.ast(tmp_path / "ast", ["Speech"])):
        assert earwitness("ask", "--model", model, clip, "What?") == 2
        assert "has no words; name a Qwen audio model" in unboxed(capsys.readouterr().err)


@pytest.mark.parametrize("word", ["nosuch", "qwen"])
def test_a_word_that_names_no_model_is_told_what_there_is(clip, word, capsys):
    """The classifiers of the configuration, and models of the hub as examples; nothing is fetched."""
    assert earwitness("classify", "--model", word, clip) == 2
    said = unboxed(capsys.readouterr().err)
    assert f"'{word}' is no classifier of the configuration (embedded)" in said
    assert "Qwen/Qwen2-Audio-7B-Instruct" in said


def test_a_transcriber_names_its_place(clip, tmp_path, capsys):
    """Qwen3-ASR is no classifier, and the message says where it belongs."""
    assert earwitness("classify", "--model", tiny_models.qwen3_asr(tmp_path / "asr"), clip) == 1
    assert "name it under `transcripts:`" in capsys.readouterr().err
