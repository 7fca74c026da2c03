"""What a stock and a learner are made of: a student that begins with a trunk or an earlier model, the
teachers, and what their classes mean.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scripts.train_tagger import stock, yamnet
from scripts.train_tagger.anything import GatheredSound
from scripts.train_tagger.between import START
from scripts.train_tagger.learning import Classes, Learner, Recipe
from scripts.train_tagger.mixing import MixtureMaker
from scripts.train_tagger.network import Student
from scripts.train_tagger.recordings import Recording
from scripts.train_tagger.start import begin_with, renormed
from scripts.train_tagger.targets import LABELS, teacher_mapping
from scripts.train_tagger.teacher import CLASSES, load_teacher, read_class_names
from scripts.train_tagger.training import Places, new_student
from scripts.train_tagger.yamnet import Yamnet

TEACHER, CLASS_NAMES, SECOND_NAMES = (
    "mn04_as_mAP_432.pt", "audioset_class_labels_indices.csv", "yamnet_class_map.csv",
)  # fmt: skip
SEEN = 256
"""Mixtures whose spread the norms of an earlier model take on."""


def beginning(run: Path, earlier: Path | None, models: Path) -> Student:
    """A student that says what the run's trunk or the earlier model says."""
    student = new_student()
    if earlier is not None:
        begin_with(student, earlier, guessed(earlier, models))
        return student
    file = run / "trunk" / "checkpoint.pt"
    if not file.exists():
        raise FileNotFoundError(f"{file} is not there: run `trunk` first, or name a model with --begin-with")
    student.load_state_dict(torch.load(file, weights_only=True)["averaged"])
    return student


def make_stock(
    places: Places, recordings: Sequence[Recording], earlier: Path | None, plan: tuple[int, int, stock.Shares]
) -> None:
    """Seed, mixtures wanted and the shares of their kinds are the plan. The stock is in the run's folder."""
    seed, wanted, shares = plan
    models = places.data / "models"
    student = beginning(places.run, earlier, models).eval()
    judges = stock.Judges(student, load_teacher(models / TEACHER), Yamnet(models))
    anything = places.cache / "anything"
    cache = GatheredSound(places.cache, anything if anything.exists() else None)
    rooms = np.load(places.cache / "rooms.npy", mmap_mode="r")
    mixers = [
        MixtureMaker(recordings, cache, rooms, length_s, anything=cache.anything)
        for length_s in stock.LENGTHS_S
    ]
    stock.make(places.run / "stock", mixers, judges, seed, wanted, shares)


def stocked(folders: Sequence[Path], looks: float = math.inf, spent: Path | None = None) -> stock.Stock:
    """What is in the folders by now. FileNotFoundError when nothing was ever put there."""
    kept = stock.Stock(folders, looks, spent)
    kept.refresh()
    if not any(file for folder in folders for file in folder.glob("*.npz")):
        raise FileNotFoundError(f"no mixture is in {', '.join(map(str, folders))}: run `stock` first")
    return kept


def learner(
    recipe: Recipe, data: Path, run: Path, earlier: Path | None, kept: stock.Stock, beside: Sequence[Path]
) -> Learner:
    """With a student that has not learnt yet; `learn` finds the run's checkpoint."""
    models = data / "models"
    student = beginning(run, earlier, models)
    if earlier is not None:
        renormed(student, _maps(kept))
        keep_start(student, run / START)
    teacher = load_teacher(models / TEACHER)
    return Learner(recipe, run, student, teacher, classes(models), beside)


def guessed(earlier: Path, models: Path) -> list[list[int]]:
    """Of each teacher the classes whose guesses an earlier model keeps; nothing where one alone taught it."""
    about = json.loads(earlier.with_suffix(".json").read_text())
    if about["training"].get("began_with") is None:
        return []
    return [torch.nonzero(each.amax(0)).flatten().tolist() for each in classes(models)]


def keep_start(student: Student, file: Path) -> None:
    """For `between`: what the student is before it learns anything."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(student.state_dict(), file)


def _maps(kept: stock.Stock) -> Tensor:
    batches = kept.batches(SEEN, np.random.default_rng(0))
    return next(batch["ours"].float() for length_s, batch in batches if length_s == stock.LENGTHS_S[0])


def classes(models: Path) -> Classes:
    """Which classes of each teacher mean which label."""
    return Classes(_matrix(models / CLASS_NAMES, CLASSES), _matrix(models / SECOND_NAMES, yamnet.CLASSES))


def _matrix(names: Path, count: int) -> Tensor:
    matrix = torch.zeros(len(LABELS), count)
    for row, numbers in zip(matrix, teacher_mapping(read_class_names(names)), strict=True):
        row[numbers] = 1
    return matrix
