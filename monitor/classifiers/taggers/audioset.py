"""From the classes of an AudioSet tagger to our labels."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.errors import ModelError
from monitor.labels import vocabulary
from monitor.schema import read_file

NAME_COLUMNS = ("display_name", "name", "label")
"""Heads under which class lists keep the AudioSet display names."""


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Which classes of a tagger mean which of our labels."""

    classes: int
    columns: dict[str, tuple[int, ...]]
    """Our label to the numbers of its classes."""

    def scores(self, of_classes: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float32]]:
        """The highest score of each label's classes: (..., classes) to (...) for each label."""
        return {label: of_classes[..., list(numbers)].max(axis=-1) for label, numbers in self.columns.items()}


def class_map(display_names: Sequence[str]) -> ClassMap:
    """The map for classes in this order, by the AudioSet names of labels.csv; others are left out."""
    number = {name.strip(): position for position, name in enumerate(display_names)}
    columns = {
        label.id: tuple(number[name] for name in label.audioset_names if name in number)
        for label in vocabulary().values()
    }
    return ClassMap(len(display_names), {label: found for label, found in columns.items() if found})


def read_class_map(file: Path) -> ClassMap:
    """From a CSV of a tagger's classes, one a row in the order of its scores, as YAMNet's and AudioSet's are.

    Raises ModelError when the file cannot be read or names no sound that we know.
    """
    try:
        rows = csv.DictReader(io.StringIO(read_file(file).decode("utf-8-sig"), newline=""))
        column = next((name for name in NAME_COLUMNS if name in (rows.fieldnames or ())), None)
        names = [row[column] or "" for row in rows] if column else []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelError(
            f"{file}: the list of classes cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    found = class_map(names)
    if not found.columns:
        raise ModelError(
            f"{file}: no AudioSet class in it; it needs a column {' or '.join(NAME_COLUMNS)} with names "
            "such as 'Speech', one row for each score of the model"
        )
    return found
