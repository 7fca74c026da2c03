"""Labelled recordings: one manifest, decoded once into one memory-mapped file of 32 kHz 16-bit samples."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from scripts.train_tagger.targets import EMOTION_OF_NAME

CACHE_RATE_HZ = 32_000
"""The teacher's rate; the student hears the same mixture brought down to 16 kHz."""
FREE_LICENCES = ("free", "sa")
"""Top-level folders whose recordings may train the `free` variant."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of the manifest."""

    path: str
    source: str
    audioset_names: tuple[str, ...]
    emotion: str | None
    licence: str
    group: str
    split: str
    orig_rate_hz: int

    @property
    def free(self) -> bool:
        """Whether its licence allows a model without non-commercial terms."""
        return self.path.split("/", 1)[0] in FREE_LICENCES


def read_manifest(path: Path) -> list[Recording]:
    """Every row of a training manifest, in order."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [_recording(row) for row in csv.DictReader(lines)]


def _recording(row: dict[str, str]) -> Recording:
    return Recording(
        path=row["path"],
        source=row["source"],
        audioset_names=tuple(name for name in row["labels"].split(";") if name),
        emotion=EMOTION_OF_NAME.get(row["emotion"]),
        licence=row["licence"],
        group=row["group"],
        split=row["split"],
        orig_rate_hz=int(row["orig_rate"] or CACHE_RATE_HZ),
    )


def folded(recordings: Sequence[Recording], fold: str) -> list[Recording]:
    """The recordings split anew: fold "K/N" holds out the K-th of N parts, each source's groups by turns, so
    that N runs judge every recording once. ValueError for anything else."""
    part, parts = _fold(fold)
    groups = sorted({(r.source, r.group) for r in recordings})
    # A group can span sources (one freesound recording in two sets): its first place decides.
    place = {group: n % parts for n, (_, group) in reversed(list(enumerate(groups)))}
    return [replace(r, split="valid" if place[r.group] == part - 1 else "train") for r in recordings]


def _fold(fold: str) -> tuple[int, int]:
    numbers = [int(word) for word in fold.split("/") if word.isdecimal()]
    if len(numbers) != 2 or not 1 <= numbers[0] <= numbers[1] or numbers[1] < 2:
        raise ValueError(f"fold {fold} is not K/N with K from 1 to N, and N at least 2")
    return numbers[0], numbers[1]


FAMILIES = (
    ("snoring-1s", "snoring-1s-neg"), ("pratham-glass", "pratham-background"), ("assaf-glass", "assaf-other"),
    ("tinyml-alarm", "tinyml-glass", "tinyml-background"), ("ss13-tg", "ss13-septic"),
    ("stimpad", "stimpad-old"), ("misc-alerts", "misc-alerts2"), ("asterisk-prompts", "asterisk-intl"),
    ("giulbia-babycry", "donateacry"),
)  # fmt: skip
"""Sources of one project, which are never divided: they share rooms, microphones or files."""


def folded_by_source(recordings: Sequence[Recording], fold: str) -> list[Recording]:
    """The recordings split anew by whole sources: fold "K/N" holds out the K-th of N parts, each about as
    large and each with sources of every kind of size. ValueError for anything else."""
    part, parts = _fold(fold)
    family = {source: members[0] for members in FAMILIES for source in members}
    sizes: dict[str, int] = {}
    for recording in recordings:
        key = family.get(recording.source, recording.source)
        sizes[key] = sizes.get(key, 0) + 1
    loads, place = [0] * parts, {}
    for key in sorted(sizes, key=lambda key: (-sizes[key], key)):
        place[key] = loads.index(min(loads))
        loads[place[key]] += sizes[key]
    held_out = {r.source for r in recordings if place[family.get(r.source, r.source)] == part - 1}
    return held_apart(recordings, held_out)


def without(recordings: Sequence[Recording], sources: Iterable[str]) -> list[Recording]:
    """What may teach and choose where some sources are kept for judging: all but these.
    ValueError for a source that is not there."""
    wanted = _known(recordings, sources)
    return [r for r in recordings if r.source not in wanted]


def held_apart(recordings: Sequence[Recording], sources: Iterable[str]) -> list[Recording]:
    """The recordings split anew: those of some sources held out, all others that share no original with them
    trained on, and what shares one left out. ValueError for a source that is not there."""
    wanted = _known(recordings, sources)
    elsewhere = {r.group for r in recordings if r.source not in wanted}
    held_out = [r for r in recordings if r.source in wanted and r.group not in elsewhere]
    taught = [r for r in recordings if r.source not in wanted]
    return [replace(r, split="valid") for r in held_out] + [replace(r, split="train") for r in taught]


def _known(recordings: Sequence[Recording], sources: Iterable[str]) -> set[str]:
    wanted = set(sources)
    if unknown := wanted - {r.source for r in recordings}:
        raise ValueError(f"no recording is of {', '.join(sorted(unknown))}")
    return wanted


class Clips(Protocol):
    """Samples of clips by path."""

    def __getitem__(self, path: str) -> npt.NDArray[np.float32]:
        """The whole clip as float32 in -1..1 at 32 kHz."""

    def length(self, path: str) -> int:
        """Samples of a clip at 32 kHz."""


class SampleCache:
    """Decoded samples of many recordings in one file; reading one clip is a slice of a memory map."""

    def __init__(self, folder: Path) -> None:
        self._index: dict[str, tuple[int, int]] = json.loads((folder / "index.json").read_text())
        self._samples = np.memmap(folder / "samples.i16", np.int16, "r")

    def __getitem__(self, path: str) -> npt.NDArray[np.float32]:
        """The whole clip as float32 in -1..1 at 32 kHz."""
        start, length = self._index[path]
        return self._samples[start : start + length].astype(np.float32) / np.float32(32768)

    def __contains__(self, path: str) -> bool:
        return path in self._index

    @property
    def paths(self) -> list[str]:
        """Every clip's, in order."""
        return list(self._index)

    def length(self, path: str) -> int:
        """Samples of a clip at 32 kHz."""
        return self._index[path][1]


def build_cache(audio_root: Path, recordings: Sequence[Recording], folder: Path) -> None:
    """Decode every recording once; does nothing when the index already names them all."""
    index_file = folder / "index.json"
    if index_file.exists() and set(json.loads(index_file.read_text())) >= {r.path for r in recordings}:
        return
    folder.mkdir(parents=True, exist_ok=True)
    index: dict[str, tuple[int, int]] = {}
    written = 0
    with (folder / "samples.i16").open("wb") as out:
        for path, samples in _decoded(audio_root, recordings):
            samples.tofile(out)
            index[path] = (written, len(samples))
            written += len(samples)
    index_file.write_text(json.dumps(index))


def _decoded(
    audio_root: Path, recordings: Sequence[Recording]
) -> Iterator[tuple[str, npt.NDArray[np.int16]]]:
    from rich.progress import track

    for recording in track(recordings, "decoding"):
        yield recording.path, decode(audio_root / recording.path, CACHE_RATE_HZ)


def decode(path: Path, rate_hz: int) -> npt.NDArray[np.int16]:
    """Mono 16-bit samples, shape (samples,), of any file that FFmpeg reads, at `rate_hz`."""
    import av

    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
        blocks = [
            block.to_ndarray().reshape(-1)
            for frame in container.decode(audio=0)
            for block in resampler.resample(frame)
        ]
        blocks += [block.to_ndarray().reshape(-1) for block in resampler.resample(None)]
    return np.concatenate(blocks).astype(np.int16) if blocks else np.zeros(0, np.int16)
