"""Commands that ask a classifier about recordings: classify, eval."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.classifiers.base import Classifier
from monitor.classifiers.taggers.calibration import write_calibration
from monitor.cli.console import ConfigOption, config_in_force, fail, out, warn
from monitor.cli.house.mine import show_mine
from monitor.cli.recordings import (
    Files,
    FormatOption,
    OutputFormat,
    check_output,
    check_picture,
    recordings,
    with_progress,
)
from monitor.errors import ClassifyError, SourceError


class TaskName(StrEnum):
    """Public test sets."""

    VOCALSOUND = "vocalsound"
    MELD = "meld"
    ENVIRONMENT = "environment"
    ASR = "asr"


TaskOption = Annotated[
    TaskName | None,
    typer.Option(
        "--task",
        "--tasks",
        help="Judge as papers do, beside the published figure, on the set's own folder.",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "--classifier",
        "-m",
        help="A classifier of the configuration by name, an .onnx file, or the id or folder of a model.",
    ),
]


ManifestArgument = Annotated[
    Path | None,
    typer.Argument(
        help="CSV with the columns path and labels (separated by ;); empty: background. With --task the "
        "folder of a public test set."
    ),
]
MineOption = Annotated[
    bool,
    typer.Option(
        "--mine",
        help="By what you judged in this house, without a file; with --model also whether that model "
        "would do better on the kept clips.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Recordings")(classify)
    app.command("eval", rich_help_panel="Recordings")(evaluate)


def classify(
    files: Files,
    config: ConfigOption = None,
    format: FormatOption = OutputFormat.TEXT,
    model: ModelOption = None,
    frames: Annotated[bool, typer.Option("--frames", help="Also print the scores of every window.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many labels to show as text.")] = 5,
) -> None:
    """Ask only a classifier what is in a recording. Prints each label's highest score of all windows."""
    from monitor.recordings.evaluation.scoring import classify_file
    from monitor.sources.recording import read_audio

    classifier = _classifier(config, model)
    empty: list[str] = []
    paths = list(recordings(files, empty.append))
    for line in empty:
        fail(line)
    failed = bool(empty)
    for path in with_progress(paths, len(paths)):
        try:
            found = classify_file(read_audio(path, warn=warn), classifier)
        except (SourceError, ClassifyError) as error:
            failed = True
            fail(_about(path, error))
            continue
        if format is OutputFormat.JSONL:
            typer.echo(json.dumps(_row(path, classifier.name, found, with_frames=frames)))
        else:
            best = sorted(found.scores.items(), key=lambda item: -item[1])[:top]
            words = "  ".join(f"{label} {score:.2f}" for label, score in best)
            if found.emotion:
                felt = max(found.emotion, key=found.emotion.__getitem__)
                words += f"  emotion: {felt} {found.emotion[felt]:.2f}"
            out.print(f"{path}  {words}", highlight=False)
    if failed:
        raise typer.Exit(1)


def evaluate(
    manifest: ManifestArgument = None,
    config: ConfigOption = None,
    model: ModelOption = None,
    snr: Annotated[
        list[float] | None, typer.Option("--snr", help="Also with noise at this SNR in dB; may be repeated.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw them (PNG).")] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(help="Write what makes an onnx or tflite classifier's scores probabilities (JSON)."),
    ] = None,
    task: TaskOption = None,
    mine: MineOption = False,
) -> None:
    """How well does a classifier do on your own labelled recordings?

    Per label: average precision, recall and precision at the threshold in force, calibration error; false
    events per hour on the recordings without a label. Labels are those of earwitness or AudioSet names. With
    five recordings of a label and five without it an onset is proposed, with the YAML to paste.
    """
    from monitor.recordings.evaluation.evaluate import evaluate as judged

    if mine:
        show_mine(config, _classifier(config, model) if model else None)
        return
    if manifest is None:
        raise typer.BadParameter("name a CSV of recordings, or --mine", param_hint="MANIFEST")
    if task is not None:
        out.print(_on_task(task, manifest, config, model), highlight=False)
        return
    check_output(json_file, "--json")
    check_picture(plot, "--plot")
    check_output(calibration, "--calibration")
    report = judged(
        manifest,
        _classifier(config, model, raw=calibration is not None),
        snrs_db=snr or (),
        progress=lambda clips: with_progress(clips, None),
    )
    _show_report(report, json_file, plot)
    if calibration is not None:
        write_calibration(calibration, report.calibration)
        out.print(f"\n{calibration}: {len(report.calibration)} labels, for `calibration:` of the classifier")
    if report.unread:
        raise typer.Exit(1)


def _show_report(report: Any, json_file: Path | None, plot: Path | None) -> None:
    """Everything about an evaluation, on the terminal and in the files that were asked for."""
    for doubt in report.doubts:
        warn(doubt)
    out.print(report.table())
    if report.proposals:
        out.print("\nOnsets that fit these recordings, to paste into the configuration:\n")
        typer.echo(report.proposals)
    if json_file:
        json_file.write_text(report.to_json(), encoding="utf-8")
    if plot:
        report.draw(plot)


def _on_task(task: "TaskName", folder: Path, config: Path | None, model: str | None) -> str:
    """The line of a public test set: by the classifier that was asked for, or by the transcriber."""
    from monitor.recordings.evaluation.tasks import Task, items, judge_sounds, judge_words

    name: Task = task.value
    some = items(name, folder)
    if task is not TaskName.ASR:
        classifier = _classifier(config, model)
        return judge_sounds(name, some, classifier, lambda each: with_progress(each, len(each))).line()
    block = config_in_force(config).transcripts
    if block is None or block.type == "listener":
        raise typer.BadParameter(
            "write a transcripts: block of type qwen3_asr or remote", param_hint="--config"
        )
    transcriber = block.build()
    transcriber.load()
    return judge_words(some, transcriber, lambda each: with_progress(each, len(each))).line()


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


def _classifier(config: Path | None, name: str | None, *, raw: bool = False) -> Classifier:
    """The classifier that was asked for, loaded."""
    classifier = named_classifier(config, name, raw=raw)
    classifier.load()
    return classifier


def named_classifier(config: Path | None, name: str | None, *, raw: bool = False) -> Classifier:
    """The classifier that was asked for: by its name in the configuration, or by its model; by default what
    decides there. `raw` is without its calibration."""
    from monitor.classifiers.taggers.onnx import OnnxConfig
    from monitor.config.capabilities import unloaded
    from monitor.config.model import classifier_block

    given = config_in_force(config)
    small, _ = unloaded(given)
    if small and name in (None, small[0].name) and not raw:
        return small[0]
    blocks = {block.name: block for block in given.classifiers}
    if name is None and not blocks:
        raise typer.BadParameter("the configuration has no classifier; name a --model")
    block = next(iter(blocks.values())) if name is None else blocks.get(name) or classifier_block(name)
    if block is None:
        raise typer.BadParameter(_unknown(name, blocks), param_hint="--model")
    if raw and isinstance(block, OnnxConfig):  # and its kin, TfliteConfig
        block = block.model_copy(update={"calibration": None})
    return block.build()


def _unknown(name: str | None, known: Iterable[str]) -> str:
    return (
        f"{name!r} is no classifier of the configuration ({', '.join(known) or 'it has none'}), no .onnx "
        "file and no folder; models of the Hugging Face hub are named OWNER/NAME: "
        "Qwen/Qwen2-Audio-7B-Instruct, Qwen/Qwen2.5-Omni-7B, MIT/ast-finetuned-audioset-10-10-0.4593 or "
        "laion/clap-htsat-unfused"
    )
