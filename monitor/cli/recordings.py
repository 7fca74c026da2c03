"""Recordings on the command line: which ones, how results are printed, how far it has come."""

import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli.console import err
from monitor.errors import SourceUnavailable

AUDIO_SUFFIXES = frozenset(
    {".3gp", ".aac", ".aif", ".aiff", ".amr", ".au", ".flac", ".m4a", ".mkv", ".mov", ".mp3", ".mp4", ".ogg"}
    | {".opus", ".ts", ".wav", ".webm", ".wma"}
)
"""What is taken from a folder; a file that is named is always tried."""


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSONL = "jsonl"


Files = Annotated[list[Path], typer.Argument(help="Recordings or folders of them; any format FFmpeg reads.")]
FormatOption = Annotated[
    Format, typer.Option("--format", "-f", help="For people, or one JSON object a line.")
]


def recordings(files: Iterable[Path]) -> Iterator[Path]:
    """The files, and of folders what looks like sound, in order of name. Raises SourceUnavailable for a
    folder without any: no output would look like a quiet night."""
    for path in files:
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file())
        if not found:
            raise SourceUnavailable(f"{path}: no recording is in this folder; name the files themselves")
        yield from found


def check_output(file: Path | None, option: str) -> None:
    """Before an hour of work, not after it."""
    if file is not None and not os.access(file.parent, os.W_OK):
        raise typer.BadParameter(f"{file.parent} is no folder that can be written", param_hint=option)


def with_progress(results: Iterable[Any], total: int | None) -> Iterator[Any]:
    """Pass results on under a progress bar on standard error, if that is a terminal."""
    if not err.is_terminal:
        yield from results
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield from progress.track(results, total=total, description="listening")
