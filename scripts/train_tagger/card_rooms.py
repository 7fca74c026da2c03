"""The model card's tables of clips, scenes and days of unknown sources, and of what hears beside a YAMNet."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.train_tagger.in_rooms import ALL, GRAVE
from testkit import markdown

THIS, BEFORE = "this one", "before"
NAMED = {ALL: "all alert labels", GRAVE: "critical labels"}
HEAD = (
    "labels", "mAP of clips", "labels in scenes", "sounds", "recall", "false an hour", "false a day",
)  # fmt: skip


def fields(rooms: Mapping[str, Any], unseen: Mapping[str, Any]) -> dict[str, str]:
    """Of the card's template."""
    own, earlier = rooms[THIS], rooms.get(BEFORE)
    rows = [_row(group, each, unseen["groups"].get(group)) for group, each in own["groups"].items()]
    mean, bound = own["alerts_a_day"]
    return {
        "rooms": markdown.table(HEAD, rows),
        "rooms_hours": f"{own['hours']:.1f}",
        "rooms_recordings": str(own["recordings"]),
        "rooms_background_hours": f"{own['background_hours']:.1f}",
        "rooms_background_recordings": str(own["background_recordings"]),
        "rooms_alerts": f"{mean:.0f} a day (≤ {bound:.0f})",
        "rooms_rules": ", ".join(f"*{rule}* {count}" for rule, count in own["alerts"].items()),
        "rooms_before": _before(earlier["groups"][ALL], earlier["groups"][GRAVE]) if earlier else "",
    }


def company(figures: Mapping[str, Any]) -> dict[str, str]:
    """Of the card's template."""
    rows = [(name, f"{value:.3f}") for name, value in figures["mean_average_precision"].items()]
    return {
        "company": markdown.table(("judge", "mAP"), rows),
        "company_clips": str(figures["clips"]),
        "company_calibrated": str(figures["calibrated_on"]),
    }


def beside(reports: Mapping[str, Path], calibrated_on: Path) -> dict[str, Any]:
    """What `company` needs, of reports on the same clips."""
    read = {name: json.loads(file.read_text()) for name, file in reports.items()}
    with calibrated_on.open(encoding="utf-8") as lines:
        rows = sum(1 for _ in csv.DictReader(lines))
    return {
        "clips": next(iter(read.values()))["clips"],
        "calibrated_on": rows,
        "mean_average_precision": {
            name: each["conditions"][0]["mean_average_precision"] for name, each in read.items()
        },
    }


def _row(group: str, each: Mapping[str, Any], clips: Mapping[str, Any] | None) -> Sequence[object]:
    mean, bound = each["false_a_day"]
    return (
        NAMED.get(group, group),
        _spread(clips[THIS]) if clips else "",
        each["labels"],
        each["sounds"],
        _spread(each["recall"]) if each["recall"] else "",
        f"{each['false_an_hour']:.1f}",
        f"{mean:.0f} (≤ {bound:.0f})",
    )


def _before(whole: Mapping[str, Any], grave: Mapping[str, Any]) -> str:
    return (
        " The model before it, at its own thresholds, has on these scenes a recall of "
        f"{_spread(whole['recall'])}, {whole['false_an_hour']:.1f} false events an hour and "
        f"{whole['false_a_day'][0]:.0f} a day. The critical labels have {_spread(grave['recall'])}, "
        f"{grave['false_an_hour']:.1f} and "
        f"{grave['false_a_day'][0]:.0f}."
    )


def _spread(figures: Sequence[float]) -> str:
    mean, low, high = figures
    return f"{mean:.2f} ({low:.2f}-{high:.2f})"
