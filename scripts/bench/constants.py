"""What each constant of the rhythm detector holds: changed by half, what is then found or missed.

    python scripts/bench constants [NAME ...] [--by 0.5] [--impostors 4 --seed 900000]

Hears some hundred sounds near the edge between alarm and none (testkit/rhythm_sounds.py), and so many
performances of each kind of impostor, as they are, and again for each constant with a half and one and a
half of its value, in a process of its own. Names are those of constants (RINGING_DB, FIRST, TEMPORAL_FOUR);
without a name all are tried, which takes an hour.
"""

import argparse
import ast
import json
import os
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import monitor.rhythm
from monitor.audio import Samples
from testkit.impostors import IMPOSTORS
from testkit.rhythm_sounds import edge_cases
from testkit.rhythm_trials import impostor_samples, listen

FIXED = {
    "BIN_HZ", "BINS", "BLOCK", "BLOCK_HOPS", "CHANNELS", "FIRST_BIN", "HOP", "LAST_BIN", "LEVEL_STEP_DB",
    "PROMINENCE_STEP_DB", "SMOOTHED", "WINDOW", "_CAPACITY", "_LEVELS_BYTES", "_LONG_BELOW_BIN",
    "_LONG_WINDOW", "_MOST_PARTS", "_OWN", "_SUMS_BYTES",
}  # fmt: skip
"""What the kernel is compiled for, and sizes of memory."""
LATE_S = 1.0
"""What is found later by more than this counts as a change."""
FAILS = "fails"
Found = dict[str, dict[str, float]]
"""By sound: what was found, with the time in seconds of the first report."""
Change = tuple[str, Any, Callable[[], None]]
"""A constant's name, the value that is tried, and what sets it."""


def main() -> None:
    """Print one line for each constant and value."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--by", type=float, default=0.5, help="share by which a value is changed")
    parser.add_argument("--impostors", type=int, default=0, help="performances of each of the 16 kinds")
    parser.add_argument("--seed", type=int, default=900_000)
    options = parser.parse_args()
    sounds = edge_cases()
    for seed in range(options.seed, options.seed + options.impostors):
        sounds |= {f"{name} {seed}": impostor_samples(name, seed) for name in IMPOSTORS}
    before = _forked(lambda: None, sounds)
    for name, value, change in _changes(options.names, options.by):
        print(f"{name} = {value}: {_difference(before, _forked(change, sounds))}", flush=True)


def _changes(names: list[str], by: float) -> Iterator[Change]:
    for module in _modules():
        for name in _defined(module):
            if not names or name in names:
                yield from _of_constant(name, vars(module)[name], by)


def _of_constant(name: str, value: Any, by: float) -> Iterator[Change]:
    if is_dataclass(value):
        for field in fields(value):
            inner = getattr(value, field.name)
            if is_dataclass(inner):
                yield from _of_constant(f"{name}.{field.name}", inner, by)
            else:
                for tried in _tried(inner, by):
                    yield f"{name}.{field.name}", tried, partial(object.__setattr__, value, field.name, tried)
        return
    for tried in _tried(value, by):
        yield name, tried, partial(_set_everywhere, name, value, tried)


def _tried(value: Any, by: float) -> list[Any]:
    """A number less and more by a share; of several numbers each in turn."""
    if isinstance(value, bool):
        return []
    if isinstance(value, float):
        return [value * (1 - by), value * (1 + by)] if value else []
    if isinstance(value, int):
        return [round(value * (1 - by)), round(value * (1 + by))] if value else []
    if isinstance(value, range):
        return [range(*ends) for ends in _tried((value.start, value.stop), by)]
    if isinstance(value, tuple) and all(isinstance(each, int | float) for each in value):
        return [
            (*value[:k], new, *value[k + 1 :]) for k, each in enumerate(value) for new in _tried(each, by)
        ]
    return []


def _set_everywhere(name: str, old: Any, new: Any) -> None:
    for module in _modules():
        if vars(module).get(name) is old:
            setattr(module, name, new)


def _defined(module: ModuleType) -> Iterator[str]:
    """The upper-case names that a module gives a value at its top level."""
    for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        named = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
        yield from (name for name in named if name == name.upper() and name not in FIXED)


def _modules() -> list[ModuleType]:
    names = [found.name for found in pkgutil.iter_modules(monitor.rhythm.__path__)]
    return [import_module(f"monitor.rhythm.{name}") for name in names]


def _forked(change: Callable[[], None], sounds: dict[str, Samples]) -> Found:
    """What is found after a change that ends with its process."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            change()
            result = {name: _found(samples) for name, samples in sounds.items()}
        except Exception as error:  # noqa: BLE001 - that nothing works with a value is a result
            result = {FAILS: {repr(error): 0.0}}
        with os.fdopen(writing, "w") as file:
            json.dump(result, file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        text = file.read()
    os.waitpid(child, 0)
    found: Found = json.loads(text)
    return found


def _found(samples: Samples) -> dict[str, float]:
    first: dict[str, float] = {}
    for at_s, report in listen(samples):
        first.setdefault(f"{report.certainty} {report.label} ({report.pattern})", at_s)
    return first


def _difference(before: Found, after: Found) -> str:
    if FAILS in after:
        return f"fails: {', '.join(after[FAILS])}"
    changes = [f"{sound}: {change}" for sound in before for change in _changed(before[sound], after[sound])]
    return "; ".join(changes) or "no change"


def _changed(before: dict[str, float], after: dict[str, float]) -> Iterator[str]:
    yield from (f"no {what}" for what in before.keys() - after.keys())
    yield from (f"now {what}" for what in after.keys() - before.keys())
    for what in before.keys() & after.keys():
        if abs(after[what] - before[what]) > LATE_S:
            yield f"{what} after {after[what]:.0f} s, not {before[what]:.0f} s"
