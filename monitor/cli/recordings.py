"""Recordings on the command line: which ones, how results are printed, how far it has come."""

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli.console import err

AUDIO_SUFFIXES = frozenset(
    {".3gp", ".aac", ".aif", ".aiff", ".amr", ".au", ".flac", ".m4a", ".mkv", ".mov", ".mp3", ".mp4", ".ogg"}
    | {".opus", ".ts", ".wav", ".webm", ".wma"}
)
"""What is taken from a folder; a file that is named is always tried."""


HEARD_EVERY_S = 10.0


class OutputFormat(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSONL = "jsonl"


Files = Annotated[list[Path], typer.Argument(help="Recordings or folders of them; any format FFmpeg reads.")]
FormatOption = Annotated[
    OutputFormat, typer.Option("--format", "-f", help="For people, or one JSON object a line.")
]


def recordings(files: Iterable[Path], empty: Callable[[str], None]) -> Iterator[Path]:
    """The files, and of folders what looks like sound, in order of name. `empty` is given a line about each
    folder without any: no output would look like a quiet night."""
    for path in files:
        if not path.is_dir():
            yield path
            continue
        # A network folder of a year takes minutes to walk.
        with err.status(f"Looking for recordings in {escape(str(path))}"):
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file())
        if not found:
            empty(f"{path}: no recording is in this folder; name the files themselves")
        yield from found


def check_output(file: Path | None, option: str) -> None:
    """Before an hour of work, not after it."""
    if file is not None and not os.access(file.parent, os.W_OK):
        raise typer.BadParameter(f"{file.parent} is no folder that can be written", param_hint=option)


PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp")
MISSING_EXTRA = "drawing needs the package matplotlib: pip install 'earwitness[plot]'"


def check_picture(file: Path | None, option: str) -> None:
    """The same for a picture, whose kind its name says."""
    check_output(file, option)
    if file is not None and file.suffix.lower() not in PICTURES:
        raise typer.BadParameter(f"{file.name} must end in one of {' '.join(PICTURES)}", param_hint=option)
    if file is not None and find_spec("matplotlib") is None:
        raise typer.BadParameter(MISSING_EXTRA, param_hint=option)


class Bar:
    """A progress bar on a terminal: how many recordings are done, and how much of a long one."""

    def __init__(self, console: Console = err) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("listening", total=None)
        self._shown_s = 0.0

    def over(self, results: Iterable[Any], total: int | None) -> Iterator[Any]:
        """Pass results on."""
        with self._progress:
            yield from self._progress.track(results, total=total, task_id=self._task)

    def heard(self, path: Path, until_s: float) -> None:
        """Show how far a recording has been heard, every ten seconds of its own time."""
        if until_s < self._shown_s or until_s >= self._shown_s + HEARD_EVERY_S:
            self._shown_s = until_s
            words = f"{escape(path.name)}  {timedelta(seconds=int(until_s))}"
            self._progress.update(self._task, description=words)


def with_progress(results: Iterable[Any], total: int | None) -> Iterator[Any]:
    """Pass results on under a progress bar."""
    return Bar().over(results, total)
