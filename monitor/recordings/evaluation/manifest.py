"""Lists of labelled recordings: a CSV with the columns `path` and `labels`."""

import csv
from dataclasses import dataclass
from pathlib import Path

from monitor.errors import ConfigError
from monitor.labels import check_sound, vocabulary


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording and what is in it."""

    path: Path
    labels: frozenset[str]
    """Empty: a background, on which everything heard is a false event."""
    emotion: str | None = None


def read_clips(manifest: Path) -> list[Clip]:
    """Every row. Labels are separated by `;` and are ours or AudioSet display names; paths start at the
    manifest's folder. An AudioSet name that means no label of ours is passed over. Raises ConfigError with
    every row that has another word.
    """
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigError([f"{manifest}: cannot be read ({reason})"]) from error
    if not rows or not {"path", "labels"} <= rows[0].keys():
        raise ConfigError(
            [f"{manifest}: needs a header with the columns path and labels, and a row per recording"]
        )
    clips, problems = [], []
    for line, row in enumerate(rows, start=2):
        try:
            clips.append(_clip(manifest.parent, row))
        except ValueError as error:
            problems.append(f"{manifest}:{line}: {error}")
    if problems:
        raise ConfigError(problems)
    return clips


def _clip(folder: Path, row: dict[str, str]) -> Clip:
    words = [word.strip() for word in (row["labels"] or "").split(";") if word.strip()]
    if not row["path"]:
        raise ValueError("the path is empty")
    labels = frozenset(label for word in words for label in _ours(word))
    return Clip(folder / row["path"], labels, row.get("emotion") or None)


def _ours(word: str) -> list[str]:
    by_name = [label.id for label in vocabulary().values() if word in label.audioset_names]
    if by_name or word[:1].isupper():  # AudioSet's names begin with a capital, ours never do
        return by_name
    return [check_sound(word)]
