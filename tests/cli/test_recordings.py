"""Recordings on the command line."""

import io
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from monitor.cli.recordings import Bar, recordings


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
