"""Commands for recordings: analyze, classify, eval, describe, ask."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.cli.console import ConfigOption, chosen_config, err, fail, out
from monitor.errors import ClassifyError, SourceError, SourceUnavailable

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


ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="A classifier of the configuration by name, an .onnx file, or the id or folder of a model.",
    ),
]
NOWHERE = {"type": "demo", "name": "demo"}
"""A source for the built-in configuration where none is listened to."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Recordings")(analyze)
    app.command(rich_help_panel="Recordings")(classify)
    app.command("eval", rich_help_panel="Recordings")(evaluate)
    app.command(rich_help_panel="Recordings")(describe)
    app.command(rich_help_panel="Recordings")(ask)


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
    from monitor.loading import default_config

    given, _ = chosen_config(config)
    settings = given or default_config([NOWHERE])
    paths = list(_recordings(files))
    if plot is not None:
        if len(paths) != 1:
            raise typer.BadParameter("--plot draws one recording; name just one")
        _check_output(plot, "--plot")
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
    model: ModelOption = None,
    frames: Annotated[bool, typer.Option("--frames", help="Also the scores of every window.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many labels to show as text.")] = 5,
) -> None:
    """Ask a classifier alone what is in a recording: scores per label, the maximum over its windows."""
    from monitor.evaluation.scoring import classify_file
    from monitor.sources.recording import read_audio

    classifier = _classifier(config, model)
    paths = list(_recordings(files))
    failed = False
    for path in _with_progress(paths, len(paths)):
        try:
            found = classify_file(read_audio(path), classifier)
        except (SourceError, ClassifyError) as error:
            failed = True
            fail(_about(path, error))
            continue
        if format is Format.JSONL:
            typer.echo(json.dumps(_row(path, classifier.name, found, with_frames=frames)))
        else:
            best = sorted(found.scores.items(), key=lambda item: -item[1])[:top]
            words = "  ".join(f"{label} {score:.2f}" for label, score in best)
            out.print(f"{path}  {words}", highlight=False)
    if failed:
        raise typer.Exit(1)


def evaluate(
    manifest: Annotated[
        Path, typer.Argument(help="CSV with the columns path and labels (separated by ;); empty: background.")
    ],
    config: ConfigOption = None,
    model: ModelOption = None,
    snr: Annotated[
        list[float] | None, typer.Option("--snr", help="Also with noise at this SNR in dB; may be repeated.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw them (PNG).")] = None,
) -> None:
    """How well does a classifier do on your own labelled recordings?

    Per label: average precision, recall and precision at the threshold in force, calibration error; false
    events per hour on the recordings without a label. Labels are those of earwitness or AudioSet names.
    """
    from monitor.evaluation.evaluate import evaluate as judged

    _check_output(json_file, "--json")
    _check_output(plot, "--plot")
    report = judged(
        manifest,
        _classifier(config, model),
        snrs_db=snr or (),
        progress=lambda clips: _with_progress(clips, None),
    )
    out.print(report.table())
    if json_file:
        json_file.write_text(report.to_json(), encoding="utf-8")
    if plot:
        report.draw(plot)


def describe(
    file: Annotated[Path, typer.Argument(help="A recording; the first 30 s are heard.")],
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Describe a recording in a sentence, by a large model (Qwen2-Audio and its successors)."""
    typer.echo(_listener(config, model).describe(_beginning(file)))


def ask(
    file: Annotated[Path, typer.Argument(help="A recording; the first 30 s are heard.")],
    question: Annotated[str, typer.Argument(help="For example: What happened here?")],
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Ask a large model a question about a recording."""
    typer.echo(_listener(config, model).ask(_beginning(file), question))


def _row(path: Path, model: str, found: Any, *, with_frames: bool) -> dict[str, Any]:
    row = {
        "file": str(path),
        "duration_s": round(found.duration_s, 3),
        "model": model,
        "scores": _rounded(found.scores),
        "emotion": _rounded(found.emotion),
    }
    if with_frames:
        row["frames"] = [
            {"start_s": round(start_s, 3), "scores": _rounded(scores)} for start_s, scores in found.frames
        ]
    return row


def _rounded(scores: Mapping[str, float]) -> dict[str, float]:
    return {label: round(score, 6) for label, score in scores.items()}


def _about(path: Path, error: Exception) -> str:
    """The error's own line, with the file's name in it."""
    return str(error) if str(path) in str(error) else f"{path}: {error}"


def _beginning(path: Path) -> Any:
    from monitor.sources.recording import read_audio

    return read_audio(path).slice(0, 30)


def _classifier(config: Path | None, name: str | None) -> Any:
    """The classifier that was asked for, loaded: by its name in the configuration, or by its model."""
    from monitor.config import classifier_block
    from monitor.loading import default_config

    given, _ = chosen_config(config)
    blocks = {block.name: block for block in (given or default_config([NOWHERE])).classifiers}
    if name is None and not blocks:
        raise typer.BadParameter("the configuration has no classifier; name a --model")
    chosen = blocks.get(name) if name else next(iter(blocks.values()))
    classifier = (chosen or classifier_block(name or "")).build()
    classifier.load()
    return classifier


def _listener(config: Path | None, name: str | None) -> Any:
    """A large model that can answer in words, loaded."""
    from monitor.config import LARGE_MODEL, large_listeners

    given, _ = chosen_config(config)
    large = large_listeners(given) if given else []
    return _classifier(config, name or (large[0] if large else LARGE_MODEL))


def _recordings(files: Iterable[Path]) -> Iterator[Path]:
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


def _check_output(file: Path | None, option: str) -> None:
    """Before an hour of work, not after it."""
    if file is not None and not os.access(file.parent, os.W_OK):
        raise typer.BadParameter(f"{file.parent} is no folder that can be written", param_hint=option)


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
