"""The recordings that scenes are composed of: whole sources, chosen by name."""

import csv
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio, Samples
from monitor.labels import vocabulary

QUIETEST = 1e-3
"""A recording's ends below this share of its highest power (-30 dB) are cut off: they are not the sound."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One row of the manifest: `labels` are ours, from the row's AudioSet names."""

    path: str
    source: str
    group: str
    labels: frozenset[str]
    duration_s: float


class Unusable(Exception):
    """The manifest or the choice of sources leaves nothing to compose of."""


def read_manifest(
    manifest: Path, sources: Collection[str] = (), without: Collection[str] = (), split: str = ""
) -> list[Recording]:
    """The rows of these sources (all, if none is named) but for those `without`, of one split if it is given.
    Raises Unusable when a source is unknown or nothing is left."""
    try:
        with manifest.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise Unusable(f"{manifest} cannot be read ({error.strerror})") from error
    known = {row["source"] for row in rows}
    if unknown := sorted({*sources, *without} - known):
        raise Unusable(f"{manifest}: no source {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    found = [
        Recording(row["path"], row["source"], row["group"], _labels(row["labels"]), float(row["duration_s"]))
        for row in rows
        if (not sources or row["source"] in sources)
        and row["source"] not in without
        and split in ("", row["split"])
    ]
    if not found:
        raise Unusable(f"{manifest}: no recording is left of {len(rows)}")
    return found


def _labels(names: str) -> frozenset[str]:
    """Our labels for `;`-separated AudioSet display names, in which commas may stand."""
    wanted = {name.strip() for name in names.split(";")}
    return frozenset(row.id for row in vocabulary().values() if wanted & set(row.audioset_names))


@dataclass
class Pool:
    """Recordings by label, decoded when first used and then kept."""

    root: Path
    recordings: list[Recording]
    _kept: dict[str, Samples] = field(default_factory=dict)

    def of(self, label: str, avoid: Collection[str] = ()) -> list[Recording]:
        """Those that carry a label and none of `avoid`."""
        return [one for one in self.recordings if label in one.labels and not one.labels & set(avoid)]

    def samples(self, path: str) -> Samples:
        """The recording at 16 kHz, without the quiet at its ends; float32, shape (samples,)."""
        if path not in self._kept:
            self._kept[path] = trimmed(decode(self.root / path))
        return self._kept[path]


def trimmed(samples: Samples) -> Samples:
    """Without what lies 30 dB below the loudest 50 ms, at both ends."""
    width = SAMPLE_RATE_HZ // 20
    power = np.convolve(samples**2, np.ones(width, np.float32) / width, "same")
    loud = np.flatnonzero(power > max(1e-9, float(power.max(initial=0)) * QUIETEST))
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def decode(path: Path) -> Samples:
    """Mono 16 kHz float32 of any file that FFmpeg reads."""
    import av

    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
        frames = [*container.decode(audio=0), None]
        blocks = [block.to_ndarray().reshape(-1) for one in frames for block in resampler.resample(one)]
    return np.concatenate(blocks).astype(np.float32) if blocks else np.zeros(0, np.float32)


def write_wav(path: Path, samples: Samples) -> None:
    """16-bit mono WAV."""
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def audio(samples: Samples) -> Audio:
    """A copy as the pipeline's value."""
    return Audio(np.array(samples, np.float32), SAMPLE_RATE_HZ)
