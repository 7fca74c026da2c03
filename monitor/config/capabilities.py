"""What a configuration can hear, and with which thresholds: the ground that rules stand on."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from monitor.classifiers.audio_llm.engines.server import ServerOptions
from monitor.classifiers.base import Classifier
from monitor.classifiers.cascade import Cascade, SecondLook
from monitor.classifiers.taggers.ensemble import combined
from monitor.config.model import Config
from monitor.config.taught import built, unheard
from monitor.errors import ModelError
from monitor.events.defaults import Hysteresis
from monitor.events.defaults import rows as known_rows
from monitor.events.settings import HIT_GAP_S, LABELS, Labels, Thresholds, shifted
from monitor.labels import emotions
from monitor.rhythm.detector import HIGHEST_SCORES as RHYTHM_SCORES
from monitor.rhythm.detector import LABELS as RHYTHM_LABELS
from monitor.rules.checking.check import Capabilities, Finding, check_rules
from monitor.rules.checking.coverage import uncovered
from monitor.schema import unreadable
from monitor.sources import SourceConfig
from monitor.types import Setting

GATE_LABELS = frozenset({"loud_noise"})


def thresholds(config: Config, first: Iterable[Classifier]) -> Thresholds:
    """The table, over it what the model ships for its own scores and what the house has taught, over it what
    the owner wrote."""
    suggested = {label: values for model in first for label, values in model.thresholds.items()}
    suggested |= config.taught.thresholds
    return Thresholds(
        model=LABELS.validate_python(suggested),
        general=config.labels,
        sources={source.name: config.labels_of(source) for source in config.sources},
    )


def in_force(config: Config, settings: Iterable[Setting] = ()) -> dict[str, dict[str, Hysteresis]]:
    """For every enabled source, the sounds that can become an event there, and what it takes: the model's
    thresholds, the owner's, and the source's sensitivity, or that in `settings`, set from outside."""
    rows = thresholds(config, unloaded(config)[0])
    turned = {one.source: float(one.value) for one in settings if one.name == "sensitivity"}
    return {
        source.name: {
            label: shifted(row, turned.get(source.name, source.sensitivity))
            for label, row in rows.of(source.name).items()
            if label in heard
        }
        for source, heard in heard_where(config)
    }


Origin = Literal["source", "set", "file", "model", "table"]
"""The source's own `labels`, a change without the configuration, its `labels`, the model, our table."""


def onset_origins(config: Config, changed: Collection[str]) -> dict[str, dict[str, Origin]]:
    """Where each sound's onset comes from, by source and label; `changed` are the places of the changes that
    hold, as in `labels.dog_bark.onset`."""
    rows = thresholds(config, unloaded(config)[0])

    def origin(source: str, label: str) -> Origin:
        if _names_onset(rows.sources.get(source, {}), label):
            return "set" if f"sources.{source}.labels.{label}.onset" in changed else "source"
        if _names_onset(rows.general, label):
            return "set" if f"labels.{label}.onset" in changed else "file"
        return "model" if _names_onset(rows.model, label) else "table"

    enabled = [source.name for source in config.sources if source.enabled]
    return {name: {label: origin(name, label) for label in known_rows()} for name in enabled}


def _names_onset(labels: Labels, label: str) -> bool:
    return label in labels and labels[label].onset is not None


def unloaded(config: Config) -> tuple[tuple[Classifier, ...], tuple[tuple[Classifier, Cascade], ...]]:
    """The small and the large classifiers of a configuration, not loaded: their names, labels and thresholds.

    One of which even that cannot be known without loading is left out.
    """
    first: list[Classifier] = []
    second: list[tuple[Classifier, Cascade]] = []
    for block in config.classifiers:
        with suppress(ModelError):
            classifier = built(block, config.taught)
            if not classifier.labels:
                continue
            if isinstance(block, SecondLook):
                second.append((classifier, Cascade(block)))
            else:
                first.append(classifier)
    return combined(config.combine, first), tuple(second)


def producible(config: Config) -> frozenset[str]:
    """Every label that some enabled classifier of this configuration can hear."""
    # A taught sound whose file is damaged is named in rules all the same; `unheard` says what is wrong.
    labels = GATE_LABELS.union(RHYTHM_LABELS, config.taught.labels)
    for block in config.classifiers:
        with suppress(ModelError):
            labels |= block.build().labels
    return labels if "speech" in labels else labels | {"speech"}


def unknown_models(config: Config) -> dict[int, str]:
    """Classifiers of which nobody can say what they hear, by their place, and why: mostly a missing file."""
    found = {}
    for i, block in enumerate(config.classifiers):
        try:
            assert block.build().labels is not None
        except ModelError as error:
            found[i] = (unreadable(block.model) if isinstance(block.model, Path) else "") or str(error)
    return found


def heard_where(config: Config) -> list[tuple[SourceConfig, frozenset[str]]]:
    """Every enabled source with the labels that can be an event there."""
    ours = producible(config)
    return [
        (source, ours if source.known_labels is None else source.known_labels)
        for source in config.sources
        if source.enabled
    ]


def rule_findings(config: Config) -> list[Finding]:
    """What is wrong with the rules in this house, errors and warnings."""
    return check_rules(config.rules, _capabilities(config))


def warnings(config: Config) -> list[str]:
    """What is allowed and was hardly meant."""
    found = [finding.text for finding in rule_findings(config) if not finding.fatal]
    return found + taught_problems(config)


def gaps(config: Config) -> Iterator[str]:
    """What is left out that people count on, with its fix: an alarm without a rule, alerts for nobody."""
    heard = {source.name: labels for source, labels in heard_where(config)}
    yield from uncovered(config.rules, heard, config.off_rules())
    if not config.publishers and not config.notifiers:
        yield (
            "there are neither `publishers` nor `notifiers`, so an alert reaches only people who look at "
            "the terminal or the page; add one of them"
        )
    called = {name for rule in config.rules for name in rule.notify}
    called.update(config.digest.notify if config.digest else ())
    for name in [block.name for block in config.notifiers if block.name not in called]:
        yield f"no rule's alerts reach notifier {name!r}; add it to the `notify` of a rule"
    for source in config.sources:
        if source.enabled and source.type in ("file", "demo") and source.loop and not source.realtime:
            yield (
                f"source {source.name!r} repeats its sound as fast as the machine can, for ever: it is soon "
                "dated ahead of the clock, and its alerts reach people; write `realtime: true`, or "
                "`loop: false`"
            )


def taught_problems(config: Config) -> list[str]:
    """What keeps taught sounds from being heard, with the fix."""
    return unheard(config.taught, frozenset().union(*(one.labels for one in unloaded(config)[0])))


def audio_goes_to(config: Config) -> list[str]:
    """Which audio leaves this machine, and where it goes; empty when none does."""
    blocks = [*config.classifiers, *([config.transcripts] if config.transcripts else [])]
    return [f"{block.model}: {block.audio_goes_to}" for block in blocks if isinstance(block, ServerOptions)]


def _starved(config: Config, rows: Mapping[str, Hysteresis], source: SourceConfig) -> dict[str, str]:
    """Labels that need more hits than a sound is looked at, and why. A classifier that measures how long a
    sound lasted needs one look, and so does another device."""
    if source.is_external:
        return {}
    every_s = config.gate_of(source).early_look_s
    never = frozenset(RHYTHM_LABELS).union(*(one.labels for one in unloaded(config)[0] if one.dates))
    starved: dict[str, str] = {}
    for label, row in rows.items():
        # A sound that is shown only at its end gives one hit; looks too close together count as one.
        possible = 1 + int(row.within_s / max(every_s, HIT_GAP_S)) if every_s else 1
        if row.hits > possible and label not in never:
            starved[label] = (
                f"it needs {row.hits} hits within {row.within_s:g} s, and with early_look_s {every_s:g} a "
                f"sound is looked at {possible} times in that time; lower early_look_s or the label's hits"
            )
    return starved


def _capabilities(config: Config) -> Capabilities:
    enabled = [source.name for source in config.sources if source.enabled]
    rows = thresholds(config, unloaded(config)[0])
    return Capabilities(
        produced=producible(config).union(*(labels for _, labels in heard_where(config)))
        | (set(emotions()) if config.classifiers else set()),
        sources=tuple(enabled),
        onsets={name: {label: row.onset for label, row in rows.of(name).items()} for name in enabled},
        highest=RHYTHM_SCORES,
        starved={
            source.name: _starved(config, rows.of(source.name), source)
            for source in config.sources
            if source.enabled
        },
        devices={
            source.name: source.known_labels
            for source in config.sources
            if source.enabled and source.known_labels is not None
        },
        notifiers={block.name: block.min_severity for block in config.notifiers},
        off={"sources": config.off_names("sources"), "notify": config.off_names("notifiers")},
        transcribes=config.transcripts is not None,
        verifies=any(isinstance(block, SecondLook) for block in config.classifiers),
        classifies=bool(config.classifiers),
        calibrated=frozenset(one.name for one in config.sources if one.calibration_db is not None),
        house=config.house,
    )
