"""How often speech would be kept, and how often a clip without speech is withheld, by the bars for words.

    python scripts/bench privacy DATA --split valid --most 60

DATA holds manifest.csv (path, labels; split if there is one). Each recording lies between three quiet seconds
on either side; half of the speech also lies 10 dB below another sound. Gate, sound model and voice detector
are the daemon's. `voice alone` is any voice, or a score of 0.1; `both` are the bars in force; the others have
one of them changed.
"""

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.classifiers.base import judged
from monitor.config.loading import default_config
from monitor.evidence.privacy import BARS, Bars, Words, speech_spans
from monitor.evidence.ring_buffer import Excerpt
from monitor.gate.voice import VoiceDetector
from monitor.pipeline.build import LoadedClassifiers, build_front_end, load_classifiers
from monitor.sources.recording import read_audio
from monitor.types import Findings
from scripts.bench.table import show
from testkit.builders import START, frames

KINDS = {
    "speech": ("Speech",),
    "shout, singing": ("Shout", "Singing"),
    "glass": ("Shatter", "Glass"),
    "knock, door": ("Knock", "Door", "Slam"),
    "dog": ("Dog", "Bark"),
    "alarm": ("Smoke detector, smoke alarm", "Fire alarm", "Alarm", "Siren"),
    "dishes": ("Dishes, pots, and pans",),
    "footsteps": ("Walk, footsteps",),
    "cough, sneeze": ("Cough", "Sneeze"),
    "baby": ("Baby cry, infant cry",),
    "scream": ("Screaming",),
    "music": ("Music",),
}
"""Names in the manifest; the first that fits."""
SPOKEN_KINDS = ("speech", "shout, singing", "speech below a sound")
QUIET_S, LONGEST_S, FLOOR_DBFS, BELOW_DB = 3.0, 10.0, -62.0, 10.0
CHOICES = {
    "voice alone": Bars(words=0.1, words_with_voice=0.0, voice=1e-9),
    "both": BARS,
    **{f"words {words}": replace(BARS, words_with_voice=words) for words in (0.01, 0.03, 0.05)},
    **{f"voice {voice}": replace(BARS, voice=voice) for voice in (0.3, 0.7)},
}


@dataclass(frozen=True, slots=True)
class HeardRecording:
    """A recording in a quiet room, and what was heard of it."""

    kind: str
    clip: Excerpt
    words: Words
    voiced: tuple[bool, ...]
    """The voice detector's word for every 30 ms."""


def kind_of(labels: str) -> str | None:
    """Of what a recording is, as far as it matters here."""
    names = set(labels.split(";"))
    return next((kind for kind, known in KINDS.items() if names.intersection(known)), None)


def recordings(
    folder: Path, split: str | None, most: int, rng: np.random.Generator
) -> Iterator[tuple[str, Samples]]:
    """Kind and sound, at most so many of a kind; those of words with another kind in them count as words."""
    with (folder / "manifest.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if split is None or row.get("split") == split]
    rng.shuffle(rows)
    left = dict.fromkeys(KINDS, most)
    for row in rows:
        kind = kind_of(row["labels"])
        if kind and left[kind]:
            left[kind] -= 1
            yield (
                kind,
                read_audio(folder / row["path"], SAMPLE_RATE_HZ).samples[: round(LONGEST_S * SAMPLE_RATE_HZ)],
            )


def below(speech: Samples, sound: Samples) -> Samples:
    """Speech with another sound over it, which is louder."""
    length = max(len(speech), len(sound))
    mixed = np.zeros(length, np.float32)
    level_db = Audio(sound, SAMPLE_RATE_HZ).rms_dbfs - BELOW_DB - Audio(speech, SAMPLE_RATE_HZ).rms_dbfs
    mixed[: len(speech)] += speech * np.float32(10 ** (level_db / 20))
    mixed[: len(sound)] += sound
    return mixed


def listen(
    kind: str, samples: Samples, classifiers: LoadedClassifiers, rng: np.random.Generator
) -> HeardRecording:
    """What the daemon would remember of it."""
    config = default_config([{"type": "demo", "name": "room"}])
    quiet = np.zeros(round(QUIET_S * SAMPLE_RATE_HZ), np.float32)
    sound = np.concatenate((quiet, samples, quiet))
    sound += rng.standard_normal(len(sound)).astype(np.float32) * np.float32(10 ** (FLOOR_DBFS / 20))
    ears, words = build_front_end(config, config.sources[0], classifiers), Words()

    def take(heard: Findings | None) -> None:
        for segment in heard.segments if heard else ():
            found = [one for model in classifiers.first for one in judged(model, [segment])]
            words.hear(Findings("room", segment.ends_at, tuple(found), (segment,)))

    whole = Audio(np.clip(sound, -1, 1), SAMPLE_RATE_HZ)
    pieces, detector = frames(whole.samples, "room"), VoiceDetector()
    for frame in pieces:
        take(ears.push(frame))
    take(ears.finish("shutdown"))
    voiced = tuple(detector.hears_voice(frame.audio) for frame in pieces)
    return HeardRecording(kind, Excerpt(START, whole), words, voiced)


def scenes(folder: Path, split: str | None, most: int) -> Iterator[HeardRecording]:
    """Every recording, then speech below others."""
    rng = np.random.default_rng(20)
    classifiers = load_classifiers(default_config([{"type": "demo", "name": "room"}]))
    by_kind: dict[str, list[Samples]] = defaultdict(list)
    for kind, samples in recordings(folder, split, most, rng):
        by_kind[kind].append(samples)
        yield listen(kind, samples, classifiers, rng)
    others = [sound for kind in ("glass", "knock, door", "dog", "alarm", "dishes") for sound in by_kind[kind]]
    for speech in by_kind["speech"][: most // 2 if others else 0]:
        over = others[int(rng.integers(len(others)))]
        yield listen("speech below a sound", below(speech, over), classifiers, rng)


def is_withheld(scene: HeardRecording, bars: Bars) -> bool:
    """Whether nothing of it would be kept."""
    voiced = iter(scene.voiced)
    return bool(speech_spans(scene.clip, scene.words, lambda _: next(voiced), bars))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default=None, help="only these rows of the manifest")
    parser.add_argument("--most", type=int, default=60, help="recordings of a kind")
    options = parser.parse_args()
    withheld: dict[str, Counter[str]] = defaultdict(Counter)
    for scene in scenes(options.data, options.split, options.most):
        withheld[scene.kind].update(
            ["clips", *(name for name, bars in CHOICES.items() if is_withheld(scene, bars))]
        )
    kinds = sorted(withheld, key=lambda kind: kind not in SPOKEN_KINDS)
    rows = [{"kind": kind, **{name: withheld[kind][name] for name in ("clips", *CHOICES)}} for kind in kinds]
    show(rows, "Clips that are withheld: of speech all should be, of the others none")


if __name__ == "__main__":
    main()
