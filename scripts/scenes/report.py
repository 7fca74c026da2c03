"""The tables that `scripts/bench scenes` prints, as rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median, quantiles
from typing import Any

import numpy as np

from monitor.recordings.evaluation.metrics import Proportion
from scripts.scenes import backgrounds
from scripts.scenes.kinds import ALERTS, CRITICAL, HOUSE_HOURS
from scripts.scenes.losses import WHERE, Loss
from scripts.scenes.scoring import Heard, Score

Rows = list[dict[str, Any]]


def by_label(score: Score, losses: Iterable[Loss] = ()) -> Rows:
    """One row for each placed label, then the labels that were false though never placed."""
    lost = Counter((one.placed.label, one.where) for one in losses)
    rows = [
        {
            "label": label,
            **_recall(own := [one for one in score.sounds if one.placed.label == label]),
            "latency_s": _median(own),
            "repeats": sum(one.repeats for one in own),
            "false_an_hour": round(score.false_an_hour([label]), 2),
            "instead": _instead(score, label),
            "lost": _lost(lost, label),
        }
        for label in score.labels
    ]
    others = Counter(one.label for one in score.false if one.label not in score.labels)
    return rows + [
        {
            "label": label,
            "false_an_hour": round(score.false_an_hour([label]), 2),
            "instead": _instead(score, label),
        }
        for label in others
    ]


def by_condition(score: Score) -> Rows:
    """Recall by ratio, room and line; micro, and macro over labels."""
    ways: list[tuple[str, list[Heard]]] = [
        (f"{snr:g} dB", [s for s in score.sounds if s.placed.snr_db == snr])
        for snr in sorted({s.placed.snr_db for s in score.sounds})
    ]
    ways += [
        ("dry", [s for s in score.sounds if not s.room]),
        ("room", [s for s in score.sounds if s.room]),
        ("wide", [s for s in score.sounds if not s.line]),
        ("telephone", [s for s in score.sounds if s.line]),
    ]
    return [
        {"condition": name, **_recall(own), "macro": round(Score(sounds=own).macro_recall, 3)}
        for name, own in ways
    ]


def totals(score: Score, name: str) -> dict[str, Any]:
    """One line that says it all."""
    waits = [one.latency_s for one in score.sounds if one.latency_s is not None]
    return {
        "system": name,
        "hours": round(score.hours, 2),
        "sounds": len(score.sounds),
        "macro_recall": round(score.macro_recall, 3),
        "recall": round(score.recall(), 3),
        "false_an_hour": round(score.false_an_hour(), 2),
        "false_all_alert_labels": round(score.false_an_hour(ALERTS), 2),
        "repeats": sum(one.repeats for one in score.sounds),
        "latency_s": _median(score.sounds),
        "latency_p95_s": round(quantiles(waits, n=20)[-1], 2) if len(waits) > 1 else "",
    }


def of_losses(losses: Sequence[Loss], sounds: int) -> Rows:
    """How many sounds were lost where."""
    count = Counter(one.where for one in losses)
    return [
        {"lost": where, "sounds": count[where], "share": round(count[where] / max(1, sounds), 3)}
        for where in WHERE
    ]


def of_backgrounds(scenes: Sequence[tuple[str, Any, Any]], alerts: Sequence[tuple[str, Any, Any]]) -> Rows:
    """One row for each kind of background, then a day of a house."""
    named: dict[str, Mapping[str, backgrounds.Kind]] = {
        "critical": backgrounds.kinds(scenes, CRITICAL),
        "alert_labels": backgrounds.kinds(scenes, ALERTS),
        "alerts": backgrounds.kinds(alerts, {one.label for _, _, false in alerts for one in false}),
    }
    rng = np.random.default_rng(0)
    rows: Rows = []
    for kind, own in named["critical"].items():
        row = {
            "kind": kind,
            "hours": round(own.hours, 2),
            "distinct_min": round(own.distinct_minutes, 1),
            "recordings": len(own.recordings),
        }
        for what, found in named.items():
            row[f"{what}_an_hour"] = round(found[kind].an_hour, 2)
            row[f"{what}_bound"] = round(found[kind].bound(rng), 2)
        rows.append(row)
    whole = {what: _together(found) for what, found in named.items()}
    total: dict[str, Any] = {
        "kind": "all, by hours heard",
        "hours": round(whole["critical"].hours, 2),
        "distinct_min": round(whole["critical"].distinct_minutes, 1),
        "recordings": len(whole["critical"].recordings),
    }
    day: dict[str, Any] = {"kind": "a day of a house", "hours": sum(HOUSE_HOURS.values())}
    for what, found in named.items():
        total[f"{what}_an_hour"] = round(whole[what].an_hour, 2)
        total[f"{what}_bound"] = round(whole[what].bound(rng), 2)
        mean, bound = backgrounds.a_day(found)
        day[f"{what}_an_hour"], day[f"{what}_bound"] = f"{mean:.2f} a day", f"{bound:.2f} a day"
    return [*rows, total, day]


def _together(found: Mapping[str, backgrounds.Kind]) -> backgrounds.Kind:
    whole = backgrounds.Kind()
    for kind, own in found.items():
        for path, one in own.recordings.items():
            whole.recordings[f"{kind} {path}"] = one
    return whole


def of_false(score: Score, most: int = 20) -> Rows:
    """Which recordings were taken for what, the most frequent first."""
    count = Counter((one.label, one.instead, one.path) for one in score.false)
    return [
        {"taken_for": label, "was": instead, "times": times, "recording": path}
        for (label, instead, path), times in count.most_common(most)
    ]


def _recall(own: Sequence[Heard]) -> dict[str, Any]:
    share = Proportion(sum(one.hit for one in own), len(own))
    low, high = share.interval
    return {
        "heard": f"{share.successes}/{share.trials}",
        "recall": round(share.value, 2),
        "95 %": f"{low:.2f}-{high:.2f}",
    }


def _median(own: Sequence[Heard]) -> float | str:
    waits = [one.latency_s for one in own if one.latency_s is not None]
    return round(median(waits), 2) if waits else ""


def _instead(score: Score, label: str) -> str:
    count = Counter(one.instead for one in score.false if one.label == label)
    return ", ".join(f"{name} {times}" for name, times in count.most_common(3))


def _lost(lost: Counter[tuple[str, str]], label: str) -> str:
    return ", ".join(f"{where} {lost[label, where]}" for where in WHERE if lost[label, where])
