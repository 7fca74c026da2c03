"""classify, describe and ask with models that are named on the command line."""

import io
import json
import subprocess
from pathlib import Path

import numpy as np
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
def test_a_word_that_names_no_model_is_answered_with_what_there_is(clip, word, capsys):
    """The classifiers of the configuration, and models of the hub as examples; nothing is fetched."""
    assert earwitness("classify", "--model", word, clip) == 2
    said = unboxed(capsys.readouterr().err)
    assert f"'{word}' is no classifier of the configuration (embedded)" in said
    assert "Qwen/Qwen2-Audio-7B-Instruct" in said


def test_a_transcriber_names_its_place(clip, tmp_path, capsys):
    """Qwen3-ASR is no classifier, and the message says where it belongs."""
    assert earwitness("classify", "--model", tiny_models.qwen3_asr(tmp_path / "asr"), clip) == 1
    assert "name it under `transcripts:`" in capsys.readouterr().err


def test_what_is_said_is_written_down_with_times(tmp_path, capsys):
    """By the transcriber of the configuration; each word with its time by the aligner."""
    clip = recorded(tmp_path / "clip.wav", noise(2.0, -20))
    asr = tiny_models.qwen3_asr(tmp_path / "asr", seed=5)
    aligner = tiny_models.qwen3_aligner(tmp_path / "aligner")
    config = tmp_path / "house.yaml"
    config.write_text(
        "sources: [{type: demo, name: none}]\n"
        f"transcripts: {{type: qwen3_asr, model: {asr}, aligner: {aligner}, device: cpu, language: en,"
        " max_new_tokens: 12}\n"
    )
    assert earwitness("transcribe", "--config", config, clip) == 0
    said = capsys.readouterr().out.strip()
    assert len(said) > 3
    assert earwitness("transcribe", "--config", config, "--timestamps", "--format", "jsonl", clip) == 0
    words = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert words
    assert all(each["word"] in said and 0 <= each["start_s"] <= each["end_s"] <= 2 for each in words)


def test_without_a_transcriber_nothing_is_written_down(clip, tmp_path, capsys):
    """The message names the block; a server has no aligner."""
    config = tmp_path / "house.yaml"
    config.write_text("sources: [{type: demo, name: none}]\n")
    assert earwitness("transcribe", "--config", config, clip) == 2
    assert "transcripts: block of type qwen3_asr or remote" in unboxed(capsys.readouterr().err)
    config.write_text(
        "sources: [{type: demo, name: none}]\n"
        "transcripts: {type: remote, url: 'http://10.0.0.5/v1', model: m, send_speech: true}\n"
    )
    assert earwitness("transcribe", "--config", config, "--timestamps", clip) == 2
    assert "transcripts: block of type qwen3_asr" in unboxed(capsys.readouterr().err)


def test_a_long_recording_is_described_in_parts_and_as_a_whole(tmp_path, qwen, capsys):
    """A minute is more than the model hears at once: every part with its time, then a summary."""
    clip = recorded(tmp_path / "long.wav", noise(61, -20))
    assert earwitness("describe", "--model", qwen, "--format", "jsonl", clip) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(round(part["start_s"]), round(part["end_s"])) for part in found["parts"]] == [
        (0, 20),
        (20, 41),
        (41, 61),
    ]
    assert isinstance(found["summary"], str)


def test_music_is_described_in_fields(clip, qwen, capsys):
    """One answer each, under its name."""
    assert earwitness("describe", "--music", "--model", qwen, "--format", "jsonl", clip) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"genre", "instruments", "tempo", "mood"}


def test_without_a_question_what_is_said_is_answered(clip, qwen, capsys):
    """Voice chat with a recording: not the answer to any question."""
    assert earwitness("ask", "--model", qwen, clip) == 0
    assert earwitness("ask", "--model", qwen, clip, "What happened here?") == 0
    chatted, answered = capsys.readouterr().out.splitlines()
    assert chatted != answered


def test_somebody_who_speaks_is_answered(tmp_path, qwen, capsys, monkeypatch):
    """What is said after Enter is answered; where nobody speaks, that is said; the end of input ends it."""
    spoken, silent = tmp_path / "spoken.wav", tmp_path / "silent.wav"
    speak = ["espeak-ng", "-w", str(spoken), "Is anybody at the door? Please open it."]
    subprocess.run(speak, check=True, timeout=60)
    recorded(silent, np.zeros(32000, np.float32))
    config = tmp_path / "house.yaml"
    config.write_text(
        f"sources: [{{type: file, name: desk, path: {spoken}}}, {{type: file, name: hall, path: {silent}}}]\n"
        f"classifiers: [{{type: embedded}}, {{type: qwen, model: {qwen}, max_new_tokens: 8}}]\n"
    )
    for source, shown in (("desk", ""), ("hall", "Nobody spoke.")):
        monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
        assert earwitness("chat", "--config", config, "--quiet", "--source", source) == 0
        said = capsys.readouterr()
        assert shown in said.err
        assert bool(said.out.strip()) == (source == "desk")
