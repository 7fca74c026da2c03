"""One picture of what was heard in a recording, on one time axis."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from monitor.analysis import BEGINNING, Analysis, Row, analyze
from monitor.assembly import Listeners
from monitor.audio import SAMPLE_RATE_HZ
from monitor.config import Config
from monitor.types import Detection, Frame, Heard, Level, Segment

QUIETEST_DBFS = -100.0
SHOWN_LABELS = 6
LEVEL_EVERY_S = 1.0
_ALERT_COLOURS = {"critical": "#c0392b", "warning": "#d68910", "info": "#2874a6"}


class Witness:
    """Keeps what the picture shows while the recording is analysed."""

    def __init__(self) -> None:
        self.samples: list[Any] = []
        self.floors: list[Level] = []
        self.segments: dict[str, Segment] = {}
        self.scores: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def __call__(self, frame: Frame, heard: Heard | None, detections: list[Detection]) -> None:
        """See `analysis.Watch`."""
        self.samples.append(frame.audio.samples)
        for detection in detections:
            self.scores[detection.label].append((_s(detection.ends_at), detection.score))
        if heard:
            self.floors += [notice for notice in heard.notices if isinstance(notice, Level)]
            self.segments |= {segment.id: segment for segment in heard.segments}

    def loudest_labels(self) -> list[str]:
        """The labels with the highest scores, best first."""
        best = {label: max(score for _, score in points) for label, points in self.scores.items()}
        return sorted(best, key=lambda label: -best[label])[:SHOWN_LABELS]


def plot_analysis(path: Path, config: Config, listeners: Listeners, source: str, picture: Path) -> Analysis:
    """Analyse a recording and draw waveform, spectrogram, level against floor with the segments, scores, and
    events. The picture's format follows from its name."""
    gate = config.gate.model_copy(update={"level_every_s": LEVEL_EVERY_S})
    witness = Witness()
    result = analyze(path, config.model_copy(update={"gate": gate}), listeners, source, witness)
    if witness.samples:
        _draw(result, witness, picture)
    return result


def _draw(result: Analysis, witness: Witness, picture: Path) -> None:
    from matplotlib.figure import Figure

    width_inches = min(max(12.0, result.duration_s / 6), 60.0)
    figure = Figure(figsize=(width_inches, 10), layout="constrained")
    axes = figure.subplots(5, 1, sharex=True, height_ratios=(1, 2, 1.5, 1.5, 1))
    samples = np.concatenate(witness.samples)
    _waveform(axes[0], samples)
    _spectrogram(axes[1], samples)
    _levels(axes[2], samples, witness)
    _scores(axes[3], witness)
    _events(axes[4], result.rows)
    axes[0].set_title(Path(result.file).name, loc="left")
    axes[-1].set_xlabel("time in s")
    axes[-1].set_xlim(0, max(result.duration_s, 0.1))
    figure.savefig(picture, dpi=100)


def _waveform(axis: Any, samples: Any) -> None:
    """Envelope of at most 4000 points: a line through every sample of an hour would take minutes."""
    step = max(1, len(samples) // 4000)
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    time_s = np.arange(len(blocks)) * step / SAMPLE_RATE_HZ
    axis.fill_between(time_s, blocks.min(axis=1), blocks.max(axis=1), color="#5d6d7e", linewidth=0.5)
    axis.set_ylabel("waveform")


def _spectrogram(axis: Any, samples: Any) -> None:
    size = 512
    hop = max(160, len(samples) // 6000)
    starts = np.arange(0, max(len(samples) - size, 1), hop)
    padded = np.pad(samples, (0, size))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[starts] * np.hanning(size)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2 / np.hanning(size).sum() ** 2
    decibels = 10 * np.log10(power.T + 1e-12)
    extent = (0, len(samples) / SAMPLE_RATE_HZ, 0, SAMPLE_RATE_HZ / 2000)
    axis.imshow(decibels, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-110, vmax=-30)
    axis.set_ylabel("frequency in kHz")


def _levels(axis: Any, samples: Any, witness: Witness) -> None:
    frame = 480
    blocks = samples[: len(samples) // frame * frame].reshape(-1, frame)
    levels = 10 * np.log10(np.maximum((blocks**2).mean(axis=1), 10 ** (QUIETEST_DBFS / 10)))
    axis.plot(np.arange(len(levels)) * frame / SAMPLE_RATE_HZ, levels, color="#5d6d7e", linewidth=0.6)
    axis.step(
        [_s(level.at) for level in witness.floors],
        [level.floor_dbfs for level in witness.floors],
        color="#1e8449", where="post", label="noise floor",
    )  # fmt: skip
    for segment in witness.segments.values():
        axis.axvspan(_s(segment.started_at), _s(segment.ends_at), color="#f5b041", alpha=0.25, linewidth=0)
    axis.set_ylabel("level in dBFS\n(shaded: segments)")
    if witness.floors:
        axis.legend(loc="upper right", fontsize="small")


def _scores(axis: Any, witness: Witness) -> None:
    for label in witness.loudest_labels():
        times_s, scores = zip(*sorted(witness.scores[label]), strict=True)
        axis.plot(times_s, scores, marker=".", markersize=4, linewidth=0.8, label=label)
    axis.set_ylim(0, 1.3)
    axis.set_ylabel("score")
    if witness.scores:
        axis.legend(loc="upper right", fontsize="small", ncols=3)


def _events(axis: Any, rows: list[Row]) -> None:
    events = [row for row in rows if row["type"] == "event"]
    labels = sorted({row["label"] for row in events})
    for row in events:
        solid = row["certainty"] == "confirmed"
        length_s = max(row["end_s"] - row["start_s"], 0.05)
        axis.barh(labels.index(row["label"]), length_s, left=row["start_s"], alpha=1.0 if solid else 0.4)
    for row in rows:
        if row["type"] == "alert":
            axis.axvline(row["start_s"], color=_ALERT_COLOURS[row["severity"]], linewidth=1.5, linestyle="--")
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylabel("events\n(dashed: alerts)")


def _s(at: datetime) -> float:
    return (at - BEGINNING).total_seconds()
