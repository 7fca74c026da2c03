"""From recordings to the shipped model: `python -m scripts.train_tagger train DATA --run FOLDER`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, help=__doc__)

Data = Annotated[Path, typer.Argument(help="folder with train/manifest.csv, models/ and rir/")]
RunFolder = Annotated[Path, typer.Option("--run", help="checkpoints, log and report go here")]
CacheFolder = Annotated[Path, typer.Option("--cache", help="decoded samples and rooms, about 1.3 GB")]

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


if __name__ == "__main__":
    app()
