"""docs/model-card.md, written from the model's JSON and its evaluations: it cannot drift from them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from monitor.labels import vocabulary
from monitor.recordings.evaluation.metrics import EventRate, Proportion
from scripts.train_tagger import card_onsets, card_rooms
from scripts.train_tagger.network import SETTLED_STAGES
from scripts.train_tagger.operating_point import FALSE_EVENTS_PER_HOUR, HIGHEST
from testkit import markdown

COUNTED_ON = (
    "glass_break", "siren", "baby_cry", "dog_bark", "scream", "gunshot", "smoke_alarm", "knock", "cough",
    "laughter",
)  # fmt: skip
"""Labels that a home counts on most."""
TEMPLATE = Path(__file__).with_name("card_template.md")
IN_ONE_GO, FROM_STOCK = (
    Path(__file__).with_name(f"card_recipe_{name}.md") for name in ("in_one_go", "from_stock")
)

_TERMS = {
    "all": "Some recordings have non-commercial, research-only or no stated terms. These terms may apply "
    "to use of the weights.",
    "free": "Only CC0, public domain, CC-BY and share-alike recordings and our own synthesis were used.",
}


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents the card is made of."""

    model: dict[str, Any]
    """The JSON beside the model."""
    model_bytes: int
    evaluation: dict[str, Any]
    baselines: Sequence[dict[str, Any]]
    timing: dict[str, Any]
    crossed: dict[str, Any]
    """Recall at thresholds that other recordings gave."""
    variants: Sequence[dict[str, Any]]
    """The model of free recordings alone, and others beside it."""
    folds: dict[str, Any]
    """Cross-validation over all recordings."""
    folds_baselines: Sequence[dict[str, Any]]
    """Others on all recordings."""
    unseen: dict[str, Any]
    """On whole sources that taught nothing."""
    unseen_first: dict[str, Any]
    """Of a joined model the first network's labels, on whole sources that taught that one nothing."""
    rooms: dict[str, Any]
    """In continuous scenes, and backgrounds, of these sources."""
    company: dict[str, Any]
    """Beside YAMNet, and both together, on these sources."""


def read_sources(model: Path, figures: Path) -> Sources:
    """The JSON beside the model, and a folder's JSON files, each named like its field."""
    names = (
        "evaluation", "baselines", "timing", "crossed", "variants", "folds", "folds_baselines", "unseen",
        "unseen_first", "rooms", "company",
    )  # fmt: skip
    return Sources(
        model=json.loads(model.with_suffix(".json").read_text()),
        model_bytes=model.stat().st_size,
        **{name: json.loads((figures / f"{name}.json").read_text()) for name in names},
    )


def card(sources: Sources) -> str:
    """The whole page."""
    fields = (
        _of_model(sources)
        | _of_unseen(sources.unseen)
        | _of_unseen(sources.unseen_first, "first")
        | card_rooms.fields(sources.rooms, sources.unseen)
        | card_rooms.company(sources.company)
        | _of_evaluation(sources)
        | _of_background(sources)
        | _of_crossed(sources.crossed)
        | {"by_scenes": card_onsets.section(sources.model)}
        | _of_timing(sources)
        | _of_variants(sources.variants)
        | _of_folds(sources.folds, sources.folds_baselines)
    )
    return TEMPLATE.read_text().format_map(fields)


def _of_model(sources: Sources) -> dict[str, str]:
    model, training = sources.model, sources.model["training"]
    by_label = training["clips_by_label"]
    return {
        "megabytes": f"{sources.model_bytes / 1e6:.1f}",
        "sha256": model["sha256"][:16],
        "variant": training["variant"],
        "label_count": str(len(model["labels"])),
        "emotion_count": str(len(model["emotions"])),
        "frame_hop_s": f"{model['frame_hop_s']:.2f}",
        "window_s": f"{model['window_s']:.1f}",
        "hop_s": f"{model['hop_s']:.1f}",
        "clips": str(training["clips"]),
        "recipe": _recipe(training),
        "joined": _joined(training.get("joined")),
        "unlabelled": _unlabelled(training.get("unlabelled", {})),
        "terms": _TERMS[training["variant"]],
        "licences": _rows(training["licences"].items()),
        "sources": _rows(training["sources"].items()),
        "unrecorded": ", ".join(label for label, count in by_label.items() if not count["all"]),
        "labels": "\n".join(_label_row(sources, label) for label in model["labels"]),
    }


def _recipe(training: dict[str, Any]) -> str:
    """How the weights came to be: in one go from random ones, or from a stock and an earlier model's."""
    template = FROM_STOCK if "stock" in training else IN_ONE_GO
    minutes = sum(training.get("unlabelled", {}).values())
    text = template.read_text().strip().format_map(training | {"unlabelled_minutes": f"{minutes:.0f}"})
    return text + _way_back(training["recipe"].get("share_of_the_learnt"))


def _joined(joined: dict[str, Any] | None) -> str:
    if joined is None:
        return ""
    return (
        f"\nTwo such networks are in this file. They share their first {SETTLED_STAGES} stages. The earlier "
        f"network (`{joined['sha256']:.16}…`, trained on {joined['clips']} of the recordings) hears the "
        f"sounds that raise alerts, and voices: {', '.join(joined['labels'])}. Emotion and embedding also "
        "come from it. The later network began with its weights, and hears all other labels. It knows more "
        "of homes that it has never been in. But among other sounds it misses more of the sounds that raise "
        "alerts.\n"
    )


def _way_back(share: float | None) -> str:
    if share is None:
        return ""
    return (
        f"\nThe shipped weights lie between: each weight is {share:.0%} of the way from where it began to "
        "what was learnt (Wortsman et al., 2022). The norms were measured again."
    )


def _unlabelled(minutes: dict[str, float]) -> str:
    if not minutes:
        return ""
    table = markdown.table(("what", "minutes"), ((name, f"{each:.1f}") for name, each in minutes.items()))
    return (
        "This is the sound without labels, in minutes. The names are those of Debian packages. *espeak* and "
        f"*music* were made for this purpose.\n\n{table}\n\n"
    )


def _of_unseen(unseen: dict[str, Any], prefix: str = "unseen") -> dict[str, str]:
    groups = unseen["groups"]
    listeners = [name for name in groups["all"] if name != "labels"]
    return {
        f"{prefix}_clips": str(unseen["recordings"]),
        f"{prefix}_count": str(unseen["sources"]),
        f"{prefix}_sources": ", ".join(unseen["names"]),
        f"{prefix}_head": markdown.head(("labels", "", *listeners)),
        f"{prefix}_groups": _rows(
            (group, figures["labels"], *(_spread(figures[name]) for name in listeners))
            for group, figures in groups.items()
        ),
    }


def _spread(figures: Sequence[float]) -> str:
    mean, low, high = figures
    return f"{mean:.2f} ({low:.2f}-{high:.2f})"


def _of_evaluation(sources: Sources) -> dict[str, str]:
    evaluation = sources.evaluation
    clean, emotion = evaluation["conditions"][0], evaluation["emotion"]
    return {
        "held_out": str(evaluation["clips"]),
        "hours": f"{evaluation['hours']:.2f}",
        "present": str(len(clean["labels"])),
        "mean_average_precision": _number(clean["mean_average_precision"], 3),
        "baselines": _rows(
            (b["classifier"], _number(b["mean_average_precision"], 3)) for b in sources.baselines
        ),
        "counted_on": ", ".join(COUNTED_ON),
        "noise": "\n".join(_noise_row(condition) for condition in evaluation["conditions"]),
        "emotion_accuracy": _number(evaluation["emotion_accuracy"]),
        "emotions_present": str(len(emotion)),
        "chance": f"{1 / max(1, len(emotion)):.2f}",
        "emotions": _rows(
            (name, recall["trials"], _number(recall["value"]), _interval(recall))
            for name, recall in emotion.items()
        ),
    }


def _of_background(sources: Sources) -> dict[str, str]:
    model, point = sources.model, sources.model["operating_point"]
    critical = [label for label in model["labels"] if vocabulary()[label].severity_default == "critical"]
    hours = min(point["hours"][label] for label in critical)
    together = EventRate(sum(point["false_events"][label] for label in critical), hours)
    crossed = point["crossed"]["false_events"]
    others = EventRate(sum(crossed[label] for label in critical), hours)
    everyday = [label for label in model["labels"] if label not in critical]
    rates = [crossed[label] / point["hours"][label] for label in everyday]
    capped = [label for label, onset in model["onsets"].items() if onset >= HIGHEST]
    excuse = f" These have the highest possible threshold, and may exceed that rate: {', '.join(capped)}."
    return {
        "background_hours": f"{max(point['hours'].values()):.1f}",
        "critical_hours": f"{hours:.1f}",
        "critical": ", ".join(critical),
        "critical_events": str(together.events),
        "critical_bound": f"{together.upper_per_hour:.2f}",
        "crossed_events": str(others.events),
        "crossed_rate": f"{others.per_hour:.2f}",
        "crossed_bound": f"{others.upper_per_hour:.2f}",
        "crossed_within": str(sum(rate <= FALSE_EVENTS_PER_HOUR for rate in rates)),
        "everyday_count": str(len(rates)),
        "crossed_median": f"{median(rates):.2f}",
        "capped": excuse if capped else "",
    }


def _of_crossed(crossed: dict[str, Any]) -> dict[str, str]:
    by_snr = {condition["snr_db"]: condition["recall"] for condition in crossed["clips"]}
    columns = [by_snr[None], by_snr[5.0], crossed["events_begun"]]
    return {
        "crossed_clean": _number(_mean_of(columns[0], COUNTED_ON)),
        "crossed_noisy": _number(_mean_of(columns[1], COUNTED_ON)),
        "crossed_begun": _number(_mean_of(columns[2], COUNTED_ON)),
        "crossed_rows": "\n".join(
            _crossed_row(label, columns) for label in COUNTED_ON if label in columns[0]
        ),
    }


def _mean_of(counts: dict[str, dict[str, int]], labels: Sequence[str]) -> float | None:
    """The mean recall of those that occur."""
    values = [counts[label]["successes"] / counts[label]["trials"] for label in labels if label in counts]
    return sum(values) / len(values) if values else None


def _crossed_row(label: str, columns: Sequence[dict[str, dict[str, int]]]) -> str:
    cells = (_recall_cell(counts[label]) for counts in columns)
    return markdown.row((label, columns[0][label]["trials"], *cells))


def _recall_cell(counts: dict[str, int]) -> str:
    proportion = Proportion(counts["successes"], counts["trials"])
    low, high = proportion.interval
    return f"{proportion.value:.2f} ({low:.2f}-{high:.2f})"


def _of_timing(sources: Sources) -> dict[str, str]:
    timing = sources.timing
    return {
        "processor": timing["processor"],
        "one_ms": f"{timing['one_ms']:.1f}",
        "batch_ms": f"{timing['batch_ms']:.1f}",
        "load_ms": f"{timing['load_s'] * 1000:.0f}",
        "memory_mb": f"{timing['memory_mb']:.0f}",
    }


def _of_variants(variants: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {
        "free_labels": str(variants[0]["free_labels"]),
        "variants": _rows(
            (
                row["variant"],
                row["clips"],
                row["steps"],
                row["hinted_steps"],
                _number(row["mean_average_precision"], 3),
                _number(row["of_free_labels"], 3),
            )
            for row in variants
        ),
    }


def _of_folds(folds: dict[str, Any], baselines: Sequence[dict[str, Any]]) -> dict[str, str]:
    clean, noisy = folds["conditions"]
    counts, hours = folds["false_events"], folds["hours"]
    critical = [label for label in counts if vocabulary()[label].severity_default == "critical"]
    together = EventRate(sum(counts[label] for label in critical), min(hours[label] for label in critical))
    everyday = [counts[label] / hours[label] for label in counts if label not in critical]
    many = [label for label in COUNTED_ON if _is_well_known(folds, label)]
    return {
        "folds": str(folds["folds"]),
        "fold_steps": str(folds["steps"]),
        "fold_hinted": str(folds["hinted_steps"]),
        "fold_clips": str(folds["clips"]),
        "fold_present": str(len(clean["average_precision"])),
        "fold_precision": _number(clean["mean_average_precision"], 3),
        "fold_precision_noisy": _number(noisy["mean_average_precision"], 3),
        "fold_baselines": _rows(
            (b["classifier"], _number(b["mean_average_precision"], 3)) for b in baselines
        ),
        "fold_events": str(together.events),
        "fold_hours": f"{together.hours:.1f}",
        "fold_rate": f"{together.per_hour:.2f}",
        "fold_bound": f"{together.upper_per_hour:.2f}",
        "fold_within": str(sum(rate <= FALSE_EVENTS_PER_HOUR for rate in everyday)),
        "fold_median": f"{median(everyday):.2f}",
        "fold_many": ", ".join(many),
        "fold_recall": _number(_mean_of(clean["recall"], many)),
        "fold_recall_noisy": _number(_mean_of(noisy["recall"], many)),
        "fold_labels": "\n".join(_fold_row(folds, label) for label in clean["average_precision"]),
        "fold_emotion": _rows(_corpus_row(corpus, emotions) for corpus, emotions in folds["emotion"].items()),
    }


def _is_well_known(folds: dict[str, Any], label: str) -> bool:
    """Whether a recall of it says more than what a few recordings had in common."""
    recall = folds["conditions"][0]["recall"].get(label)
    return recall is not None and recall["trials"] >= 20 and folds["groups"][label] >= 10


def _fold_row(folds: dict[str, Any], label: str) -> str:
    clean, noisy = folds["conditions"]
    return markdown.row(
        (
            label,
            clean["recall"][label]["trials"],
            folds["groups"][label],
            _number(clean["average_precision"][label]),
            _recall_cell(clean["recall"][label]),
            _recall_cell(noisy["recall"][label]),
            f"{folds['false_events'][label] / folds['hours'][label]:.2f}",
        )
    )


def _corpus_row(corpus: str, emotions: dict[str, dict[str, int]]) -> Sequence[object]:
    recalls = [counts["successes"] / counts["trials"] for counts in emotions.values()]
    clips = sum(counts["trials"] for counts in emotions.values())
    return corpus, clips, len(recalls), f"{1 / len(recalls):.2f}", _number(sum(recalls) / len(recalls))


def _noise_row(condition: dict[str, Any]) -> str:
    snr_db = condition["snr_db"]
    counted_on = [row["recall"]["value"] for row in condition["labels"] if row["label"] in COUNTED_ON]
    mean = sum(counted_on) / len(counted_on) if counted_on else None
    named = "as recorded" if snr_db is None else f"{snr_db:.0f} dB"
    precision, recall = condition["mean_average_precision"], condition["mean_recall"]
    return markdown.row((named, _number(precision, 3), _number(recall), _number(mean)))


def _label_row(sources: Sources, label: str) -> str:
    model = sources.model
    trained = model["training"]["clips_by_label"][label]
    low, high = model["second_look"][label]
    return markdown.row(
        (
            label,
            f"{trained['all']} ({trained['free']})",
            *_label_figures(sources.evaluation, label),
            f"{model['onsets'][label]:.2f}",
            f"{low:.2f}-{high:.2f}",
        )
    )


def _label_figures(evaluation: dict[str, Any], label: str) -> tuple[str, str, str, str]:
    clean, noisy = (_figures(evaluation, snr_db, label) for snr_db in (None, 5.0))
    if clean is None:
        return ("0", "-", "-", "-")
    recall = f"{_number(clean['recall']['value'])} ({_interval(clean['recall'])})"
    at_5_db = _number(noisy["recall"]["value"]) if noisy else "-"
    return (str(clean["clips"]), _number(clean["average_precision"]), recall, at_5_db)


def _figures(evaluation: dict[str, Any], snr_db: float | None, label: str) -> dict[str, Any] | None:
    rows = (row for c in evaluation["conditions"] if c["snr_db"] == snr_db for row in c["labels"])
    return next((row for row in rows if row["label"] == label), None)


def _rows(rows: Iterable[Iterable[object]]) -> str:
    return "\n".join(map(markdown.row, rows))


def _interval(proportion: dict[str, Any]) -> str:
    low, high = proportion["interval"]
    return f"{low:.2f}-{high:.2f}"


def _number(value: float | None, places: int = 2) -> str:
    return "-" if value is None else f"{value:.{places}f}"
