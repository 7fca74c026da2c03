"""Paths of the configuration at which something else lies than a file or a folder."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from testkit.tagger_models import class_list
from tests.cli.test_commands import earwitness, unboxed

HUB = {"type": "hub", "name": "hub"}


def house(folder: Path, **more: Any) -> Path:
    path = folder / "house.yaml"
    values = {"state_dir": str(folder / "state"), "sources": [{"type": "demo", "name": "hall"}], **more}
    path.write_text(yaml.safe_dump(values))
    return path


def options(odd: str, fine: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every path of the configuration, and a configuration that has something odd there."""
    camera = {"type": "stream", "name": "porch", "url": "rtsps://10.0.0.7/1", "ca_file": odd}
    yield "sources[0].path", {"sources": [{"type": "file", "name": "tape", "path": odd}]}
    yield "sources[0].ca_file", {"sources": [camera]}
    yield "classifiers[0].model", {"classifiers": [{"type": "embedded", "model": odd}]}
    for kind in ("onnx", "tflite"):
        whole = {"type": kind, "model": fine, "classes": fine, "calibration": fine}
        for key in ("model", "classes", "calibration"):
            place = "classifiers[0].model" if key == "model" else "classifiers[0]"
            yield place, {"classifiers": [whole | {key: odd}]}
    yield "publishers[0].path", {"publishers": [{"type": "jsonl", "path": odd}]}
    yield "publishers[0].argv", {"publishers": [{"type": "command", "argv": [odd]}]}
    for key in ("ca_file", "cert_file", "key_file"):
        tls = {"cert_file": fine, key: odd}
        yield f"publishers[0].tls.{key}", {"publishers": [{"type": "mqtt", "tls": tls}]}


FOLDERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("classifiers[0].model", {"classifiers": [{"type": "qwen"}]}),
    ("classifiers[0].model", {"classifiers": [HUB]}),
    ("transcripts.model", {"transcripts": {"type": "qwen3_asr"}}),
)


@pytest.fixture(name="odd", params=["pipe", "socket", "folder", "device"])
def _odd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "odd"
    with socket.socket(socket.AF_UNIX) as listening:
        if request.param == "pipe":
            os.mkfifo(path)
        elif request.param == "socket":
            listening.bind(str(path))
        elif request.param == "folder":
            path.mkdir()
        else:
            path = Path("/dev/zero")
        yield path


def test_what_is_no_file_is_named_wherever_it_stands(tmp_path: Path, odd: Path, capsys) -> None:
    """Nothing is opened, for whoever opens a pipe waits for ever: `check` names file, line and place."""
    fine = str(class_list(tmp_path))
    for place, more in options(str(odd), fine):
        assert earwitness("check", "--config", house(tmp_path, **more)) in (0, 78)
        lines = [line for line in capsys.readouterr().err.splitlines() if str(odd) in line]
        assert any(f"{place}: " in line for line in lines), (place, lines)


def test_what_is_no_folder_is_no_model(tmp_path: Path, capsys) -> None:
    """Of models that are named by a hub id or a folder."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "model.safetensors").touch()
    for place, more in FOLDERS:
        for name, words in (("pipe", "is a pipe"), ("model.safetensors", "is a file")):
            part, block = next(iter(more.items()))
            named = {**(block[0] if isinstance(block, list) else block), "model": str(tmp_path / name)}
            given = {part: [named] if isinstance(block, list) else named}
            earwitness("check", "--config", house(tmp_path, **given))
            assert f"{place}: {tmp_path / name} {words}" in unboxed(capsys.readouterr().err)


def test_links_that_lead_nowhere_are_no_state_folder(tmp_path: Path, capsys) -> None:
    """A circle of links, and a link to what is not there: the daemon could make neither."""
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "lost").symlink_to(tmp_path / "not there")
    for place, words in (
        ("circle", "circle of links"),
        ("circle/state", "circle of links"),
        ("lost", "leads nowhere"),
    ):
        assert earwitness("check", "--config", house(tmp_path, state_dir=str(tmp_path / place))) == 0
        assert words in unboxed(capsys.readouterr().err)


def test_a_recording_that_holds_nothing_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy that broke off at once: it is there and can be read, and nothing would ever be heard."""
    tape = tmp_path / "tape.wav"
    tape.touch()
    path = house(tmp_path, sources=[{"type": "file", "name": "tape", "path": str(tape)}])
    assert earwitness("check", "--config", path) == 0
    assert f"sources[0].path: {tape} is empty; the source is offline" in unboxed(capsys.readouterr().err)
    tape.write_bytes(b"RIFF")
    assert earwitness("check", "--config", path) == 0
    assert "is empty" not in capsys.readouterr().err
