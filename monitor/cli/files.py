"""Commands for recordings: analyze, classify, eval, describe, ask."""

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli.console import ConfigOption, chosen_config, err, fail, out

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


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Recordings")(analyze)
    app.command(rich_help_panel="Recordings")(classify)


def analyze(
    files: Files,
    config: ConfigOption = None,
    format: FormatOption = Format.TEXT,
    source: Annotated[
        str, typer.Option("--as", help="Hear them as this configured source: its gate, thresholds, rules.")
    ] = "file",
    plot: Annotated[
        Path | None, typer.Option(help="Draw level, spectrogram, scores and events of one recording (PNG).")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-j", min=1, help="Processes; by default one per core.")
    ] = None,
) -> None:
    """Run the whole pipeline over recordings: what would the daemon have heard?

    The same code as `run`, faster than real time. A file that cannot be read is one line of error; the
    others are still done, and the exit code is 1.

    [bold]Examples[/bold]

      earwitness analyze night.flac
      earwitness analyze --format jsonl clips/ > events.jsonl
      earwitness analyze --plot night.png night.flac
    """
    from monitor.analysis import Analysis, analyze_all
    from monitor.analysis import analyze as analyze_one
    from monitor.assembly import load_listeners
    from monitor.config import default_config

    given, _ = chosen_config(config)
    settings = given or default_config([{"type": "demo", "name": "demo"}])
    paths = list(_recordings(files))
    if plot is not None:
        if len(paths) != 1:
            raise typer.BadParameter("--plot draws one recording; name just one")
        from monitor.plotting import plot_analysis

        results: Iterable[Analysis] = [
            plot_analysis(paths[0], settings, load_listeners(settings), source, plot)
        ]
    elif len(paths) == 1 or workers == 1:
        listeners = load_listeners(settings)
        results = (analyze_one(path, settings, listeners, source) for path in paths)
    else:
        results = analyze_all(paths, settings, source, workers)
    failed = False
    for result in _with_progress(results, len(paths)):
        _print(result.rows, format)
        if result.error:
            failed = True
            fail(result.error)
    if failed:
        raise typer.Exit(1)


def classify(
    files: Files,
    config: ConfigOption = None,
    format: FormatOption = Format.TEXT,
    model: Annotated[
        str | None,
        typer.Option(help="Name of a classifier of the configuration; by default the embedded one."),
    ] = None,
    frames: Annotated[bool, typer.Option("--frames", help="Also the scores of every window.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many labels to show as text.")] = 5,
) -> None:
    """Ask a classifier alone what is in a recording: scores per label, the maximum over its windows."""
    from monitor.classification import classify_recording

    classifier = _classifier(config, model)
    failed = False
    for path in _with_progress(list(_recordings(files)), None):
        result = classify_recording(path, classifier)
        if isinstance(result, str):
            failed = True
            fail(result)
        elif format is Format.JSONL:
            typer.echo(json.dumps(result.row(with_frames=frames)))
        else:
            best = ", ".join(f"{label} {score:.2f}" for label, score in result.best(top))
            out.print(f"{path}: {best}", highlight=False)
    if failed:
        raise typer.Exit(1)


def _classifier(config: Path | None, name: str | None) -> Any:
    """The named classifier of the configuration, or the first; loaded."""
    from monitor.config import default_config

    given, _ = chosen_config(config)
    settings = given or default_config([{"type": "demo", "name": "demo"}])
    blocks = {block.name: block for block in settings.classifiers}
    if name is not None and name not in blocks:
        raise typer.BadParameter(f"no classifier {name!r}; there are: {', '.join(blocks) or 'none'}")
    if not blocks:
        raise typer.BadParameter("the configuration has no classifier")
    classifier = blocks[name or next(iter(blocks))].build()
    classifier.load()
    return classifier


def _recordings(files: Iterable[Path]) -> Iterator[Path]:
    """The files, and of folders what looks like sound, in order of name."""
    for path in files:
        if path.is_dir():
            yield from sorted(
                p for p in path.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES and p.is_file()
            )
        else:
            yield path


def _with_progress(results: Iterable[Any], total: int | None) -> Iterator[Any]:
    """Pass results on under a progress bar on standard error, if that is a terminal."""
    if not err.is_terminal:
        yield from results
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        yield from progress.track(results, total=total, description="listening")


def _print(rows: Iterable[dict[str, Any]], format: Format) -> None:
    for row in rows:
        if format is Format.JSONL:
            typer.echo(json.dumps(row))
        elif row["type"] == "event":
            out.print(
                f"{row['file']}  {row['start_s']:8.2f} - {row['end_s']:8.2f} s  [bold]{row['label']}[/bold]  "
                f"{row['score']:.2f}  {row['certainty']}",
                highlight=False,
            )
        else:
            style = {"critical": "bold red", "warning": "yellow"}.get(row["severity"], "cyan")
            what = f"[{style}]{row['severity'].upper()}: {row['rule']}[/{style}]"
            out.print(f"{row['file']}  {row['start_s']:8.2f} s  {what}", highlight=False)
