"""A stock of mixtures made beforehand, with all that is costly about them: what both teachers say, and what
the student's settled first stages and the teacher's make of them. Learning from it is a fraction of the work,
and every mixture is looked at several times. Parts are files of their own: a stock grows while it is learnt
from.
"""

import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soxr
import torch

from scripts.train_tagger.hints import hints
from scripts.train_tagger.mixing import Mixture, MixtureMaker
from scripts.train_tagger.network import SETTLED_STAGES, Student
from scripts.train_tagger.teacher import TEACHER_RATE_HZ, TeacherNetwork
from scripts.train_tagger.yamnet import SAMPLES, Yamnet

Arrays = dict[str, npt.NDArray[np.generic]]

LENGTHS_S = (3.2, 1.0, 0.5)
PART = 128
"""Mixtures of one length in a file."""
FRAME_S = 0.32
WAIT_S = 5.0
"""Between looks for new parts, when there is nothing left to learn from."""
LOOKS: dict[float, tuple[int, ...]] = {3.2: (2, 4, 6, 8), 1.0: (1, 2), 0.5: ()}
"""By length, the student's frames about which the second teacher listens."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Of a stock's mixtures; the rest are of any kind."""

    unnamed: float = 0.5
    """Sound of which nothing is known but what the teachers say."""
    noisy: float = 0.0
    """A sound with something else behind it."""
    household: float = 0.0
    """Pieces of an ordinary day: what must not be taken for an alarm."""


@dataclass(frozen=True, slots=True)
class Judges:
    """Everyone who says something of a mixture when it is made."""

    student: Student
    """Its first stages are settled: they will not learn any more."""
    teacher: TeacherNetwork
    second: Yamnet


def judged(mixtures: Sequence[Mixture], judges: Judges, length_s: float) -> Arrays:
    """One part of a stock."""
    wide = np.stack([mixture.teacher_wave for mixture in mixtures])
    logits, _ = judges.teacher(torch.from_numpy(wide))
    with torch.inference_mode():
        wave = torch.from_numpy(np.stack([mixture.student_wave for mixture in mixtures])).float() / 32768
        features = judges.student.front(wave)
        ours = features.contiguous(memory_format=torch.channels_last)
        for stage in judges.student.stages[:SETTLED_STAGES]:
            ours = stage(ours)
        theirs = hints(judges.teacher, features, stages=SETTLED_STAGES).whole
    return {
        "ours": ours.half().numpy(),
        "theirs": theirs.half().numpy(),
        "logits": logits.half().numpy(),
        "second": np.stack([_second(judges.second, row, length_s) for row in wide]),
        "labels": np.stack([mixture.labels for mixture in mixtures]).astype(np.uint8),
        "known": np.stack([mixture.known for mixture in mixtures]).astype(np.uint8),
        "exact": np.array([mixture.exact for mixture in mixtures]),
        "emotion": np.array([mixture.emotion for mixture in mixtures], np.int8),
    }


def _second(second: Yamnet, wide: npt.NDArray[np.float32], length_s: float) -> npt.NDArray[np.float16]:
    """Logits of the second teacher about every frame of `LOOKS`, shape (looks, 521)."""
    wave = soxr.resample(wide, TEACHER_RATE_HZ, 16_000).astype(np.float32)
    said = [second.scores(wave[_first_sample(frame) :]) for frame in LOOKS[length_s]]
    scores = np.clip(np.stack(said), 1e-6, 1 - 1e-6) if said else np.zeros((0, 521), np.float32) + 0.5
    return np.asarray(np.log(scores / (1 - scores)), np.float16)


def _first_sample(frame: int) -> int:
    return max(0, int(frame * FRAME_S * 16_000) - SAMPLES // 2)


def make(
    folder: Path, mixers: Sequence[MixtureMaker], judges: Judges, seed: int, wanted: int, shares: Shares
) -> None:
    """Fill the folder with parts until there are `wanted` mixtures; goes on with a stock that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    made = sum(int(file.stem.split("-")[2]) for file in folder.glob("*.npz"))
    rng = np.random.default_rng([seed, made, int(time.time())])
    while made < wanted:
        mixer = mixers[int(rng.choice(len(mixers), p=(0.65, 0.2, 0.15)))]
        mixtures = [drawn(mixer, rng, shares) for _ in range(PART)]
        _write(folder, judged(mixtures, judges, mixer.duration_s), mixer.duration_s)
        made += PART


def drawn(mixer: MixtureMaker, rng: np.random.Generator, shares: Shares) -> Mixture:
    """One mixture of a kind that the shares decide."""
    pick = rng.random()
    if pick < shares.unnamed:
        return mixer.draw_anything(rng)
    if pick < shares.unnamed + shares.noisy:
        return mixer.draw_noisy(rng)
    if pick < shares.unnamed + shares.noisy + shares.household:
        return mixer.draw_household(rng)
    return mixer.draw(rng)


def _write(folder: Path, part: Arrays, length_s: float) -> None:
    unfinished = folder / f"{os.getpid()}.part"
    with unfinished.open("wb") as out:
        np.savez(out, **part)  # type: ignore[arg-type]
    unfinished.rename(folder / f"{length_s}-{time.time_ns()}-{PART}.npz")


@dataclass(slots=True, eq=False)
class _StockFile:
    file: Path
    arrays: Arrays
    drawn: int = 0


class Stock:
    """All parts of some folders, in memory; `refresh` takes in what has been added since."""

    def __init__(self, folders: Sequence[Path], looks: float = math.inf, spent: Path | None = None) -> None:
        """A part whose mixtures have been looked at so often, on average, is let go, and its name is noted in
        the file `spent`: it is not read again, and what is learnt is not learnt by heart."""
        self._folders = folders
        self._looks = looks
        self._spent = spent
        self._read = {Path(line) for line in _lines(spent)}
        self._parts: dict[float, list[_StockFile]] = {length: [] for length in LENGTHS_S}

    def refresh(self) -> None:
        """Read the files that are new."""
        for file in sorted(file for folder in self._folders for file in folder.glob("*.npz")):
            if file not in self._read:
                self._read.add(file)
                with np.load(file) as part:
                    arrays = {name: part[name] for name in part.files}
                self._parts[float(file.name.split("-")[0])].append(_StockFile(file, arrays))

    def __len__(self) -> int:
        return PART * sum(map(len, self._parts.values()))

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[tuple[float, dict[str, torch.Tensor]]]:
        """Without end: mixtures of one length, each drawn from anywhere in the stock. Waits for new parts
        when every one has been looked at often enough. The first axis of each shape is the mixture."""
        while True:
            length = self._drawn(rng)
            rows = [self._row(self._parts[length], rng) for _ in range(round(size * _more(length)))]
            self._let_go(length)
            yield length, {name: torch.from_numpy(np.stack([row[name] for row in rows])) for name in rows[0]}

    def _drawn(self, rng: np.random.Generator) -> float:
        while not len(self):
            self.refresh()
            if not len(self):
                time.sleep(WAIT_S)
        counts = np.array([len(self._parts[length]) for length in LENGTHS_S], float)
        return LENGTHS_S[int(rng.choice(len(counts), p=counts / counts.sum()))]

    @staticmethod
    def _row(parts: list[_StockFile], rng: np.random.Generator) -> Arrays:
        part, row = parts[rng.integers(len(parts))], rng.integers(PART)
        part.drawn += 1
        return {name: values[row] for name, values in part.arrays.items()}

    def _let_go(self, length: float) -> None:
        often = [part for part in self._parts[length] if part.drawn >= self._looks * PART]
        if not often:
            return
        self._parts[length] = [part for part in self._parts[length] if part not in often]
        if self._spent:
            with self._spent.open("a") as names:
                names.writelines(f"{part.file}\n" for part in often)


def _lines(file: Path | None) -> list[str]:
    return file.read_text().splitlines() if file and file.exists() else []


def _more(length_s: float) -> float:
    """Shorter mixtures come in larger batches."""
    return 1.0 if length_s > 2 else 2.0
