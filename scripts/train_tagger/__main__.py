"""From recordings to the shipped model: `python -m scripts.train_tagger train DATA --run FOLDER`."""

import json
import math
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
    typer.Option(
        help="K/N: hold out the K-th of N parts of all groups, or sources/K/N: of all sources, instead of "
        "the manifest's own split"
    ),
]
HeldOut = Annotated[
    str | None,
    typer.Option("--held-out", help="sources to hold out as a whole, with commas between them"),
]
BeginWith = Annotated[
    Path | None, typer.Option("--begin-with", help="an earlier model of ours, instead of a trunk of this run")
]
Variant = Annotated[str, typer.Option(help="all, or free: without non-commercial recordings")]
CacheFolder = Annotated[Path, typer.Option("--cache", help="decoded samples and rooms, about 1.3 GB")]

NOISE_DB = (20.0, 10.0, 5.0, 0.0)
SHIPPED = Path("monitor/models/earwitness.onnx")
FIGURES = Path("docs/model-card")
DEFAULT_CACHE = Path("~/.cache/earwitness-training").expanduser()


@app.callback()
def main() -> None:
    """Train, export and judge the sound model."""


@app.command()
def trunk(
    data: Data,
    run: RunFolder,
    cache: CacheFolder = DEFAULT_CACHE,
    steps: int = 4_500,
    seed: int = 0,
    threads: int = 2,
    variant: Variant = "all",
    fold: Fold = None,
    held_out: HeldOut = None,
) -> None:
    """First, from random weights: what the teacher makes of sounds at every stage. Resumes when run again."""
    import torch

    from scripts.train_tagger.recordings import build_cache
    from scripts.train_tagger.rooms import build_rooms
    from scripts.train_tagger.training import Places, Recipe, Run

    torch.set_num_threads(threads)
    recordings = _recordings(data, fold, held_out)
    build_cache(data / "train", recordings, cache)
    build_rooms(data / "rir", cache / "rooms.npy")
    recipe = Recipe(steps=steps, seed=seed)
    Run(recipe, Places(data, cache, run / "trunk"), _taught(recordings, variant)).train()


@app.command()
def gather(
    folder: Annotated[Path, typer.Argument(help="subfolders with audio files of any kind, at any depth")],
    cache: CacheFolder = DEFAULT_CACHE,
    voices: Annotated[int, typer.Option(help="first add so many sentences by espeak-ng")] = 0,
    pieces: Annotated[int, typer.Option(help="first add so many pieces of music by fluidsynth")] = 0,
    fonts: Annotated[list[Path] | None, typer.Option("--font", help="soundfont for these")] = None,
) -> None:
    """Decode sound that nobody labelled, for the stock."""
    from rich import print as show

    from scripts.train_tagger import anything

    if voices:
        anything.speak(folder / "espeak", voices)
    if pieces:
        anything.play(folder / "music", fonts or [], pieces)
    show(anything.gather(folder, cache / "anything"))


@app.command()
def stock(
    data: Data,
    run: RunFolder,
    cache: CacheFolder = DEFAULT_CACHE,
    begin_with: BeginWith = None,
    wanted: Annotated[int, typer.Option(help="mixtures")] = 20_000,
    unnamed: Annotated[float, typer.Option(help="share of mixtures of sound without any label")] = 0.5,
    noisy: Annotated[float, typer.Option(help="share with a background 0 to 20 dB below the sound")] = 0.0,
    household: Annotated[float, typer.Option(help="share of pieces of an ordinary day")] = 0.0,
    seed: int = 0,
    variant: Variant = "all",
    fold: Fold = None,
    held_out: HeldOut = None,
) -> None:
    """Second: mixtures, with what both teachers say of them. Can be stopped, and run beside `train`."""
    import torch

    from scripts.train_tagger.preparing import make_stock
    from scripts.train_tagger.recordings import build_cache
    from scripts.train_tagger.rooms import build_rooms
    from scripts.train_tagger.stock import Shares
    from scripts.train_tagger.training import Places

    torch.set_num_threads(1)
    recordings = _recordings(data, fold, held_out)
    build_cache(data / "train", recordings, cache)
    build_rooms(data / "rir", cache / "rooms.npy")
    places = Places(data, cache, run)
    plan = (seed, wanted, Shares(unnamed, noisy, household))
    make_stock(places, _taught(recordings, variant), begin_with, plan)


@app.command()
def train(
    data: Data,
    run: RunFolder,
    begin_with: BeginWith = None,
    steps: int = 6_000,
    learning_rate: float = 2e-3,
    seed: int = 0,
    threads: int = 1,
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="another run's folder: both go on from the mean of their weights"),
    ] = None,
    stocks: Annotated[
        list[Path] | None, typer.Option("--stock", help="folders of other runs' stocks")
    ] = None,
    looks: Annotated[
        float | None, typer.Option(help="let a mixture go after so many looks, and wait for fresh ones")
    ] = None,
) -> None:
    """Third: both teachers and the labels, from the stock. Resumes when run again; takes in what is added."""
    import torch

    from scripts.train_tagger.learning import Recipe
    from scripts.train_tagger.preparing import learner, stocked

    torch.set_num_threads(threads)
    recipe = Recipe(steps=steps, learning_rate=learning_rate, seed=seed)
    kept = stocked([run / "stock", *(stocks or [])], looks or math.inf, run / "spent.txt")
    learner(recipe, data, run, begin_with, kept, beside or []).learn(kept)


@app.command()
def between(
    run: RunFolder,
    into: Annotated[Path, typer.Option(help="a folder for `export --run`")],
    share: Annotated[float, typer.Option(min=0, max=1, help="0: as it began; 1: as it is")] = 0.5,
    stocks: Annotated[
        list[Path] | None, typer.Option("--stock", help="folders of other runs' stocks")
    ] = None,
) -> None:
    """After `train --begin-with`: go back part of the way, which unknown sources are heard better with."""
    import torch

    from scripts.train_tagger.between import between as weights_between
    from scripts.train_tagger.preparing import stocked

    into.mkdir(parents=True, exist_ok=True)
    checkpoint = weights_between(run, share, stocked([run / "stock", *(stocks or [])]))
    torch.save(checkpoint, into / "checkpoint.pt")


@app.command()
def export(
    data: Data,
    run: RunFolder,
    cache: CacheFolder = DEFAULT_CACHE,
    model: Annotated[Path, typer.Option(help="the ONNX file to write; its JSON goes beside it")] = SHIPPED,
    hours: Annotated[float, typer.Option(help="of background on which thresholds are chosen")] = 30.0,
    variant: str = "all",
    fold: Fold = None,
    held_out: HeldOut = None,
    began_with: Annotated[Path | None, typer.Option(help="what `train` began with, for the card")] = None,
) -> None:
    """Calibrate, choose thresholds, and write the model of a run's last checkpoint."""
    from scripts.train_tagger.release import Release, release
    from scripts.train_tagger.training import Places

    recordings = _recordings(data, fold, held_out)
    release(Places(data, cache, run), recordings, Release(model, hours, variant, began_with))


@app.command()
def join(
    first: Annotated[Path, typer.Option(help="the ONNX file whose alert labels, voices and embedding stay")],
    second: Annotated[Path, typer.Option(help="the one that hears all other labels")],
    model: Annotated[Path, typer.Option(help="the ONNX file to write; its JSON goes beside it")] = SHIPPED,
) -> None:
    """Two models in one graph: equal stages are computed once, and each label is heard by one of them."""
    from scripts.train_tagger.join import join as written

    written(first, second, model)


@app.command()
def onsets(
    data: Data,
    run: RunFolder,
    cache: CacheFolder = DEFAULT_CACHE,
    model: Annotated[Path, typer.Option(help="the ONNX file; its JSON gets the onsets")] = SHIPPED,
    hours: Annotated[float, typer.Option(help="of background on which thresholds are chosen")] = 30.0,
    scenes: Annotated[
        list[Path] | None, typer.Option(help="what `scripts/bench scenes --traces` wrote; several, if wanted")
    ] = None,
    judge: Annotated[
        list[Path] | None,
        typer.Option(help="further scenes, of other sources, on which onsets before and now are judged"),
    ] = None,
    only_raise: Annotated[
        bool, typer.Option("--only-raise", help="where the onsets that are there were chosen on more hours")
    ] = False,
    keep: Annotated[str, typer.Option(help="labels that keep their onset, with commas between them")] = "",
    fold: Fold = None,
    held_out: HeldOut = None,
) -> None:
    """Choose a model's thresholds again, by hours of background and by scenes. Resumes when run again."""
    from scripts.train_tagger.thresholds import choose_again
    from scripts.train_tagger.training import Places

    recordings = _recordings(data, fold, held_out)
    kept = [label for label in keep.split(",") if label]
    places = Places(data, cache, run)
    choose_again(places, recordings, model, hours, scenes or [], only_raise, judge or [], kept)


@app.command()
def evaluate(
    data: Data,
    run: RunFolder,
    model: Annotated[Path, typer.Option(help="the ONNX file to judge")] = SHIPPED,
    figures: Annotated[Path, typer.Option(help="where JSON and pictures go")] = FIGURES,
    snr_db: Annotated[list[float] | None, typer.Option(help="also with noise at this ratio")] = None,
    baselines: Annotated[bool, typer.Option(help="judge the teacher and YAMNet again as well")] = True,
    fold: Fold = None,
    without: Annotated[
        str | None, typer.Option(help="sources to leave out, with commas between them")
    ] = None,
) -> None:
    """Judge a model, the teacher and YAMNet on the held-out recordings."""
    from rich import print as show
    from rich.progress import track

    from monitor.recordings.evaluation.evaluate import evaluate as judge
    from scripts.train_tagger.baselines import judge_baselines
    from scripts.train_tagger.crossing import judge_crosswise
    from scripts.train_tagger.pictures import draw_training
    from scripts.train_tagger.release import opened, write_manifest

    held_out = [r for r in _recordings(data, fold, without) if r.split == "valid"]
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
def unseen(
    data: Data,
    run: RunFolder,
    model: Annotated[Path, typer.Option(help="the ONNX file to judge")] = SHIPPED,
    sources: HeldOut = None,
    fold: Fold = None,
    before: Annotated[Path | None, typer.Option(help="an earlier model to judge as well")] = None,
    folds: Annotated[
        int | None,
        typer.Option(help="judge RUN/1/model.onnx to RUN/N/model.onnx, N folds of all sources, instead"),
    ] = None,
    first: Annotated[
        bool,
        typer.Option("--first", help="of a joined model the first network's labels alone: unseen_first.json"),
    ] = False,
    figures: Annotated[Path, typer.Option(help="where unseen.json goes")] = FIGURES,
) -> None:
    """Judge a model, the teachers and their mean on whole sources that taught it nothing."""
    from rich import print as show
    from rich.progress import track

    from scripts.train_tagger.join import OF_THE_FIRST
    from scripts.train_tagger.recordings import held_apart
    from scripts.train_tagger.targets import LABELS
    from scripts.train_tagger.unseen import judge_unseen, judge_unseen_folds

    recordings = _recordings(data, fold)
    if folds:
        found = judge_unseen_folds(recordings, data, run, folds, track)
        _note(figures / "unseen_folds.json", found)
        show(found["groups"])
        return
    judged = held_apart(recordings, sources.split(",")) if sources else recordings
    held_out = [r for r in judged if r.split == "valid"]
    models = {"this one": model} | ({"before": before} if before else {})
    found = judge_unseen(held_out, data, run, models, track, OF_THE_FIRST if first else LABELS)
    _note(figures / ("unseen_first.json" if first else "unseen.json"), found)
    show(found["groups"])


@app.command()
def rooms(
    scenes: Annotated[Path, typer.Option(help="of whole sources, by `scripts/bench scenes --traces`")],
    backgrounds: Annotated[Path, typer.Option(help="the same with --backgrounds")],
    before: Annotated[
        tuple[Path, Path] | None, typer.Option(help="scenes and backgrounds as an earlier model heard them")
    ] = None,
    figures: Annotated[Path, typer.Option(help="where rooms.json goes")] = FIGURES,
) -> None:
    """Judge what a model heard in rooms: recall and false events, by group of labels."""
    from scripts.train_tagger.in_rooms import judge_rooms

    models = {"this one": (scenes, backgrounds)} | ({"before": before} if before else {})
    _note(figures / "rooms.json", judge_rooms(models))


@app.command()
def company(
    own: Annotated[Path, typer.Option(help="what `earwitness eval --json` wrote of the sound model alone")],
    yamnet: Annotated[Path, typer.Option(help="the same of a calibrated YAMNet")],
    both: Annotated[Path, typer.Option(help="the same of both, by `combine: mean_log_odds`")],
    calibrated_on: Annotated[Path, typer.Option(help="the clips that `eval --calibration` was given")],
    figures: Annotated[Path, typer.Option(help="where company.json goes")] = FIGURES,
) -> None:
    """Put beside each other what the model, YAMNet and both together make of clips."""
    from scripts.train_tagger.card_rooms import beside

    _note(figures / "company.json", beside({"this one": own, "YAMNet": yamnet, "both": both}, calibrated_on))


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


def _recordings(data: Path, fold: str | None, held_out: str | None = None) -> "list[Recording]":
    from scripts.train_tagger.recordings import folded, folded_by_source, read_manifest, without

    recordings = read_manifest(data / "train" / "manifest.csv")
    if held_out:
        recordings = without(recordings, held_out.split(","))
    if fold and fold.startswith("sources/"):
        return folded_by_source(recordings, fold.removeprefix("sources/"))
    return folded(recordings, fold) if fold else recordings


def _taught(recordings: "list[Recording]", variant: str) -> "list[Recording]":
    return [r for r in recordings if r.split == "train" and (variant == "all" or r.free)]


def _note(file: Path, figures: Any) -> None:
    file.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    app()
