"""The command `analyze`: the whole pipeline over recordings."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from monitor.cli.console import ConfigOption, config_in_force, fail, out, warn
from monitor.cli.recordings import Bar, Files, FormatOption, OutputFormat, check_picture, recordings
from monitor.cli.sigint import quits_at_once
from monitor.config.model import Config
from monitor.labels import did_you_mean
from monitor.types import Detection, Findings, Frame

if TYPE_CHECKING:
    from monitor.recordings.analysis import Analysis, Watch

SOURCE = "file"
"""What recordings are heard as unless `--as` names a source."""
_STYLES = {"critical": "bold red", "warning": "yellow", "info": "cyan"}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Recordings")(analyze)


def analyze(
    files: Files,
    config: ConfigOption = None,
    format: FormatOption = OutputFormat.TEXT,
    source: Annotated[
        str, typer.Option("--as", help="Hear them as this configured source: its gate, thresholds, rules.")
    ] = SOURCE,
    plot: Annotated[
        Path | None, typer.Option(help="Draw level, spectrogram, scores and events of one recording (PNG).")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", "-j", min=1, help="Processes; by default one per core.")
    ] = None,
) -> None:
    """Run the whole pipeline over recordings: what would the daemon have heard?

    It uses the same code as `run`, faster than real time. If a file cannot be read, there is one line of
    error, the others are still done, and the exit code is 1. It warns of sound that is dead or clipped.

    [bold]Examples[/bold]

      earwitness analyze night.flac
      earwitness analyze --format jsonl clips/ > events.jsonl
      earwitness analyze --plot night.png night.flac
    """
    settings = config_in_force(config)
    _check_source(settings, source)
    empty: list[str] = []
    paths = list(recordings(files, empty.append))
    if plot is not None:
        _check_plot(paths, plot)
    for line in empty:
        fail(line)
    failed = bool(empty)
    bar = Bar()
    for result in bar.over(_results(paths, settings, source, plot, workers, bar), len(paths)):
        _print(result.rows, format)
        if result.error:
            failed = True
            fail(result.error)
        elif not result.rows and format is not OutputFormat.JSONL:
            out.print(f"{escape(result.file)}  nothing heard in {result.duration_s:.1f} s", highlight=False)
        for fault in result.faults:
            warn(f"{result.file}: {fault}")
    if failed:
        raise typer.Exit(1)


def _results(
    paths: list[Path], settings: Config, source: str, plot: Path | None, workers: int | None, bar: Bar
) -> "Iterable[Analysis]":
    with quits_at_once():
        from monitor.pipeline.build import load_classifiers
        from monitor.recordings.analysis import analyze as analyze_one
        from monitor.recordings.analysis import analyze_all
        from monitor.recordings.plot import plot_analysis

        if plot is None and len(paths) > 1 and workers != 1:
            return analyze_all(paths, settings, source, workers)
        classifiers = load_classifiers(settings)
    if plot is not None:
        return (
            plot_analysis(path, settings, classifiers, source, plot, _followed(path, bar)) for path in paths
        )
    return (analyze_one(path, settings, classifiers, source, _followed(path, bar)) for path in paths)


def _followed(path: Path, bar: Bar) -> "Watch":
    """Shows on the bar how far a recording has been heard."""
    from monitor.clock import BEGINNING

    def watch(frame: Frame, heard: Findings | None, detections: list[Detection]) -> None:
        bar.heard(path, (frame.ends_at - BEGINNING).total_seconds())

    return watch


def _check_plot(paths: list[Path], plot: Path) -> None:
    if len(paths) != 1:
        raise typer.BadParameter("--plot draws one recording; name just one")
    check_picture(plot, "--plot")


def _check_source(settings: Config, source: str) -> None:
    """A name with a slip of the pen would silently take the settings of no source."""
    names = [block.name for block in settings.sources]
    if source not in (SOURCE, *names):
        hint = did_you_mean(source, names) or f"; there are: {', '.join(names)}"
        raise typer.BadParameter(f"no source is named {source!r}{hint}", param_hint="--as")


def _print(rows: Iterable[dict[str, Any]], format: OutputFormat) -> None:
    for row in rows:
        if format is OutputFormat.JSONL:
            typer.echo(json.dumps(row))
        else:
            place = escape(row["file"])
            line = _event_line(row) if row["type"] == "event" else _alert_line(row)
            out.print(f"{place}  {line}", highlight=False)


def _event_line(row: dict[str, Any]) -> str:
    heard_by = " and ".join((row["classifier"], *row["confirmed_by"]))
    times = f"{row['start_s']:8.2f} - {row['end_s']:8.2f} s"
    return f"{times}  [bold]{row['label']}[/bold]  {row['score']:.2f} {row['certainty']}, by {heard_by}"


def _alert_line(row: dict[str, Any]) -> str:
    style = _STYLES[row["severity"]]
    what = f"[{style}]{row['severity'].upper()}: {escape(row['rule'])}[/{style}]"
    return f"{row['decided_s']:8.2f} s  {what}: {escape(row['message'])}"
