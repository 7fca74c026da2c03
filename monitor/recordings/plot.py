"""One picture of what was heard in a recording, on one time axis."""

import math
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from monitor.clock import BEGINNING
from monitor.config.model import Config
from monitor.pipeline.build import LoadedClassifiers
from monitor.recordings.analysis import Analysis, Watch, analyze
from monitor.recordings.rows import ResultRow
from monitor.recordings.saving import saved
from monitor.types import Detection, Findings, Frame, Level

QUIETEST_DBFS = -100.0
SHOWN_LABELS = 6
LEVEL_EVERY_S = 1.0
COLUMNS = 3000
POINTS = 1000
BLOCK = 160
"""10 ms."""
WINDOW = 512
_HANN = np.hanning(WINDOW).astype(np.float32)
_ALERT_COLOURS = {"critical": "#c0392b", "warning": "#d68910", "info": "#2874a6"}


class Columns:
    """Envelope, power and spectrum of a recording, however long, in at most twice `COLUMNS` columns of equal
    length: when there are more, each two neighbours become one."""

    def __init__(self) -> None:
        self.count = 0
        self._blocks_each = 1
        self._low, self._high, self._power = np.zeros((3, 2 * COLUMNS), np.float32)
        self._spectrum = np.zeros((2 * COLUMNS, WINDOW // 2 + 1), np.float32)
        self._blocks_in = 0
        self._before = np.zeros(WINDOW - BLOCK, np.float32)

    @property
    def column_s(self) -> float:
        """The length of a column."""
        return self._blocks_each * BLOCK / SAMPLE_RATE_HZ

    @property
    def times_s(self) -> Any:
        """Where each column begins."""
        return np.arange(self.count) * self.column_s

    @property
    def envelope(self) -> tuple[Any, Any]:
        """Lowest and highest sample of each column."""
        return self._low[: self.count], self._high[: self.count]

    @property
    def levels_dbfs(self) -> Any:
        """The level of each column."""
        return 10 * np.log10(np.maximum(self._power[: self.count], 10 ** (QUIETEST_DBFS / 10)))

    @property
    def spectrum_db(self) -> Any:
        """(columns, frequencies), relative to a full-scale sine; the mean over each column."""
        return 10 * np.log10(self._spectrum[: self.count] + 1e-12)

    def push(self, samples: Any) -> None:
        """More of the recording; a rest shorter than 10 ms is left out."""
        blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
        joined = np.concatenate((self._before, blocks.ravel()))
        self._before = joined[len(joined) - len(self._before) :]
        windows = np.lib.stride_tricks.sliding_window_view(joined, WINDOW)[::BLOCK] * _HANN
        spectra = np.abs(np.fft.rfft(windows, axis=1)) ** 2 / _HANN.sum() ** 2
        for block, spectrum in zip(blocks, spectra, strict=True):
            self._add(block, spectrum)

    def _add(self, block: Any, spectrum: Any) -> None:
        """The last column is not counted until it is whole, and grows by one block."""
        if self.count == 2 * COLUMNS:
            self._join()
        at, share = self.count, 1 / self._blocks_each
        fresh = self._blocks_in == 0
        self._low[at] = min(block.min(), np.inf if fresh else self._low[at])
        self._high[at] = max(block.max(), -np.inf if fresh else self._high[at])
        self._power[at] = np.dot(block, block) / BLOCK * share + (0 if fresh else self._power[at])
        self._spectrum[at] = spectrum * share + (0 if fresh else self._spectrum[at])
        self._blocks_in = (self._blocks_in + 1) % self._blocks_each
        self.count += self._blocks_in == 0

    def _join(self) -> None:
        self._low[:COLUMNS] = self._low.reshape(-1, 2).min(axis=1)
        self._high[:COLUMNS] = self._high.reshape(-1, 2).max(axis=1)
        self._power[:COLUMNS] = self._power.reshape(-1, 2).mean(axis=1)
        self._spectrum[:COLUMNS] = self._spectrum.reshape(COLUMNS, 2, -1).mean(axis=1)
        self.count = COLUMNS
        self._blocks_each *= 2


class PlotTrack:
    """Values over time, at most twice `POINTS`: when there are more, the higher of each two is kept."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float, str]] = []
        """Time, value, and the segment it is of."""

    def add(self, at_s: float, value: float, segment: str = "") -> None:
        """One more."""
        self.points.append((at_s, value, segment))
        if len(self.points) > 2 * POINTS:
            self.points.sort()
            pairs = zip(self.points[::2], self.points[1::2], strict=False)
            self.points = [max(pair, key=lambda point: point[1]) for pair in pairs]

    def lines(self) -> tuple[list[float], list[float]]:
        """Times and values in order, with NaN between two segments: nothing was heard there, and a line
        across would suggest that something was."""
        times_s: list[float] = []
        values: list[float] = []
        before = None
        for at_s, value, segment in sorted(self.points):
            if before not in (None, segment):
                times_s.append(at_s)
                values.append(math.nan)
            times_s.append(at_s)
            values.append(value)
            before = segment
        return times_s, values


class PlotData:
    """Keeps what the picture shows while the recording is analysed; its memory does not grow with the
    recording's length."""

    def __init__(self) -> None:
        self.columns = Columns()
        self.floor = PlotTrack()
        self.segments: dict[str, tuple[float, float]] = {}
        """Begin and length."""
        self.scores: dict[str, PlotTrack] = defaultdict(PlotTrack)

    def __call__(self, frame: Frame, heard: Findings | None, detections: list[Detection]) -> None:
        """See `analysis.Watch`."""
        self.columns.push(frame.audio.samples)
        for detection in detections:
            of = detection.segment_id or ""
            self.scores[detection.label].add(_s(detection.ends_at), detection.score, of)
        for notice in heard.notices if heard else ():
            if isinstance(notice, Level):
                self.floor.add(_s(notice.at), notice.floor_dbfs)
        for segment in heard.segments if heard else ():
            self.segments[segment.id] = (_s(segment.started_at), segment.audio.duration_s)

    def loudest_labels(self) -> list[str]:
        """The labels with the highest scores, best first."""
        best = {label: max(score for _, score, _ in track.points) for label, track in self.scores.items()}
        return sorted(best, key=lambda label: -best[label])[:SHOWN_LABELS]


def plot_analysis(
    path: Path,
    config: Config,
    classifiers: LoadedClassifiers,
    source: str,
    picture: Path,
    watch: Watch | None = None,
) -> Analysis:
    """Analyse a recording and draw waveform, spectrogram, level against floor with the segments, scores, and
    events. The picture's format follows from its name. `watch` is shown every frame too."""
    gate = config.gate.model_copy(update={"level_every_s": LEVEL_EVERY_S})
    witness = PlotData()

    def see(frame: Frame, heard: Findings | None, detections: list[Detection]) -> None:
        witness(frame, heard, detections)
        if watch:
            watch(frame, heard, detections)

    result = analyze(path, config.model_copy(update={"gate": gate}), classifiers, source, see)
    if witness.columns.count:
        _draw(result, witness, picture)
    return result


def _draw(result: Analysis, witness: PlotData, picture: Path) -> None:
    from matplotlib.figure import Figure

    width_inches = min(max(12.0, result.duration_s / 6), 60.0)
    figure = Figure(figsize=(width_inches, 10), layout="constrained")
    axes = figure.subplots(5, 1, sharex=True, height_ratios=(1, 2, 1.5, 1.5, 1))
    _waveform(axes[0], witness.columns)
    _spectrogram(axes[1], witness.columns)
    _levels(axes[2], witness)
    _scores(axes[3], witness)
    _events(axes[4], result.rows)
    axes[0].set_title(Path(result.file).name, loc="left")
    axes[-1].set_xlabel("time in s")
    axes[-1].set_xlim(0, max(result.duration_s, 0.1))
    saved(figure, picture, dpi=100)


def _waveform(axis: Any, columns: Columns) -> None:
    axis.fill_between(columns.times_s, *columns.envelope, color="#5d6d7e", linewidth=0.5)
    axis.set_ylabel("waveform")


def _spectrogram(axis: Any, columns: Columns) -> None:
    extent = (0, columns.count * columns.column_s, 0, SAMPLE_RATE_HZ / 2000)
    decibels = columns.spectrum_db.T
    axis.imshow(decibels, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-110, vmax=-30)
    axis.set_ylabel("frequency in kHz")


def _levels(axis: Any, witness: PlotData) -> None:
    columns = witness.columns
    axis.plot(columns.times_s, columns.levels_dbfs, color="#5d6d7e", linewidth=0.6)
    if witness.floor.points:
        axis.step(*witness.floor.lines(), color="#1e8449", where="post", label="noise floor")
        _legend(axis)
    # One collection: a patch for each segment of a night would take minutes to draw.
    axis.broken_barh(
        list(witness.segments.values()), (0, 1), transform=axis.get_xaxis_transform(),
        color="#f5b041", alpha=0.25, linewidth=0,
    )  # fmt: skip
    axis.set_ylabel("level in dBFS\n(shaded: segments)")


def _legend(axis: Any) -> None:
    """Beside the curves: inside, it would hide the highest of them."""
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize="small", frameon=False)


def _scores(axis: Any, witness: PlotData) -> None:
    for label in witness.loudest_labels():
        axis.plot(*witness.scores[label].lines(), marker=".", markersize=4, linewidth=0.8, label=label)
    axis.set_ylim(0, 1.05)
    axis.set_ylabel("score")
    if witness.scores:
        _legend(axis)


def _events(axis: Any, rows: list[ResultRow]) -> None:
    events = [row for row in rows if row["type"] == "event"]
    labels = sorted({row["label"] for row in events})
    for row in events:
        solid = row["certainty"] == "confirmed"
        length_s = max(row["end_s"] - row["start_s"], 0.05)
        axis.barh(labels.index(row["label"]), length_s, left=row["start_s"], alpha=1.0 if solid else 0.4)
    for row in rows:
        if row["type"] == "alert":
            _alert(axis, row)
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylabel("events\n(dashed: alerts,\nwhen decided)")


def _alert(axis: Any, row: ResultRow) -> None:
    """A dashed line where it was decided, with its rule's name."""
    colour = _ALERT_COLOURS[row["severity"]]
    axis.axvline(row["decided_s"], color=colour, linewidth=1.5, linestyle="--")
    axis.text(
        row["decided_s"], 1.0, f" {row['rule']}", transform=axis.get_xaxis_transform(),
        rotation=90, va="top", ha="left", fontsize=7, color=colour, clip_on=True,
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5},
    )  # fmt: skip


def _s(at: datetime) -> float:
    return (at - BEGINNING).total_seconds()
