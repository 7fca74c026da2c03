"""From recordings to the shipped model: `python -m scripts.train_tagger train DATA --run FOLDER`."""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, help=__doc__)

Data = Annotated[Path, typer.Argument(help="folder with train/manifest.csv, models/ and rir/")]
RunFolder = Annotated[Path, typer.Option("--run", help="checkpoints, log and report go here")]
CacheFolder = Annotated[Path, typer.Option("--cache", help="decoded samples and rooms, about 1.3 GB")]

NOISE_DB = (20.0, 10.0, 5.0, 0.0)
SHIPPED = Path("monitor/models/earwitness.onnx")
FIGURES = Path("docs/model-card")
DEFAULT_CACHE = Path("~/.cache/earwitness-training").expanduser()


@app.callback()
def main() -> None:
    """Train, export and judge the sound model."""


@app.command()
def train(
    data: Data,
    run: RunFolder,
    cache: CacheFolder = DEFAULT_CACHE,
    steps: int = 12_000,
    seed: int = 0,
    threads: int = 2,
    variant: Annotated[str, typer.Option(help="all, or free: without non-commercial recordings")] = "all",
) -> None:
    """Train, or go on with the run that is in the folder."""
    import torch

    from scripts.train_tagger.recordings import build_cache, read_manifest
    from scripts.train_tagger.rooms import build_rooms
    from scripts.train_tagger.training import Places, Recipe, Run

    torch.set_num_threads(threads)
    recordings = read_manifest(data / "train" / "manifest.csv")
    build_cache(data / "train", recordings, cache)
    build_rooms(data / "rir", cache / "rooms.npy")
    kept = [r for r in recordings if r.split == "train" and (variant == "all" or r.free)]
    Run(Recipe(steps=steps, seed=seed), Places(data, cache, run), kept).train()


@app.command()
def export(
    data: Data,
    run: RunFolder,
    cache: CacheFolder = DEFAULT_CACHE,
    model: Annotated[Path, typer.Option(help="the ONNX file to write; its JSON goes beside it")] = SHIPPED,
    hours: Annotated[float, typer.Option(help="of background on which thresholds are chosen")] = 30.0,
    variant: str = "all",
) -> None:
    """Calibrate, choose thresholds, and write the model of a run's last checkpoint."""
    from scripts.train_tagger.recordings import read_manifest
    from scripts.train_tagger.release import Release, release
    from scripts.train_tagger.training import Places

    recordings = read_manifest(data / "train" / "manifest.csv")
    release(Places(data, cache, run), recordings, Release(model, hours, variant))


@app.command()
def evaluate(
    data: Data,
    run: RunFolder,
    model: Annotated[Path, typer.Option(help="the ONNX file to judge")] = SHIPPED,
    figures: Annotated[Path, typer.Option(help="where JSON and pictures go")] = FIGURES,
    snr_db: Annotated[list[float] | None, typer.Option(help="also with noise at this ratio")] = None,
) -> None:
    """Judge a model, the teacher and YAMNet on the held-out recordings."""
    from rich import print as show
    from rich.progress import track

    from monitor.evaluation.evaluate import evaluate as judge
    from scripts.train_tagger.baselines import TeacherBaseline, YamnetBaseline
    from scripts.train_tagger.pictures import draw_training
    from scripts.train_tagger.recordings import read_manifest
    from scripts.train_tagger.release import opened, write_manifest

    held_out = [r for r in read_manifest(data / "train" / "manifest.csv") if r.split == "valid"]
    manifest = run / "valid.csv"
    write_manifest(held_out, data / "train", manifest)
    figures.mkdir(parents=True, exist_ok=True)
    report = judge(manifest, opened(model), snrs_db=snr_db or NOISE_DB, progress=track)
    (figures / "evaluation.json").write_text(report.to_json())
    report.draw(figures / "evaluation.png")
    draw_training(run / "log.jsonl", figures / "training.png")
    others = [judge(manifest, b) for b in (TeacherBaseline(data / "models"), YamnetBaseline(data / "models"))]
    compared = [
        {"classifier": r.classifier, "mean_average_precision": r.conditions[0].mean_average_precision}
        for r in others
    ]
    (figures / "baselines.json").write_text(json.dumps(compared, indent=1) + "\n")
    show(report.table())


@app.command()
def card(
    model: Annotated[Path, typer.Option(help="the ONNX file, with its JSON beside it")] = SHIPPED,
    figures: Annotated[Path, typer.Option(help="where `evaluate` put its JSON")] = FIGURES,
    page: Annotated[Path, typer.Option(help="the page to write")] = Path("docs/model-card.md"),
    time_it: Annotated[bool, typer.Option(help="measure speed and memory again, here")] = False,
) -> None:
    """Write the model card."""
    from scripts.train_tagger.card import card as written
    from scripts.train_tagger.card import read_sources
    from scripts.train_tagger.timing import measure

    if time_it:
        (figures / "timing.json").write_text(json.dumps(measure(model), indent=1) + "\n")
    page.write_text(written(read_sources(model, figures)))


if __name__ == "__main__":
    app()
