"""The result of an evaluation: one document, from which table, JSON and picture are made."""

import json
import math
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor.recordings.evaluation.metrics import EventRate, Proportion
from monitor.recordings.evaluation.proposal import Proposal, as_yaml
from monitor.recordings.saving import saved


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label in one condition."""

    label: str
    clips: int
    average_precision: float
    recall: Proportion
    """At the label's onset threshold."""
    precision: Proportion
    calibration_error: float
    onset: float
    proposal: Proposal | None = None
    """None where there are too few recordings to propose an onset."""
    curve: tuple[float, float] | None = None
    """Offset and slope that make its scores probabilities; None where there are too few recordings."""


@dataclass(frozen=True, slots=True)
class Condition:
    """All labels, clean or with noise added."""

    snr_db: float | None
    """None: the recordings as they are."""
    labels: tuple[LabelFigures, ...]
    """Those that occur in the recordings, in the vocabulary's order."""
    confusion: dict[str, dict[str, int]]
    """For recordings of one label: how often which label scored highest."""

    @property
    def mean_average_precision(self) -> float:
        """Macro over labels."""
        return _mean([figures.average_precision for figures in self.labels])

    @property
    def mean_recall(self) -> float:
        """Macro over labels, at the onset thresholds."""
        return _mean([figures.recall.value for figures in self.labels])


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured, on what."""

    classifier: str
    manifest: str
    clips: int
    hours: float
    conditions: tuple[Condition, ...]
    false_events: dict[str, EventRate]
    """By label, on backgrounds (rows without labels)."""
    emotion: dict[str, Proportion]
    """Recall of each acted emotion, where the manifest has them."""
    doubts: tuple[str, ...] = ()
    """Recordings that are damaged, of which the rest was heard, or that could not be read at all."""
    unread: int = 0
    """How many of them were left out."""

    @property
    def emotion_accuracy(self) -> float:
        """Unweighted: the mean of the emotions' recalls."""
        return _mean([recall.value for recall in self.emotion.values() if recall.trials])

    @property
    def proposals(self) -> str:
        """The proposed onsets as YAML to paste."""
        rows = self.conditions[0].labels
        return as_yaml((row.label, row.onset, row.proposal) for row in rows if row.proposal)

    @property
    def calibration(self) -> dict[str, tuple[float, float]]:
        """By label, what makes scores probabilities, where there are recordings enough."""
        return {row.label: row.curve for row in self.conditions[0].labels if row.curve is not None}

    def to_json(self) -> str:
        """Everything, with the derived figures; NaN as null."""
        return json.dumps(_plain(self), indent=1) + "\n"

    def table(self) -> Any:
        """A rich table of the first condition that fits into 80 columns."""
        from rich.table import Table

        condition = self.conditions[0]
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column("label", no_wrap=True)
        for name in ("clips", "AP", "recall", "(95 %)", "prec.", "ECE", "onset", "false/h"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in condition.labels:
            low, high = row.recall.interval
            rate = self.false_events.get(row.label)
            table.add_row(
                row.label, str(row.clips), _number(row.average_precision), _number(row.recall.value),
                f"{low:.2f}-{high:.2f}", _number(row.precision.value), _number(row.calibration_error),
                f"{row.onset:.2f}", _number(rate.per_hour) if rate else "-",
            )  # fmt: skip
        table.add_section()
        means = condition.mean_average_precision, condition.mean_recall
        table.add_row("mean", str(self.clips), *map(_number, means), style="bold")
        return table

    def draw(self, picture: Path) -> None:
        """Write `figure` to a file; its format follows from its name."""
        saved(self.figure(), picture, dpi=90)

    def figure(self) -> Any:
        """Average precision by label and the confusion matrix, and mAP against noise where there is any."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(15, 12), layout="constrained")
        if len(self.conditions) == 1:
            grid = figure.add_gridspec(1, 2, width_ratios=[1, 1.6])
        else:
            grid = figure.add_gridspec(2, 2, width_ratios=[1, 1.6], height_ratios=[1.6, 1])
            self._draw_noise(figure.add_subplot(grid[1, 1]))
        self._draw_precision(figure.add_subplot(grid[:, 0]))
        self._draw_confusion(figure.add_subplot(grid[0, 1]))
        return figure

    def _draw_precision(self, axes: Any) -> None:
        rows = sorted(self.conditions[0].labels, key=lambda row: row.average_precision)
        axes.barh([f"{row.label} ({row.clips})" for row in rows], [row.average_precision for row in rows])
        axes.set(
            xlabel="average precision",
            xlim=(0, 1),
            title=f"mAP {self.conditions[0].mean_average_precision:.3f}",
        )
        axes.tick_params(labelsize=8)
        axes.margins(y=0.01)

    def _draw_confusion(self, axes: Any) -> None:
        confusion = self.conditions[0].confusion
        true = list(confusion)
        predicted = sorted({label for row in confusion.values() for label in row}, key=_last_if_missing(true))
        shares = np.array(
            [[row.get(label, 0) / sum(row.values()) for label in predicted] for row in confusion.values()]
        )
        if shares.size:
            axes.imshow(shares, aspect="auto", cmap="Blues", vmin=0, vmax=1)
            size = max(4.0, min(9.0, 260 / max(shares.shape)))
            for (row, column), share in np.ndenumerate(shares):
                count = confusion[true[row]].get(predicted[column], 0)
                if count:
                    colour = "white" if share > 0.5 else "black"
                    axes.text(column, row, str(count), ha="center", va="center", fontsize=size, color=colour)
        axes.set_xticks(range(len(predicted)), predicted, rotation=90, fontsize=6)
        axes.set_yticks(range(len(true)), true, fontsize=6)
        axes.set(xlabel="scored highest", ylabel="recording of one label")

    def _draw_noise(self, axes: Any) -> None:
        noisy = [c for c in self.conditions if c.snr_db is not None]
        places = [*sorted(float(c.snr_db or 0) for c in noisy)]
        by_snr = {c.snr_db: c for c in noisy}
        for name, value in (("mAP", "mean_average_precision"), ("recall at onset", "mean_recall")):
            line = axes.plot(places, [getattr(by_snr[snr], value) for snr in places], marker="o", label=name)
            axes.axhline(getattr(self.conditions[0], value), linestyle=":", color=line[0].get_color())
        axes.set(xlabel="signal to noise, dB (dotted: as recorded)", ylim=(0, 1))
        axes.legend()


def _last_if_missing(order: list[str]) -> Any:
    return lambda label: (order.index(label) if label in order else len(order), label)


def _mean(values: list[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _plain(value: Any) -> Any:
    """As JSON has it: dataclasses with their properties, NaN as null, floats to five places."""
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        derived = [name for name, kind in vars(type(value)).items() if isinstance(kind, property)]
        return {name: _plain(getattr(value, name)) for name in [*(f.name for f in fields(value)), *derived]}
    return value
