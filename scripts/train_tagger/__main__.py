"""From recordings to the shipped model: `python -m scripts.train_tagger train DATA --run FOLDER`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from scripts.train_tagger.recordings import Recording

app = typer.Typer(add_completion=False, help=__doc__)

Data = Annotated[Path, typer.Argument(help="folder with train/manifest.csv, models/ and rir/")]
RunFolder = Annotated[Path, typer.Option("--run", help="checkpoints, log and report go here")]
Fold = Annotated[
    str | None,
    typer.Option(help="K/N: hold out the K-th of N parts of all groups, not the manifest's own split"),
]
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
    steps: int = 12_500,
    hinted_steps: Annotated[int, typer.Option(help="of these, the first so many with hints")] = 4_500,
    seed: int = 0,
    threads: int = 2,
    variant: Annotated[str, typer.Option(help="all, or free: without non-commercial recordings")] = "all",
    fold: Fold = None,
) -> None:
    """Train, or go on with the run that is in the folder."""
    import torch

    from scripts.train_tagger.recordings import build_cache
    from scripts.train_tagger.rooms import build_rooms
    from scripts.train_tagger.training import Places, Recipe, Run

    torch.set_num_threads(threads)
    recordings = _recordings(data, fold)
    build_cache(data / "train", recordings, cache)
    build_rooms(data / "rir", cache / "rooms.npy")
    kept = [r for r in recordings if r.split == "train" and (variant == "all" or r.free)]
    recipe = Recipe(steps=steps, hinted_steps=hinted_steps, seed=seed)
    Run(recipe, Places(data, cache, run), kept).train()


@app.command()
def export(
    data: Data,
    run: RunFolder,
    cache: CacheFolder = DEFAULT_CACHE,
    model: Annotated[Path, typer.Option(help="the ONNX file to write; its JSON goes beside it")] = SHIPPED,
    hours: Annotated[float, typer.Option(help="of background on which thresholds are chosen")] = 30.0,
    variant: str = "all",
    fold: Fold = None,
) -> None:
    """Calibrate, choose thresholds, and write the model of a run's last checkpoint."""
    from scripts.train_tagger.release import Release, release
    from scripts.train_tagger.training import Places

    release(Places(data, cache, run), _recordings(data, fold), Release(model, hours, variant))


@app.command()
def evaluate(
    data: Data,
    run: RunFolder,
    model: Annotated[Path, typer.Option(help="the ONNX file to judge")] = SHIPPED,
    figures: Annotated[Path, typer.Option(help="where JSON and pictures go")] = FIGURES,
    snr_db: Annotated[list[float] | None, typer.Option(help="also with noise at this ratio")] = None,
    baselines: Annotated[bool, typer.Option(help="judge the teacher and YAMNet again as well")] = True,
    fold: Fold = None,
) -> None:
    """Judge a model, the teacher and YAMNet on the held-out recordings."""
    from rich import print as show
    from rich.progress import track

    from monitor.recordings.evaluation.evaluate import evaluate as judge
    from scripts.train_tagger.baselines import judge_baselines
    from scripts.train_tagger.crossing import judge_crosswise
    from scripts.train_tagger.pictures import draw_training
    from scripts.train_tagger.release import opened, write_manifest

    held_out = [r for r in _recordings(data, fold) if r.split == "valid"]
    manifest = run / "valid.csv"
    write_manifest(held_out, data / "train", manifest)
    figures.mkdir(parents=True, exist_ok=True)
    report = judge(manifest, opened(model), snrs_db=snr_db or NOISE_DB, progress=track)
    (figures / "evaluation.json").write_text(report.to_json())
    report.draw(figures / "evaluation.png")
    draw_training(run / "log.jsonl", figures / "training.png")
    _note(figures / "crossed.json", judge_crosswise(held_out, data / "train", run, model))
    if baselines:
        _note(figures / "baselines.json", judge_baselines(data / "models", manifest))
    show(report.table())


@app.command()
def pool(
    data: Data,
    run: Annotated[Path, typer.Option(help="folder with a run and its model.onnx for each fold: 1, 2, …")],
    cache: CacheFolder = DEFAULT_CACHE,
    folds: Annotated[int, typer.Option(help="how many")] = 5,
    hours: Annotated[float, typer.Option(help="of background, over all folds")] = 30.0,
    figures: Annotated[Path, typer.Option(help="where folds.json goes")] = FIGURES,
    baselines: Annotated[bool, typer.Option(help="judge the teacher and YAMNet again as well")] = True,
) -> None:
    """Judge every recording by the model that was not trained on it, and put all together."""
    from rich.progress import track

    from scripts.train_tagger.baselines import judge_baselines
    from scripts.train_tagger.folds import Folds, judge_folds, listen_to_folds
    from scripts.train_tagger.release import write_manifest

    figures.mkdir(parents=True, exist_ok=True)
    recordings, models = _recordings(data, None), Folds(data, cache, run, folds)
    heard = listen_to_folds(models, recordings, hours, track)
    _note(figures / "folds.json", {"folds": folds} | models.taught() | judge_folds(heard))
    if baselines:
        manifest = run / "all.csv"
        write_manifest(recordings, data / "train", manifest)
        _note(figures / "folds_baselines.json", judge_baselines(data / "models", manifest))


@app.command()
def variants(
    data: Data,
    models: Annotated[list[Path], typer.Argument(help="ONNX files, that of the free variant first")],
    figures: Annotated[Path, typer.Option(help="where variants.json goes")] = FIGURES,
) -> None:
    """Judge a model of free recordings alone beside others of all, on the held-out recordings."""
    import tempfile

    from scripts.train_tagger.release import write_manifest
    from scripts.train_tagger.variants import judge_variants

    held_out = [r for r in _recordings(data, None) if r.split == "valid"]
    with tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder) / "valid.csv"
        write_manifest(held_out, data / "train", manifest)
        _note(figures / "variants.json", judge_variants(manifest, models))


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
        _note(figures / "timing.json", measure(model))
    page.write_text(written(read_sources(model, figures)))


def _recordings(data: Path, fold: str | None) -> "list[Recording]":
    from scripts.train_tagger.recordings import folded, read_manifest

    recordings = read_manifest(data / "train" / "manifest.csv")
    return folded(recordings, fold) if fold else recordings


def _note(file: Path, figures: Any) -> None:
    file.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    app()
