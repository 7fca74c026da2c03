"""How well, how soon and how quietly the rhythm detector hears: the tables and the picture of
docs/reference/rhythm.md.

    python scripts/bench rhythm --trials 40 --jobs 2 [--backgrounds DIRECTORY] [--without CHECK] [--write]
    python scripts/bench rhythm --cadences --trials 10 --impostors 20 [--backgrounds DIRECTORY] [--write]

Seeds below 200 000 are for tuning; the reported figures come from `--seed` 200 000 and up.
"""

import argparse
import csv
import json
import random
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from functools import partial
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from testkit import markdown
from testkit.cadences import table as cadences
from testkit.impostors import IMPOSTORS
from testkit.rhythm_ablation import CHECKS, without
from testkit.rhythm_trials import (
    CONDITIONS,
    LABELS,
    SOON,
    SOUNDERS,
    AlarmTrial,
    RecallCondition,
    Word,
    background,
    impostor,
    listen,
    noise_of,
    trial,
)

DOCS = Path(__file__).parents[2] / "docs" / "reference"
ALARM_LIKE = ("smoke", "alarm", "buzzer", "telephone", "ringtone", "siren")
HARMLESS = ("alarm clock", "beep", "buzzer", "telephone", "ringtone", "siren")
DANGERS = ("smoke", "fire", "carbon")


def without_alarms(directory: Path) -> list[Path]:
    """The recordings of a directory whose manifest.csv names no alarm-like label."""
    with (directory / "manifest.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    quiet = (row for row in rows if not any(word in row["labels"].lower() for word in ALARM_LIKE))
    return [directory / row["path"] for row in quiet]


def like_alarms(directory: Path) -> list[Path]:
    """Those of things that beep, ring and wail, and are no smoke, fire or CO alarm."""
    with (directory / "manifest.csv").open(encoding="utf-8") as lines:
        rows = [(directory / row["path"], " ".join(row.values()).lower()) for row in csv.DictReader(lines)]
    like = (pair for pair in rows if any(word in pair[1] for word in HARMLESS))
    return [path for path, text in like if not any(word in text for word in DANGERS)]


def cost_us(seconds: int = 15) -> dict[str, float]:
    """CPU microseconds for each 30 ms of sound; the least of five passes, as others use the cores too."""
    rng = np.random.default_rng(5)
    length = seconds * SAMPLE_RATE_HZ
    kinds = {"silence": np.zeros(length, np.float32)} | {
        kind: noise_of(kind, rng, length) for kind in ("pink", "music", "babble")
    }
    return {kind: min(_pass_us(samples) for _ in range(5)) for kind, samples in kinds.items()}


def _pass_us(samples: Samples) -> float:
    before = time.process_time()
    listen(samples)
    return (time.process_time() - before) / (len(samples) / 480) * 1e6


def recall_rows(trials: int, seed: int, pool: Any) -> list[dict[str, Any]]:
    """One row for each pattern and condition."""
    rows = []
    for pattern in LABELS:
        for condition in CONDITIONS:
            seeds = range(seed, seed + trials * condition.times)
            results = pool.map(partial(trial, pattern, condition), seeds, chunksize=4)
            rows.append(_row(pattern, condition, results))
            print(_as_line(rows[-1]), flush=True)
    return rows


def _row(pattern: str, condition: RecallCondition, results: Sequence[AlarmTrial]) -> dict[str, Any]:
    row: dict[str, Any] = {"pattern": pattern, "condition": condition.name, "trials": len(results)}
    for certainty, limit in SOON.items():
        times = [t for result in results if (t := getattr(result, certainty)) is not None]
        row[f"{certainty}_recall"] = sum(t <= limit for t in times) / len(results)
        row[f"{certainty}_median"] = float(np.median(times)) if times else None
        row[f"{certainty}_latest"] = max(times, default=None)
    plain = condition.noise == "pink" and condition.rt60_s is None and condition.channel == "plain"
    curve = {"curve": condition.sounder, "snr_db": condition.snr_db} if plain else {}
    return row | curve | {"confused": sum(result.confused for result in results)}


def _as_line(row: dict[str, Any]) -> str:
    def cycles(value: float | None) -> str:
        return "-" if value is None else f"{value:.2f}"

    cells = [row["pattern"], row["condition"], str(row["trials"])]
    for certainty in SOON:
        times = (cycles(row[f"{certainty}_{which}"]) for which in ("median", "latest"))
        cells += [f"{row[f'{certainty}_recall']:.3f}", " / ".join(times)]
    return markdown.row([*cells, row["confused"]])


def silence_rows(results: Iterable[tuple[str, float, list[Word]]]) -> list[str]:
    """Table lines: what was heard, per hour, in what should be passed over."""
    hours: dict[str, float] = {}
    pieces: dict[str, int] = {}
    counts: dict[tuple[str, str], int] = {}
    for name, duration_s, heard in results:
        hours[name] = hours.get(name, 0) + duration_s / 3600
        pieces[name] = pieces.get(name, 0) + 1
        # A rhythm is reported again with each cycle: what counts is whether it was reported at all.
        for label, certainty in dict.fromkeys(heard):
            kind = f"{certainty} smoke or CO" if label in LABELS.values() else label
            counts[name, kind] = counts.get((name, kind), 0) + 1
    kinds = ("suspected smoke or CO", "confirmed smoke or CO", "unknown_alarm", "low_battery_chirp")
    lines = []
    for name in [*sorted(hours), "all"] if len(hours) > 1 else hours:
        names = hours if name == "all" else [name]
        total_h, total = sum(hours[n] for n in names), sum(pieces[n] for n in names)
        found = [sum(counts.get((n, kind), 0) for n in names) for kind in kinds]
        cells = (f"{n} ({n / total_h:.1f})" if n else "0" for n in found)
        lines.append(markdown.row((name, total, f"{total_h:.2f}", *cells)))
    return lines


RECALL_HEAD = markdown.head(
    (
        "rhythm", "condition", "alarms", "suspected ≤ 1.1 cycles", "median / latest",
        "confirmed ≤ 2.2 cycles", "median / latest", "taken for the other",
    )
)  # fmt: skip
SILENCE_HEAD = markdown.head(
    (
        "sound", "pieces", "hours", "suspected smoke or CO: pieces (an hour)", "confirmed smoke or CO",
        "unknown alarm", "chirp",
    )
)  # fmt: skip


def picture(rows: list[dict[str, Any]], path: Path) -> None:
    """Recall after one and two cycles over the band SNR, a curve for each sounder."""
    import matplotlib as mpl

    mpl.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True)
    for axis, pattern in zip(axes, LABELS, strict=True):
        for index, (kind, name) in enumerate(SOUNDERS.items()):
            points = [row for row in rows if row["pattern"] == pattern and row.get("curve") == kind]
            points = [row for row in points if row["snr_db"] is not None]
            for certainty, style in (("suspected", "-"), ("confirmed", ":")):
                x = [row["snr_db"] for row in points]
                y = [row[f"{certainty}_recall"] for row in points]
                axis.plot(x, y, style, color=f"C{index}", marker=".", label=f"{name}, {certainty}")
        axis.set(title=f"{pattern} ({LABELS[pattern]})", xlabel="band SNR (dB)", ylim=(-0.03, 1.03))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("recall")
    axes[1].legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def written(report: str, path: Path, marker: str = "measured") -> None:
    """Replace what stands between the page's markers."""
    begin, end = f"<!-- {marker} -->\n", f"<!-- /{marker} -->"
    page = path.read_text(encoding="utf-8")
    before, rest = page.split(begin)
    path.write_text(before + begin + report + rest[rest.index(end) :], encoding="utf-8")


def _cadences(options: argparse.Namespace) -> None:
    """What a pattern for each European cadence would take."""
    recordings = like_alarms(options.backgrounds)[: options.recordings] if options.backgrounds else []
    with Pool(options.jobs) as pool:
        report = cadences.report(options.trials, options.impostors, options.seed, recordings, pool)
    print("\n".join(report))
    if options.write:
        written("\n".join(report) + "\n", DOCS / "rhythm.md", "cadences")


def main() -> None:
    """Run everything and print it; with --write, into the documentation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--impostors", type=int, default=30, help="performances of each")
    parser.add_argument("--seed", type=int, default=200_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--backgrounds", type=Path, help="recordings with a manifest.csv (path, labels)")
    parser.add_argument("--recordings", type=int, help="no more than so many of them, drawn by the seed")
    parser.add_argument("--json", type=Path, help="keep the rows here too")
    parser.add_argument("--without", choices=CHECKS, help="one of the detector's checks is left out")
    parser.add_argument("--write", action="store_true", help="into docs/reference/rhythm.md and rhythm.svg")
    parser.add_argument("--cadences", action="store_true", help="of European alarms, and nothing else")
    options = parser.parse_args()
    if options.cadences:
        _cadences(options)
        return
    costs = cost_us()
    report = ["CPU for each 30 ms of sound (a budget of 150 µs is 0.5 % of a core): "]
    report[0] += ", ".join(f"{kind} {cost:.0f} µs" for kind, cost in costs.items()) + "."
    print(report[0])
    checks = without(options.without) if options.without else nullcontext()
    with checks, Pool(options.jobs) as pool:
        rows = recall_rows(options.trials, options.seed, pool)
        report += ["", RECALL_HEAD, *map(_as_line, rows)]
        jobs = [(name, options.seed + i) for name in IMPOSTORS for i in range(options.impostors)]
        report += ["", SILENCE_HEAD, *silence_rows(pool.imap_unordered(impostor, jobs, chunksize=4))]
        if options.backgrounds:
            paths = without_alarms(options.backgrounds)
            random.Random(options.seed).shuffle(paths)
            paths = paths[: options.recordings]
            lines = silence_rows(pool.imap_unordered(background, paths, chunksize=16))
            report += ["", f"{len(paths)} recordings without alarms:", "", SILENCE_HEAD, *lines]
    print("\n".join(report))
    if options.json:
        options.json.write_text(json.dumps({"report": report, "rows": rows}, indent=1), encoding="utf-8")
    if options.write:
        picture(rows, DOCS / "rhythm.svg")
        written("\n".join(report) + "\n", DOCS / "rhythm.md")


if __name__ == "__main__":
    main()
