"""Recordings on the command line."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from monitor.cli.recordings import Bar, recordings
from testkit.odd_recordings import (
    STRETCH_S,
    estimated_length,
    over_a_jump,
    without_table,
    wrong_byte_rate,
)
from tests.cli.test_commands import earwitness


def listened(console: Console, bar: Bar) -> list[str]:
    """What a recording of two minutes comes to, and how far the bar got."""

    def results() -> Iterator[str]:
        for second in range(120):
            bar.heard(Path("night[1].flac"), float(second))
        yield "heard"

    return list(bar.over(results(), 1))


def test_a_long_recording_shows_progress():
    """How much of it has been heard, every ten seconds of its own time; brackets in its name survive."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100)
    assert listened(console, Bar(console)) == ["heard"]
    assert "night[1].flac  0:01:50" in screen.getvalue()


def test_without_a_terminal_there_is_no_bar():
    """A file of errors holds nothing else."""
    screen = io.StringIO()
    console = Console(file=screen)
    assert listened(console, Bar(console)) == ["heard"]
    assert screen.getvalue() == ""


def test_a_folder_without_recordings_stops_no_other(tmp_path: Path):
    """It is named, and the files before and after it are taken."""
    empty: list[str] = []
    (tmp_path / "none").mkdir()
    files = [Path("a.wav"), tmp_path / "none", Path("b.wav")]
    assert list(recordings(files, empty.append)) == [Path("a.wav"), Path("b.wav")]
    assert empty == [f"{tmp_path / 'none'}: no recording is in this folder; name the files themselves"]


def test_odd_recordings_are_classified_and_evaluated(tmp_path: Path, capsys):
    """Estimated lengths, a wrong byte rate, a jump of time: each gets its scores over all of its sound, in
    `classify` as in `eval`, exit code 0; what is wrong with one is a warning."""
    odd = {
        estimated_length(tmp_path / "adts.aac", 10): 13.0,
        without_table(tmp_path / "vbr.mp3", 10): 13.0,
        wrong_byte_rate(tmp_path / "rate.wav"): 2.0,
        over_a_jump(tmp_path / "jump.ts"): 2 * STRETCH_S,
    }
    assert earwitness("classify", "--format", "jsonl", *odd) == 0
    shown = capsys.readouterr()
    rows = {Path(row["file"]): row for row in map(json.loads, shown.out.splitlines())}
    assert rows.keys() == odd.keys()
    for path, row in rows.items():
        assert row["duration_s"] == pytest.approx(odd[path], abs=0.5), path
        assert len(row["scores"]) > 20
        assert max(row["scores"].values()) > 0
    assert "rate.wav" in shown.err

    manifest = tmp_path / "clips.csv"
    manifest.write_text("path,labels\n" + "".join(f"{path.name},\n" for path in odd))
    figures = tmp_path / "figures.json"
    assert earwitness("eval", manifest, "--json", figures) == 0
    [hours] = {each["hours"] for each in json.loads(figures.read_text())["false_events"].values()}
    assert hours * 3600 == pytest.approx(sum(odd.values()), abs=2)
