"""What people change without editing the configuration: thresholds and rules, in steps that are taken back.

The file is `overrides.json` in the state folder: a list of steps, the oldest first, whoever made them (the
command line, the page, a suggestion that somebody took). Of each place the last step holds. A life-safety
label has no place here, nor has a rule that hears one: what silences a smoke or CO alarm stands in the
configuration, or nowhere.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.clock import instant
from monitor.config import changed_rules
from monitor.config.measured import calibration
from monitor.config.mistakes.plain_words import plain_words
from monitor.config.model import Config
from monitor.errors import ConfigError, StoreError
from monitor.events.settings import LABELS, LabelSettings
from monitor.labels import LIFE_SAFETY, did_you_mean, sound_meant, sounds
from monitor.logs import get_logger
from monitor.schema import read_file
from monitor.store.files import write_private

log = get_logger()

FILE = "overrides.json"
KEYS = tuple(LabelSettings.model_fields)
MOST_STEPS = 1000
"""Older steps than these become one that cannot be taken back: a page that is played with must not fill the
disk."""

Values = Mapping[str, Any]
"""By place, `labels.dog_bark.onset`, `sources.hall.labels.dog_bark.onset`, `sources.hall.calibration_db` or
`rules.NAME`; None: as the file has it. A rule is its keys as they are written, or False where it is off."""


@dataclass(frozen=True, slots=True)
class Step:
    """What was changed at once, and is taken back at once."""

    at: datetime
    by: str
    """Who or what made it: `command line`, `page`, `suggestion`."""
    values: Values
    configured: Values
    """What the configuration had there at that time; when it has something else, its author means that."""
    why: str = ""


def read_steps(folder: Path) -> list[Step]:
    """The steps of a state folder, oldest first. Raises StoreError when the file cannot be understood."""
    file = folder / FILE
    try:
        rows = json.loads(read_file(file))
        return [
            Step(instant(row["at"]), row["by"], dict(row["set"]), dict(row["configured"]),
                 str(row.get("why", "")))
            for row in rows["steps"]
        ]  # fmt: skip
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(
            f"{file}: cannot be read ({error}); remove it to use only the configuration"
        ) from error


def write_steps(folder: Path, steps: Sequence[Step]) -> None:
    """Keep the steps, whole or not at all, even after a power cut. Raises StoreError."""
    rows = [
        {"at": one.at.isoformat(), "by": one.by, "why": one.why, "set": dict(one.values),
         "configured": dict(one.configured)}
        for one in _bounded(steps)
    ]  # fmt: skip
    write_private(folder / FILE, (json.dumps({"steps": rows}, indent=1) + "\n").encode())


def apply(config: Config, values: Values, *, by: str, at: datetime, why: str = "") -> Step:
    """Make a step and keep it. `config` is the configuration as the file has it (`as_configured`). Raises
    ConfigError when a value cannot be, and StoreError when the disk does not keep it; nothing is changed
    then. A step that would change nothing is not kept."""
    folder = config.state_folder()
    step = Step(at, by, dict(values), {place: _configured(config, place) for place in values}, why)
    if problems := [text for place, value in values.items() for text in place_problems(config, place, value)]:
        raise ConfigError(problems)
    before = read_steps(folder)
    steps = [*before, step]
    _laid_over(config, in_force(config, steps))
    if changes_anything(config, before, values):
        write_steps(folder, steps)
    return step


def changes_anything(config: Config, steps: Sequence[Step], values: Values) -> bool:
    """Whether a step with these values would make any of them another than it is after `steps`."""
    now = in_force(config, steps)

    def held(value: Any, place: str) -> Any:
        return _configured(config, place) if value is None else value

    return any(held(value, place) != held(now.get(place), place) for place, value in values.items())


def undo(folder: Path) -> Step | None:
    """Take the last step back and return it; None when there is none. Raises StoreError."""
    steps = read_steps(folder)
    if not steps:
        return None
    write_steps(folder, steps[:-1])
    return steps[-1]


def in_force(config: Config, steps: Sequence[Step]) -> dict[str, Any]:
    """The values that hold: of each place the last, unless the configuration has another value there than it
    had when the step was made."""
    found: dict[str, Any] = {}
    for step in steps:
        for place, value in step.values.items():
            found.pop(place, None)
            if value is not None and _configured(config, place) == step.configured.get(place):
                found[place] = value
    return found


def without(config: Config, steps: Sequence[Step]) -> Config:
    """The configuration as its file has it, from one over which `steps` lie."""
    last: dict[str, tuple[Any, Any]] = {}
    for step in steps:
        last |= {place: (value, step.configured.get(place)) for place, value in step.values.items()}
    former = {place: was for place, (value, was) in last.items() if _is_in_force(config, place, value)}
    return _laid_over(config, former)


def with_overrides(config: Config) -> Config:
    """The configuration with what was changed without it. What cannot be read or no longer fits costs those
    changes, is logged, and stops nothing."""
    try:
        steps = read_steps(config.state_folder())
    except StoreError as error:
        log.warning("changes made outside the configuration are ignored", why=str(error))
        return config
    wanted = in_force(config, steps)
    good = {place: value for place, value in wanted.items() if not [*place_problems(config, place, value)]}
    if lost := wanted.keys() - good.keys():
        log.warning("changes that do not fit the configuration are ignored", places=sorted(lost))
    try:
        return _laid_over(config, good)
    except ConfigError as error:
        log.warning("changes made outside the configuration are ignored", why=str(error))
        return config


def place_problems(config: Config, place: str, value: Any) -> Iterator[str]:
    """What is wrong with setting a place to a value."""
    if changed_rules.name_in(place) is not None:
        yield from changed_rules.problems(config, place, value)
        return
    if calibration.source_in(place) is not None:
        yield from calibration.problems(config, place, value)
        return
    parts = place.split(".")
    source, label, key = _parted(parts)
    if not label:
        yield f"{place}: write labels.LABEL.KEY, sources.SOURCE.labels.LABEL.KEY or rules.NAME"
        return
    names = [one.name for one in config.sources]
    if source is not None and source not in names:
        yield f"{place}: there is no source {source!r}{did_you_mean(source, names)}"
    if label not in sounds():
        yield f"{place}: unknown label {label!r}{sound_meant(label)}"
    elif label in LIFE_SAFETY:
        yield f"{place}: what it takes to hear a smoke, fire or CO alarm is set in the configuration alone"
    if key not in KEYS:
        yield f"{place}: unknown key {key!r}{did_you_mean(key, KEYS)}; there are {', '.join(KEYS)}"
    elif value is not None:
        try:
            LabelSettings.model_validate({key: value})
        except ValidationError as error:
            yield from (f"{place}: {plain_words(found, value)}" for found in error.errors())


def _parted(parts: Sequence[str]) -> tuple[str | None, str, str]:
    """Source, label and key; an empty label where it is no place."""
    match parts:
        case ["labels", label, key]:
            return None, label, key
        case ["sources", *name, "labels", label, key] if name:
            return ".".join(name), label, key
    return None, "", ""


def _configured(config: Config, place: str) -> Any:
    """What the file has at a place; None: nothing."""
    if changed_rules.name_in(place) is not None:
        return changed_rules.as_configured(config, place)
    if calibration.source_in(place) is not None:
        return calibration.as_configured(config, place)
    source, label, key = _parted(place.split("."))
    if source is None:
        block = config.labels.get(label)
        return None if block is None else getattr(block, key, None)
    own = next((one.labels for one in config.sources if one.name == source), {})
    return own.get(label, {}).get(key)


def _is_in_force(config: Config, place: str, value: Any) -> bool:
    if changed_rules.name_in(place) is not None:
        return changed_rules.is_in_force(config, place, value)
    return bool(_configured(config, place) == value)


def _laid_over(config: Config, values: Values) -> Config:
    """Raises ConfigError where values do not fit together, such as an `off` above its onset."""
    rules = {place: value for place, value in values.items() if changed_rules.name_in(place) is not None}
    levels = {place: value for place, value in values.items() if calibration.source_in(place) is not None}
    labels = {place: value for place, value in values.items() if place not in rules and place not in levels}
    try:
        with_labels = _with_labels(calibration.laid_over(config, levels), labels)
        return changed_rules.laid_over(with_labels, rules)
    except ValidationError as error:
        raise ConfigError(
            [f"{'.'.join(map(str, one['loc']))}: {plain_words(one)}" for one in error.errors()]
        ) from None


def _with_labels(config: Config, values: Values) -> Config:
    """Raises ValidationError."""
    if not values:
        return config
    labels = {name: block.model_dump(exclude_unset=True) for name, block in config.labels.items()}
    own = {source.name: {name: dict(row) for name, row in source.labels.items()} for source in config.sources}
    for place, value in values.items():
        source, label, key = _parted(place.split("."))
        (labels if source is None else own[source]).setdefault(label, {})[key] = value
    for rows in own.values():
        LABELS.validate_python(rows)
    checked = LABELS.validate_python(labels)
    changed = [source.model_copy(update={"labels": own[source.name]}) for source in config.sources]
    return config.model_copy(update={"labels": checked, "sources": changed})


def _bounded(steps: Sequence[Step]) -> list[Step]:
    """With the oldest of too many joined into one."""
    too_many = len(steps) - MOST_STEPS
    if too_many <= 0:
        return list(steps)
    old, last = steps[: too_many + 1], steps[too_many]
    joined = replace(
        last,
        values={place: value for one in old for place, value in one.values.items()},
        configured={place: value for one in old for place, value in one.configured.items()},
        why=f"{len(old)} earlier steps",
    )
    return [joined, *steps[too_many + 1 :]]
