"""The training report: losses over the steps, as a picture."""

import json
from pathlib import Path


def draw_training(log: Path, picture: Path) -> None:
    """From the run's log.jsonl; later lines replace earlier ones of the same step, as after a resumption."""
    from matplotlib.figure import Figure

    by_step = {row["step"]: row for row in map(json.loads, log.read_text().splitlines())}
    rows = [by_step[step] for step in sorted(by_step)]
    figure = Figure(figsize=(11, 6), layout="constrained")
    names = ("label", "said", "logits", "emotion", "lr")
    for axes, name in zip(figure.subplots(2, 3).flat, names, strict=False):
        axes.plot([row["step"] for row in rows], [row[name] for row in rows])
        axes.set(title=name, xlabel="step", yscale="log" if name in ("label", "said") else "linear")
    stages = figure.axes[-1]
    stages.plot([row["step"] for row in rows], [row["astray"] for row in rows])
    stages.set(title="of the teacher's maps missed, by stage", xlabel="step", ylim=(0, 1))
    figure.savefig(picture, dpi=90)
