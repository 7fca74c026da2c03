"""What other households sound like to a model: shipped beside it, for houses that are hardly known yet.

    python -m scripts.train_tagger.households MANIFEST --without a,b,c

Of every group two recordings are embedded, over the microphone's own noise and as loud as chance has it.
Their mean and scatter are kept, and the vectors of those with a free licence.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.classifiers.taggers.embedded import EmbeddedClassifier, EmbeddedConfig
from monitor.classifiers.taught.sound import Floats
from monitor.clock import BEGINNING
from monitor.recordings.analysis import SOURCE
from monitor.teaching.taught.background import SUFFIX, Households, save
from monitor.types import Segment, new_id
from scripts.scenes.composing import NOISE_DBFS, rms
from scripts.scenes.recordings import Recording, audio, decode, read_manifest, trimmed

PIECE_S, LEAST_S = 3.0, 0.1
LOUD_DBFS = (-45.0, -20.0)
A_GROUP = 2
MOST = 3000
MOST_SHIPPED = 600
FREE = "free/"
"""Recordings of this folder alone are shipped as vectors; of the others nothing but mean and scatter."""


def main() -> None:
    """Embed, and write the file beside the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--without", default="", help="comma-separated sources that are kept for judging")
    parser.add_argument("--model", type=Path, help="by default the one that ships")
    options = parser.parse_args()
    classifier = EmbeddedConfig(type="embedded", model=options.model).build()
    classifier.load()
    without = [name for name in options.without.split(",") if name]
    recordings = drawn(read_manifest(options.manifest, (), without), np.random.default_rng(0))
    rows, kept = embedded(options.manifest.parent, recordings, classifier)
    file = classifier.file.with_suffix(SUFFIX)
    save(file, households(rows, kept, classifier.sidecar.embedding_id))
    print(f"{file}: {len(rows)} recordings, {file.stat().st_size / 1024:.0f} KiB")


def drawn(recordings: Sequence[Recording], rng: np.random.Generator) -> list[Recording]:
    """Two of each group, in any order."""
    groups: dict[tuple[str, str], list[Recording]] = defaultdict(list)
    for one in recordings:
        groups[one.source, one.group].append(one)
    names = sorted(groups)
    return [one for position in rng.permutation(len(names)) for one in groups[names[position]][:A_GROUP]][
        :MOST
    ]


def embedded(
    root: Path, recordings: Sequence[Recording], classifier: EmbeddedClassifier
) -> tuple[Floats, list[Recording]]:
    """The embeddings, shape (m, n), and the recordings that were long enough."""
    rng = np.random.default_rng(0)
    rows, kept = [], []
    for one in recordings:
        for sound in _heard(trimmed(decode(root / one.path)), rng):
            piece = Segment(new_id(), SOURCE, BEGINNING, audio(sound), 0.0, -60.0, -30.0, 0.0, "silence")
            rows.append(classifier.embed([piece])[0])
            kept.append(one)
    return np.asarray(np.stack(rows), np.float32), kept


def _heard(sound: Samples, rng: np.random.Generator) -> Iterator[Samples]:
    piece = sound[: round(PIECE_S * SAMPLE_RATE_HZ)]
    if len(piece) >= LEAST_S * SAMPLE_RATE_HZ:
        loud = piece / rms(piece) * 10 ** (rng.uniform(*LOUD_DBFS) / 20)
        yield np.clip(loud + rng.normal(0, 10 ** (NOISE_DBFS / 20), len(piece)), -1, 1).astype(np.float32)


def households(rows: Floats, recordings: Sequence[Recording], model: str) -> Households:
    """What is shipped of them. `rows` are embeddings of shape (recordings, n)."""
    exact = rows.astype(np.float64)
    free = np.array([one.path.startswith(FREE) for one in recordings])
    return Households(
        model,
        np.asarray(exact.mean(axis=0), np.float32),
        np.asarray(np.cov(exact.T), np.float32),
        rows[free][:MOST_SHIPPED],
    )


if __name__ == "__main__":
    main()
